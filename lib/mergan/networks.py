"""Generators and critics of MeRGAN, 32x32 and 64x64, and the names TF1 gives their variables.

Images are NHWC in [-1, 1]. The dense layers beside the feature maps keep the original's channel-first flattening, so
that weights are interchangeable.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from lib.mergan.config import NOISE, Config, DataSet
from lib.ops import affine
from lib.ops.blocks import DownBlock, UpBlock
from lib.ops.norm import BatchStatisticsNorm, LayerNorm


class Judgement(NamedTuple):
    """What the critic says of images [n, h, w, c]."""

    score: tf.Tensor  # critic values [n]
    logits: tf.Tensor  # class logits [n, labels]


class Networks(NamedTuple):
    """The networks of a run. `replay` is the frozen copy of the generator; joint training has none.

    Deep generative replay alone has a solver, which classifies images, and its frozen copy.
    """

    generator: keras.Model
    critic: keras.Model
    replay: keras.Model | None = None
    solver: keras.Model | None = None
    replay_solver: keras.Model | None = None

    def present(self) -> dict[str, keras.Model]:
        """Those that the run has, by name."""
        return {name: network for name, network in self._asdict().items() if network is not None}


def _output_dtype(model: keras.Model) -> str:
    """Heads and images leave in the variables' dtype: float32, whatever the layers compute in."""
    return model.dtype_policy.variable_dtype


def _to_feature_map(x: tf.Tensor, channels: int, side: int) -> tf.Tensor:
    return tf.transpose(tf.reshape(x, [-1, channels, side, side]), [0, 2, 3, 1])


def _flatten_channel_first(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [-1, x.shape[1] * x.shape[2] * x.shape[3]])


def _leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """Slope 0.2 for x <= 0, in both forms. The fused one is faster, but knows its slope to float32 only."""
    return tf.maximum(0.2 * x, x) if x.dtype == tf.float64 else _fused_leaky_relu(x)


@tf.custom_gradient
def _fused_leaky_relu(x: tf.Tensor):
    y = tf.nn.leaky_relu(x, 0.2)
    # The slope is constant on either side, so nothing of the gradient penalty's gradient goes through the features.
    # TensorFlow's own derivative sends zeros that way, back through all layers below: a seventh of a critic step. The
    # features are y, which has x's sign: with x, TensorFlow fails to fuse this with the convolution, and says so at
    # the start of every task.
    constant = tf.stop_gradient(y)
    return y, lambda dy: tf.raw_ops.LeakyReluGrad(gradients=dy, features=constant, alpha=0.2)


def tf1_names(model: keras.Model, scope: str) -> dict[str, keras.Variable]:
    """Every variable of a network under its TF1 name; scope is `New.Generator`, `Old.Generator` or `Discriminator`."""
    names = {}
    for layer in model.parts():
        full = f"{scope}.{layer.name}"
        if isinstance(layer, (BatchStatisticsNorm, LayerNorm)):
            kinds = ("offset", "scale", "moving_mean", "moving_variance")  # layer norm has the first two
            names |= {f"{full}.{kind}": getattr(layer, kind) for kind in kinds if hasattr(layer, kind)}
            continue
        kernel, bias = ("W", "b") if isinstance(layer, keras.layers.Dense) else ("Filters", "Biases")
        names[f"{full}/{full}.{kernel}"] = layer.kernel
        if layer.use_bias:
            names[f"{full}/{full}.{bias}"] = layer.bias
    return names


class Generator32(keras.Model):
    """Noise and label -> 32x32 image, through conditional batch norm (`mnist`, `svhn`)."""

    def __init__(self, channels: int, labels: int, *, name: str, seed: int, dtype):
        super().__init__(name=name, dtype=dtype)
        options = dict(seed=seed, dtype=dtype)
        norm = dict(classes=labels, dtype=dtype)
        # The original's layer numbers: there is no 4.
        self.input_linear = affine.linear(NOISE, 128 * 4 * 4, name="Input", **options)
        self.norm1 = BatchStatisticsNorm(name="BN1", **norm)
        self.conv2 = affine.transposed_conv(128, 64, 5, name="2", **options)
        self.norm2 = BatchStatisticsNorm(name="BN2", **norm)
        self.conv3 = affine.transposed_conv(64, 32, 5, name="3", **options)
        self.norm3 = BatchStatisticsNorm(name="BN3", **norm)
        self.conv5 = affine.transposed_conv(32, channels, 5, name="5", **options)

    def parts(self):
        return [self.input_linear, self.norm1, self.conv2, self.norm2, self.conv3, self.norm3, self.conv5]

    def call(self, noise, labels, groups: int = 1):
        x = _to_feature_map(self.input_linear(noise), 128, 4)
        x = self.conv2(tf.nn.relu(self.norm1(x, labels, groups=groups)))
        x = self.conv3(tf.nn.relu(self.norm2(x, labels, groups=groups)))
        x = self.conv5(tf.nn.relu(self.norm3(x, labels, groups=groups)))
        return tf.tanh(tf.cast(x, _output_dtype(self)))


class Critic32(keras.Model):
    """32x32 image -> critic value and class logits, without normalisation."""

    def __init__(self, channels: int, labels: int, *, name: str, seed: int, dtype):
        super().__init__(name=name, dtype=dtype)
        options = dict(seed=seed, dtype=dtype)
        self.conv1 = affine.conv(channels, 32, 5, strides=2, name="1", **options)
        self.conv2 = affine.conv(32, 64, 5, strides=2, name="2", **options)
        self.conv3 = affine.conv(64, 128, 5, strides=2, name="3", **options)
        heads = dict(seed=seed, dtype=self.dtype_policy.variable_dtype)
        self.score = affine.linear(2048, 1, name="Output", **heads)
        self.logits = affine.linear(2048, labels, name="ACGANOutput", **heads)

    def parts(self):
        return [self.conv1, self.conv2, self.conv3, self.score, self.logits]

    def call(self, images):
        x = _leaky_relu(self.conv1(images))
        x = _leaky_relu(self.conv2(x))
        x = _leaky_relu(self.conv3(x))
        return _judge(self, x)


