"""The MNIST critic step as one would write it for itself: plain ops and variables, in one function.

No Keras and nothing of this project: what `lib.mergan` is held against. Only kernels and images are rounded to the
compute dtype, as there.
"""

import math

import tensorflow as tf

_RATE, _BETA_2, _EPSILON = 1e-4, 0.9, 1e-8
_PENALTY_FACTOR = 10.0
_CLASSES = 10


def _variable(seed: int, *shape: int) -> tf.Variable:
    deviation = 1.0 / math.sqrt(math.prod(shape[:-1]))
    return tf.Variable(deviation * tf.random.stateless_normal(shape, [seed, 0]))


def _zeros(*shape: int) -> tf.Variable:
    return tf.Variable(tf.zeros(shape))


def generator_weights() -> list[tf.Variable]:
    """Dense layer, then three times batch norm (offsets and scales per class) and transposed convolution."""
    weights = [_variable(0, 128, 2048), _zeros(2048)]
    for seed, inputs, outputs in ((1, 128, 64), (2, 64, 32), (3, 32, 1)):
        weights += [_zeros(_CLASSES, inputs), tf.Variable(tf.ones([_CLASSES, inputs])),
                    _variable(seed, 5, 5, outputs, inputs), _zeros(outputs)]
    return weights


def critic_weights() -> list[tf.Variable]:
    """Three convolutions, then the heads of the score and of the classes."""
    weights = []
    for seed, inputs, outputs in ((4, 1, 32), (5, 32, 64), (6, 64, 128)):
        weights += [_variable(seed, 5, 5, inputs, outputs), _zeros(outputs)]
    return weights + [_variable(7, 2048, 1), _zeros(1), _variable(8, 2048, _CLASSES), _zeros(_CLASSES)]


def generate(weights, noise, labels, dtype) -> tf.Tensor:
    """Images float32 [n, 32, 32, 1] of noise [n, 128]."""
    kernel, bias, *layers = weights
    x = tf.reshape(tf.matmul(tf.cast(noise, dtype), tf.cast(kernel, dtype)) + tf.cast(bias, dtype), [-1, 4, 4, 128])
    while layers:
        offset, scale, kernel, bias, *layers = layers
        x = tf.cast(x, tf.float32)
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        factor = tf.math.rsqrt(variance + 1e-5) * tf.gather(scale, labels)
        x = tf.nn.relu(x * factor[:, None, None] + (tf.gather(offset, labels) - mean * factor)[:, None, None])
        shape = [x.shape[0], 2 * x.shape[1], 2 * x.shape[2], kernel.shape[2]]
        x = tf.nn.conv2d_transpose(tf.cast(x, dtype), tf.cast(kernel, dtype), shape, 2) + tf.cast(bias, dtype)
    return tf.tanh(tf.cast(x, tf.float32))


def judge(weights, images, dtype) -> tuple[tf.Tensor, tf.Tensor]:
    """(critic values [n], class logits [n, 10])."""
    *convolutions, score, score_bias, logits, logits_bias = weights
    x = tf.cast(images, dtype)
    for kernel, bias in zip(convolutions[::2], convolutions[1::2]):
        x = tf.nn.bias_add(tf.nn.conv2d(x, tf.cast(kernel, dtype), 2, "SAME"), tf.cast(bias, dtype))
        # Of tf.nn.leaky_relu the gradient reads a sum that TensorFlow's remapper fuses away: it fails, fusing nothing.
        x = tf.maximum(0.2 * x, x)
    x = tf.cast(tf.reshape(x, [-1, 2048]), tf.float32)
    return (x @ score + score_bias)[:, 0], x @ logits + logits_bias


def make_step(dtype=tf.float32, generator=None, critic=None, jit: bool = False):
    """A function (images [n, 32, 32, 1], labels [n], noise [n, 128], alpha [n, 1]) -> the critic's cost."""
    generator, critic = generator or generator_weights(), critic or critic_weights()
    squares = [tf.Variable(tf.zeros_like(weight)) for weight in critic]
    steps = tf.Variable(0.0)

    @tf.function(jit_compile=jit)
    def step(images, labels, noise, alpha):
        fake = generate(generator, noise, labels, dtype)
        points = images + alpha[:, None, None] * (fake - images)
        with tf.GradientTape() as outer:
            scores, logits = judge(critic, tf.concat([fake, images], 0), dtype)
            with tf.GradientTape() as inner:
                inner.watch(points)
                total = tf.reduce_sum(judge(critic, points, dtype)[0])
            slopes = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(total, points)), [1, 2, 3]))
            fake_scores, real_scores = tf.split(scores, 2)
            classes = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.split(logits, 2)[1])
            cost = (tf.reduce_mean(fake_scores) - tf.reduce_mean(real_scores) + tf.reduce_mean(classes)
                    + _PENALTY_FACTOR * tf.reduce_mean(tf.square(slopes - 1.0)))
        steps.assign_add(1.0)
        rate = _RATE * tf.sqrt(1.0 - _BETA_2 ** steps)
        for weight, square, gradient in zip(critic, squares, outer.gradient(cost, critic)):
            # Adam; beta_1 is 0, so the first moment is the gradient itself.
            square.assign(_BETA_2 * square + (1.0 - _BETA_2) * tf.square(gradient))
            weight.assign_sub(rate * gradient / (tf.sqrt(square) + _EPSILON))
        return cost

    return step
