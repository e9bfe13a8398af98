"""Cost terms that several systems use: pure functions of scores, logits and images, each a scalar."""

import tensorflow as tf


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean softmax cross-entropy of logits [n, classes] against integer labels [n]."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Share of logits [n, classes] whose first maximum is the integer label [n]."""
    hits = tf.equal(tf.argmax(logits, axis=-1, output_type=labels.dtype), labels)
    return tf.reduce_mean(tf.cast(hits, logits.dtype))


def interpolate(real: tf.Tensor, fake: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Points x + alpha (f - x) between images [n, h, w, c], one weight alpha [n, 1] per sample."""
    return real + tf.reshape(alpha, [-1, 1, 1, 1]) * (fake - real)


def gradient_penalty(score, points: tf.Tensor) -> tf.Tensor:
    """mean (|d score / d point| - 1)^2 over points [n, h, w, c] (Gulrajani et al. 2017, eq. 3, without its factor).

    Args:
      score: function from points to critic values [n].
      points: where the slope is measured. The norm runs over all pixels and channels, with nothing under the root.
    """
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = tf.reduce_sum(score(points))
    slopes = tf.sqrt(tf.reduce_sum(tf.square(tape.gradient(total, points)), axis=[1, 2, 3]))
    return tf.reduce_mean(tf.square(slopes - 1.0))


def quadratic_penalty(values, anchors, importance) -> tf.Tensor:
    """EWC's penalty on leaving the anchors, 1/2 sum of importance * (value - anchor)^2 (Kirkpatrick et al. 2017).

    Args:
      values, anchors, importance: a tensor of each for every weight, in the same order.
    """
    terms = [tf.reduce_sum(weight * tf.square(value - anchor))
             for value, anchor, weight in zip(values, anchors, importance, strict=True)]
    return 0.5 * tf.add_n(terms)
