"""Floating-point operations of a training step, counted from the layers' shapes.

Only the multiply-adds of convolutions and matrix products count, two operations each: what the machine's peak, measured
by a convolution and a matrix product, can be compared with. Taps on the border's zeros count, too, as is usual.

A layer of m multiply-adds per sample costs m forward, m backward by its inputs and m backward by its kernel. The first
layer needs no gradient by its inputs unless somebody asks for that of the network's input.
"""

import math
from typing import NamedTuple
from unittest import mock

import keras


class Network(NamedTuple):
    """Multiply-adds of each layer for one sample, in the order in which the layers are called."""

    layers: dict[str, int]

    @property
    def forward(self) -> int:
        return sum(self.layers.values())

    @property
    def by_kernels(self) -> int:
        return self.forward

    @property
    def to_input(self) -> int:
        """Backward by the inputs of all layers: the gradient by the network's own input."""
        return self.forward

    @property
    def by_inputs(self) -> int:
        """Backward by the inputs of all layers but the first, which training needs."""
        return self.forward - next(iter(self.layers.values()))

    @property
    def trained(self) -> int:
        """Forward, and the gradients of all kernels."""
        return self.forward + self.by_kernels + self.by_inputs

    def without(self, name: str) -> "Network":
        return Network({layer: count for layer, count in self.layers.items() if layer != name})


def penalty(network: Network, normalised: bool) -> int:
    """A gradient penalty with its gradient by the kernels, per sample.

    The slopes are a forward pass and the gradient by the input. Their own derivative goes back through that gradient:
    by the kernels again, and through every layer but the last in forward direction. The units of a network without
    normalisation are linear piece by piece, so nothing reaches its forward pass that way; with normalisation the
    forward pass is differentiated, too (counted in full, though what lies behind the last norm takes no part).
    """
    slopes = network.forward + network.to_input
    through_slopes = network.by_kernels + network.forward - list(network.layers.values())[-1]
    through_forward = network.by_kernels + network.by_inputs if normalised else 0
    return slopes + through_slopes + through_forward


def network(model: keras.Model, *inputs, **options) -> Network:
    """What a call of `model` on a batch of one costs."""
    layers, call = {}, keras.layers.Layer.__call__

    def recording(layer, *args, **kwargs):
        outputs = call(layer, *args, **kwargs)
        if isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            layers[layer.name] = multiply_adds(layer, args[0].shape, outputs.shape)
        return outputs

    with mock.patch.object(keras.layers.Layer, "__call__", recording):
        model(*inputs, **options)
    return Network(layers)


def multiply_adds(layer, inputs, outputs) -> int:
    """Of an affine layer for one sample: its kernel is applied once at every place of its inputs or outputs.

    Args:
      inputs, outputs: shapes [batch, (height, width,) channels].
    """
    places = inputs if isinstance(layer, keras.layers.Conv2DTranspose) else outputs
    return math.prod(layer.kernel.shape) * math.prod(places[1:-1])


def operations(multiply_adds: float) -> float:
    return 2.0 * multiply_adds
