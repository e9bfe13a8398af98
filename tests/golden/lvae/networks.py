"""Topic `networks`: what each body makes of given inputs, its gradients and its moving statistics."""

import numpy as np
import tensorflow as tf

from lvae import networks
from tests.golden import records
from tests.golden.lvae import common
from tests.golden.records import Comparison

SETTINGS = common.SETTINGS | {"not_runnable"}


def _body(case, values) -> tuple[networks.Body, str]:
    """A body of the sizes that the case's weights have, and its TF1 scope."""
    normaliser = common.normaliser_of(values)
    scope = next(iter(values)).partition("/")[0]
    shapes = {name.removeprefix(f"{scope}/"): value.shape for name, value in values.items()}
    if "projection/weights" in shapes:
        kernels = [shape for name, shape in shapes.items() if name.endswith("/weights")]
        sizes = tuple(shape[1] for shape in kernels[:-1])
        body = networks.dense_body(kernels[0][0], sizes, kernels[-1][1], normaliser, name="body")
    elif "Conv2d_transpose/weights" in shapes:
        body = networks.conv_decoder(case["input"]["shape"][-1], shapes["Conv/weights"][-1], normaliser, name="body")
    else:
        body = networks.conv_encoder(shapes["Conv/weights"][2], shapes["Conv_6/weights"][-1], normaliser, name="body")
    return body, scope


def compare(document, name):
    case, path = document["cases"][name], ("cases", name)
    values = records.weights(document["prefix"], case["variables"])
    body, scope = _body(case, values)
    variables = networks.tf1_names(body, scope)
    common.inject(variables, values)
    images, coefficients = common.draw(case["input"]), common.draw(case["coef"])
    before = body(images)
    with tf.GradientTape() as tape:
        out = body(images, training=True)
        scalar = tf.reduce_sum(out * coefficients)
    ours = {"out": out, "out_inference_before": before, "out_inference_after": body(images)}
    grads = {f"grad/{key}": value for key, value in common.gradients(tape, scalar, variables).items()}
    after = {f"after/{key}": value for key, value in common.moving(variables).items()}
    stored, at = case["records"], (*path, "records")
    yield Comparison(name, (*path, "output_shape"), list(out.shape), records.EXACT)
    yield Comparison(f"{name} outputs", (*path, "scalar"), scalar, records.OUTPUTS,
                     terms=float(np.abs(out * coefficients).sum()))
    yield from common.tensors(f"{name} outputs", at, stored, ours, records.OUTPUTS, name)
    yield from common.tensors(f"{name} gradients", at, stored, grads, records.GRADIENTS, name)
    yield from common.tensors(f"{name} moving statistics", at, stored, after, records.OUTPUTS, name)
