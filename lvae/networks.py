"""Encoders and decoders of the Lifelong VAE, dense and convolutional, and the names TF1 gives their variables.

Images are NHWC in [0, 1] for convolutional bodies and flat [n, pixels] for dense ones. Every hidden layer is affine,
then bias or normalisation, then ELU; the last layer is linear with a bias.
"""

import functools
from typing import NamedTuple

import keras
import tensorflow as tf

from lib import randomness
from lib.ops import slim
from lib.ops.norm import BatchNorm
from lvae.config import Architecture, Config

_NORMALISERS = {"batch": BatchNorm, "layer": slim.layer_norm}
_TWO_SIDED = ("normal", "logistic")  # likelihoods whose decoder gives scale and location


class Latents(NamedTuple):
    """Sizes of a latent variable z = [z_c, z_d]; either part may be empty."""

    continuous: int  # dimensions of z_c
    classes: int  # K of the one-hot z_d

    @property
    def encoded(self) -> int:
        """Columns of the encoder's output: two per continuous dimension, one per class."""
        return 2 * self.continuous + self.classes

    @property
    def size(self) -> int:
        """Columns of z."""
        return self.continuous + self.classes


class Vae(NamedTuple):
    """One VAE.

    The encoder maps images to the posterior's parameters [n, latents.encoded], the decoder z [n, latents.size] to the
    likelihood's parameters.
    """

    encoder: keras.Model
    decoder: keras.Model
    latents: Latents

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    @property
    def variables(self) -> list[keras.Variable]:
        return self.encoder.variables + self.decoder.variables


class Networks(NamedTuple):
    """All a run keeps, however many distributions it has seen."""

    student: Vae
    teacher: Vae | None  # the student of the previous distributions; None while there is one distribution


class Body(keras.Model):
    """Hidden layers with ELU and a linear last layer.

    Args:
      layers: affine layers, the last one linear.
      tf1_layers: the TF1 names of these layers.
      normaliser: "batch", "layer" or None, after every layer but the last.
    """

    def __init__(self, layers: list, tf1_layers: list[str], normaliser: str | None, *, name: str, dtype):
        super().__init__(name=name, dtype=dtype)
        self.affine = layers
        self.norms = [_NORMALISERS[normaliser](dtype=dtype) for _ in layers[:-1]] if normaliser else []
        self.tf1_layers = tf1_layers

    def call(self, x, training: bool = False):
        for index, layer in enumerate(self.affine[:-1]):
            norm = self.norms[index] if self.norms else None
            x, seen = slim.normalise(norm, layer(x), training)
            for moments in seen.values():
                norm.update(moments)
            x = tf.nn.elu(x)
        return self.affine[-1](tf.cast(x, self.dtype_policy.variable_dtype))


class ConvEncoder(Body):
    """Images [n, 32, 32, c] (or [n, 32, 32]) -> [n, outputs]."""

    def call(self, x, training: bool = False):
        x = x[..., None] if x.shape.rank == 3 else x
        features = super().call(x, training=training)
        return tf.reshape(features, [-1, features.shape[-1]])


class ConvDecoder(Body):
    """z [n, size] -> [n, 32, 32, outputs]."""

    def call(self, x, training: bool = False):
        return super().call(x[:, None, None, :], training=training)


_NORMAL = functools.partial(keras.initializers.RandomNormal, stddev=0.02)
_TRUNCATED = functools.partial(keras.initializers.TruncatedNormal, stddev=0.02)
_CONVOLUTIONS = [(32, 5, 1), (64, 4, 2), (128, 4, 1), (256, 4, 2), (512, 4, 1), (512, 1, 1)]  # channels, side, stride
_TRANSPOSED = [(512, 4, 1), (256, 4, 2), (128, 4, 1), (64, 4, 2), (64, 5, 1)]


def dense_body(inputs: int, sizes: tuple[int, ...], outputs: int, normaliser: str | None = None, **options) -> Body:
    """[n, inputs] -> [n, outputs] through hidden layers of `sizes`; Glorot-uniform kernels.

    Args:
      options: name, seed and dtype, here and below, as of `_built`.
    """
    layers = [(keras.layers.Dense, keras.initializers.GlorotUniform, size) for size in (*sizes, outputs)]
    names = [*(f"layer/layer_{number}" for number in range(1, len(layers))), "projection"]
    return _built(Body, (inputs,), layers, names, normaliser, **options)


def conv_encoder(channels: int, outputs: int, normaliser: str | None = None, **options) -> Body:
    """[n, 32, 32, channels] -> [n, outputs]: VALID convolutions, sides 32, 28, 13, 10, 4, 1, 1, 1."""
    layers = [(keras.layers.Conv2D, _TRUNCATED, *sizes) for sizes in (*_CONVOLUTIONS, (outputs, 1, 1))]
    return _built(ConvEncoder, (32, 32, channels), layers, _numbered("Conv", len(layers)), normaliser, **options)