class Generator64(keras.Model):
    """Noise with the label's one-hot appended -> 64x64 image, residual (`lsun`)."""

    def __init__(self, channels: int, labels: int, *, name: str, seed: int, dtype):
        super().__init__(name=name, dtype=dtype)
        options = dict(seed=seed, dtype=dtype)
        self.labels = labels
        self.input_linear = affine.linear(NOISE + labels, 512 * 4 * 4, name="Input", **options)
        self.blocks = [UpBlock(inputs, outputs, name=f"Res{number}", **options)
                       for number, (inputs, outputs) in enumerate([(512, 512), (512, 256), (256, 128), (128, 64)], 1)]
        self.output_norm = BatchStatisticsNorm(name="OutputN", epsilon=1.001e-5, dtype=dtype)
        self.output_conv = affine.conv(64, channels, 3, name="Output", **options)

    def parts(self):
        blocks = [part for block in self.blocks for part in block.parts()]
        return [self.input_linear, *blocks, self.output_norm, self.output_conv]

    def call(self, noise, labels, groups: int = 1):
        one_hot = tf.one_hot(labels, self.labels, dtype=noise.dtype)
        x = _to_feature_map(self.input_linear(tf.concat([noise, one_hot], axis=1)), 512, 4)
        for block in self.blocks:
            x = block(x, groups=groups)
        x = self.output_conv(tf.nn.relu(self.output_norm(x, groups=groups)))
        return tf.tanh(tf.cast(x, _output_dtype(self)))


class Critic64(keras.Model):
    """64x64 image -> critic value and class logits, residual, with layer norm."""

    def __init__(self, channels: int, labels: int, *, name: str, seed: int, dtype):
        super().__init__(name=name, dtype=dtype)
        options = dict(seed=seed, dtype=dtype)
        self.input_conv = affine.conv(channels, 64, 3, he=False, name="Input", **options)
        self.blocks = [DownBlock(inputs, outputs, name=f"Res{number}", **options)
                       for number, (inputs, outputs) in enumerate([(64, 128), (128, 256), (256, 512), (512, 512)], 1)]
        heads = dict(seed=seed, dtype=self.dtype_policy.variable_dtype)
        self.score = affine.linear(8192, 1, name="Output", **heads)
        self.logits = affine.linear(8192, labels, name="ACGANOutput", **heads)

    def parts(self):
        blocks = [part for block in self.blocks for part in block.parts()]
        return [self.input_conv, *blocks, self.score, self.logits]

    def call(self, images):
        x = self.input_conv(images)
        for block in self.blocks:
            x = block(x)
        return _judge(self, x)


def _judge(critic: keras.Model, features: tf.Tensor) -> Judgement:
    flat = tf.cast(_flatten_channel_first(features), _output_dtype(critic))
    return Judgement(critic.score(flat)[:, 0], critic.logits(flat))


def build_generator(data: DataSet, *, name: str = "generator", seed: int = 0, dtype="float32") -> keras.Model:
    """A generator with weights: (noise [n, 128], labels int32 [n], groups) -> images [n, side, side, channels]."""
    kind = Generator32 if data.side == 32 else Generator64
    model = kind(data.channels, data.labels, name=name, seed=seed, dtype=dtype)
    model(tf.zeros([1, NOISE], model.dtype_policy.variable_dtype), tf.zeros([1], tf.int32))
    return model


def build_critic(data: DataSet, *, name: str = "critic", seed: int = 0, dtype="float32") -> keras.Model:
    """A critic with weights: images [n, side, side, channels] -> Judgement."""
    kind = Critic32 if data.side == 32 else Critic64
    model = kind(data.channels, data.labels, name=name, seed=seed, dtype=dtype)
    model(tf.zeros([1, data.side, data.side, data.channels], model.dtype_policy.variable_dtype))
    return model


def build_networks(data: DataSet, *, replay: bool = True, solver: bool = False, seed: int = 0,
                   dtype="float32") -> Networks:
    """The networks of a run. Generator and copy draw their initial weights independently, as in the original."""
    def build(function, name, offset):
        return function(data, name=name, seed=seed + offset, dtype=dtype)

    return Networks(
        generator=build(build_generator, "generator", 0),
        critic=build(build_critic, "critic", 1),
        replay=build(build_generator, "replay", 2) if replay else None,
        # A critic's class head makes a classifier.
        solver=build(build_critic, "solver", 3) if solver else None,
        replay_solver=build(build_critic, "replay_solver", 4) if solver else None,
    )


def networks_of(config: Config) -> Networks:
    """Those that a run with these settings has."""
    return build_networks(config.data, replay=not config.joint, solver=config.generative_replay, seed=config.seed,
                          dtype=config.precision)


def tf1_variables(networks: Networks) -> dict[str, keras.Variable]:
    """What a checkpoint holds: every network variable under its TF1 name, the solver under names of that style."""
    scopes = {"generator": "New.Generator", "critic": "Discriminator", "replay": "Old.Generator", "solver": "Solver",
              "replay_solver": "Old.Solver"}
    return {name: variable for kind, network in networks.present().items()
            for name, variable in tf1_names(network, scopes[kind]).items()}


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give `target` the values of every variable of `source`, layer by layer."""
    for ours, theirs in zip(target.variables, source.variables, strict=True):
        ours.assign(theirs)