def conv_decoder(inputs: int, outputs: int, normaliser: str | None = None, **options) -> Body:
    """[n, inputs] -> [n, 32, 32, outputs]: transposed VALID convolutions, sides 1, 4, 10, 13, 28, 32."""
    layers = [*((keras.layers.Conv2DTranspose, _NORMAL, *sizes) for sizes in _TRANSPOSED),
              (keras.layers.Conv2D, _TRUNCATED, outputs, 1)]
    names = [*_numbered("Conv2d_transpose", len(_TRANSPOSED)), "Conv"]
    return _built(ConvDecoder, (inputs,), layers, names, normaliser, **options)


def _numbered(kind: str, count: int) -> list[str]:
    """TF-Slim's names of so many layers of a kind."""
    return [kind, *(f"{kind}_{number}" for number in range(1, count))]


def _built(kind: type[Body], shape: tuple[int, ...], layers: list[tuple], tf1_layers: list[str],
           normaliser: str | None, *, name: str, seed: int = 0, dtype="float32") -> Body:
    """A body with fresh weights.

    Args:
      shape: of one input.
      layers: (class, initializer of the kernel, sizes) of each, the last of which computes in the variables' dtype.
    """
    made, head = [], keras.dtype_policies.get(dtype).variable_dtype
    for index, (layer, initializer, *sizes) in enumerate(layers):
        last = index == len(layers) - 1
        kernel = initializer(seed=randomness.initial_seed(seed, name, str(index)))
        made.append(layer(*sizes, name=f"layer_{index}", kernel_initializer=kernel,
                          use_bias=last or normaliser is None, dtype=head if last else dtype))
    body = kind(made, tf1_layers, normaliser, name=name, dtype=dtype)
    body(tf.zeros([1, *shape], body.dtype_policy.variable_dtype))
    return body


def build_vae(config: Config, latents: Latents, *, name: str = "vae", seed: int = 0, dtype="float32") -> Vae:
    """A VAE with fresh weights."""
    shape = config.architecture
    sides = 2 if shape.likelihood in _TWO_SIDED else 1
    options = dict(normaliser=config.normaliser, seed=seed, dtype=dtype)
    if shape.body == "dense":
        pixels = shape.input_shape[0]
        encoder = dense_body(pixels, shape.encoder_sizes, latents.encoded, name=f"{name}_encoder", **options)
        decoder = dense_body(latents.size, shape.decoder_sizes, sides * pixels, name=f"{name}_decoder", **options)
    else:
        channels = shape.image_shape[-1]
        encoder = conv_encoder(channels, latents.encoded, name=f"{name}_encoder", **options)
        decoder = conv_decoder(latents.size, sides * channels, name=f"{name}_decoder", **options)
    return Vae(encoder, decoder, latents)


def tf1_names(body: Body, scope: str) -> dict[str, keras.Variable]:
    """Every variable of a body under its TF1 name below `scope`, in the order in which TF1 creates them."""
    names = {}
    for index, (layer, tf1_layer) in enumerate(zip(body.affine, body.tf1_layers, strict=True)):
        names[f"{scope}/{tf1_layer}/weights"] = layer.kernel
        if layer.use_bias:
            names[f"{scope}/{tf1_layer}/biases"] = layer.bias
        else:
            names |= _normaliser_names(f"{scope}/{tf1_layer}", body.norms[index])
    return names


def _normaliser_names(scope: str, norm) -> dict[str, keras.Variable]:
    kind = "BatchNorm" if isinstance(norm, BatchNorm) else "LayerNorm"
    names = {"beta": norm.offset, "gamma": norm.scale}
    if kind == "BatchNorm":
        names |= {"moving_mean": norm.moving_mean, "moving_variance": norm.moving_variance}
    return {f"{scope}/{kind}/{suffix}": variable for suffix, variable in names.items()}


def body_scopes(architecture: Architecture, forks: int) -> tuple[str, str]:
    """TF1 scopes of encoder and decoder: only the first convolutional model has names of its own."""
    if architecture.body == "cnn" and forks == 0:
        return "cnn_encoder", "cnn_decoder"
    return "encoder", "decoder"


def tf1_variables(vae: Vae, prefix: str, scopes: tuple[str, str]) -> dict[str, keras.Variable]:
    """Both bodies' variables under `<prefix>/encoder/<scope>/...` and `<prefix>/generator/<scope>/...`."""
    encoder, decoder = scopes
    return (tf1_names(vae.encoder, f"{prefix}/encoder/{encoder}")
            | tf1_names(vae.decoder, f"{prefix}/generator/{decoder}"))


def model_name(config: Config, latents: Latents, forks: int = 0) -> str:
    """The TF1 name prefix of a model, of the original's lifelong class or of its vanilla one.

    A forked model keeps the text of the first one's settings, with its own number: `latents` are the first model's.
    """
    shape = config.architecture
    if shape.body == "dense":
        encoder, decoder = str(list(shape.encoder_sizes)), str(list(shape.decoder_sizes))
    else:
        encoder, decoder = f"4_5x5xn_s2_fc{latents.encoded}", "cifar_decoder"
    text = (f"vae{forks}_elu_enc{encoder}_dec{decoder}_learningrate{config.learning_rate}"
            f"_latentsize{config.latent_size}")
    if config.is_lifelong:
        text += f"_discsize1_mutintoreg{config.mutual_info_reg}"
    return text.translate(str.maketrans(",", "_", "[]{}():' ")).lower()
