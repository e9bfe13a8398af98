"""The life-long memory of the discriminator: a mixture of von Mises-Fisher clusters (section 3.1 of the paper).

Slot i holds a key K_i (mean direction of its cluster), a value v_i (1: real images, 0: generated ones), an age a_i
(queries since it was last written) and a histogram entry h_i (effective number of queries it stands for). The state is
a value: reading and updating are pure functions of it, and only `Memory.assign` changes variables.
"""

import math
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

ALPHA = 0.5  # decay of the histogram in the posterior
BETA = 1e-8  # smoothing of the histogram
WRONG_CLASS = 2.0  # what the similarity loses when a slot's value is not the query's label
# From this many neighbours on, the original gives every query of a batch an oldest slot of its own.
OWN_OLDEST_FROM = 64
_BLOCK = 16
_WORTH_BLOCKS = 4  # from so many times as many blocks as are chosen, choosing blocks first takes half the time


class MemoryState(NamedTuple):
    """All slots; N slots of keys with M elements, in float32 at least."""

    keys: tf.Tensor  # [N, M], unit vectors, or zero before a slot's first writing
    values: tf.Tensor  # [N], 0 or 1
    ages: tf.Tensor  # [N], whole numbers
    histogram: tf.Tensor  # [N], positive


class Reading(NamedTuple):
    """What the memory says of B queries."""

    probability: tf.Tensor  # [B], p(y = 1 | x), the paper's eq. 4
    slots: tf.Tensor  # int32 [B, k], the neighbours, best first
    posterior: tf.Tensor  # [B, k], p(c | x) over these neighbours


class Update(NamedTuple):
    """The state after B queries were learned, and where they went."""

    state: MemoryState
    slots: tf.Tensor  # int32 [B, k], the slots each query wrote
    reset: tf.Tensor  # bool [B], whether a query replaced the oldest slot instead of training its neighbours


def initial_state(slots: int, key_dim: int, dtype=tf.float32) -> MemoryState:
    """Zero keys, a histogram of 1e-5, and half of the slots real, as the original starts."""
    return MemoryState(
        keys=tf.zeros([slots, key_dim], dtype),
        values=tf.cast(tf.range(slots) < slots // 2, dtype),
        ages=tf.zeros([slots], dtype),
        histogram=tf.fill([slots], tf.constant(1e-5, dtype)),
    )


def normalise(vectors: tf.Tensor) -> tf.Tensor:
    """Rows scaled to length 1; rows shorter than 1e-6 are scaled as if they had that length."""
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-12)


def neighbours(state: MemoryState, similarities: tf.Tensor, choose_k: int) -> tf.Tensor:
    """int32 [B, k]: the slots of the largest p(x | c) p(c) (eq. 3), best first, lower slots first among equals."""
    score = (state.histogram + BETA) * tf.exp(similarities - 1.0)
    return _best(score, min(choose_k, state.histogram.shape[0]))


def _best(score: tf.Tensor, count: int) -> tf.Tensor:
    """int32 [B, count]: columns of the largest values of [B, N], best first, lower columns first among equals.

    Of a large memory, the columns are looked for in the `count` blocks of neighbouring columns with the largest maxima
    (lower blocks first among equals), which hold them: every other block's maximum is at most the smallest of theirs.
    """
    slots = score.shape[1]
    if slots % _BLOCK or slots < _WORTH_BLOCKS * _BLOCK * count:
        return tf.math.top_k(score, k=count).indices
    blocks = tf.reshape(score, [-1, slots // _BLOCK, _BLOCK])
    best = tf.sort(tf.math.top_k(tf.reduce_max(blocks, axis=2), k=count, sorted=False).indices, axis=1)
    candidates = tf.reshape(tf.gather(blocks, best, batch_dims=1), [-1, count * _BLOCK])
    found = tf.math.top_k(candidates, k=count).indices
    return _BLOCK * tf.gather(best, found // _BLOCK, batch_dims=1) + found % _BLOCK


def penalised(state: MemoryState, similarities: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Similarities [B, N] of the label-conditioned posterior: other slots lose `WRONG_CLASS`, none is excluded."""
    wrong = tf.minimum(1.0, tf.abs(labels[:, None] - state.values[None, :]))
    return similarities - WRONG_CLASS * wrong


def read(state: MemoryState, queries: tf.Tensor, choose_k: int) -> Reading:
    """Ask the memory about queries [B, M] of any length. Its gradient flows through the queries only.

    Alone it serves the tests, the golden check among them; a step calls `read_and_update`.
    """
    unit = normalise(queries)
    return _read(state, unit, _similarities(state, unit), choose_k)


def _similarities(state: MemoryState, unit: tf.Tensor) -> tf.Tensor:
    """Cosines [B, N] of unit queries [B, M] and all keys, without gradient."""
    # In this order, as keys are by far the larger factor, the product takes two thirds of the time.
    return tf.transpose(tf.matmul(state.keys, tf.stop_gradient(unit), transpose_b=True))


def _read(state: MemoryState, unit: tf.Tensor, similarities: tf.Tensor, choose_k: int) -> Reading:
    slots = neighbours(state, similarities, choose_k)
    likelihood = tf.exp(_similarities_of(state, unit, similarities, slots) - 1.0)
    joint = likelihood * (ALPHA * tf.gather(state.histogram, slots) + BETA)
    posterior = joint / tf.reduce_sum(joint, axis=1, keepdims=True)
    return Reading(tf.reduce_sum(posterior * tf.gather(state.values, slots), axis=1), slots, posterior)


def _similarities_of(state: MemoryState, unit: tf.Tensor, similarities: tf.Tensor, slots: tf.Tensor) -> tf.Tensor:
    """Cosines [B, k] of each query with its `slots`, whose gradient by the query meets the keys of these slots only."""

    @tf.custom_gradient
    def chosen(unit):
        return (tf.gather(similarities, slots, batch_dims=1),
                lambda upstream: tf.einsum("bk,bkm->bm", upstream, tf.gather(state.keys, slots)))

    return chosen(unit)


def read_and_update(state: MemoryState, queries: tf.Tensor, labels: tf.Tensor, choose_k: int, *, rule: str = "em",
                    iterations: int = 1) -> tuple[Reading, Update]:
    """`read`, and on the same state learn queries [B, M] of any length with labels [B] in {0, 1} (section 3.1.2).

    A query whose single best slot has the wrong value replaces the oldest slot; any other trains its k best slots
    given its label. Where several queries of a batch write one slot, the last one has it: key, value and histogram
    come from that query alone, on every device.

    Args:
      rule: "em", the incremental EM of eq. 5 over `iterations` rounds; "kaiser", Kaiser et al.'s rule for the single
        best slot (the paper's "- EM").
    """
    unit = normalise(queries)
    similarities = _similarities(state, unit)
    reading = _read(state, unit, similarities, choose_k)
    unit = tf.stop_gradient(unit)
    # The original looks at one slot only; the paper asks that none of the k has the label.
    reset = tf.not_equal(tf.gather(state.values, reading.slots[:, 0]), labels)
    slots = neighbours(state, penalised(state, similarities, labels), 1 if rule == "kaiser" else choose_k)
    oldest = tf.broadcast_to(_oldest(state, labels.shape[0], choose_k)[:, None], slots.shape)
    replaced = tf.broadcast_to(reset[:, None], slots.shape)
    targets = tf.where(replaced, oldest, slots)
    written = _written(state, targets)
    # Under EM with one slot the posterior is 1 and the histogram gains 1; Kaiser's rule differs in the key alone.
    train = _kaiser if rule == "kaiser" else _expectation_maximisation
    key_weight, query_weight, histogram = train(state, unit, tf.gather(similarities, slots, batch_dims=1), slots,
                                                written, iterations)
    rows = _Rows(
        key_weight=tf.where(replaced, 0.0, key_weight),
        query_weight=tf.where(replaced, 1.0, query_weight),
        value=tf.where(replaced, labels[:, None], tf.gather(state.values, slots)),
        histogram=tf.where(replaced, tf.reduce_mean(state.histogram), histogram),
    )
    return reading, Update(_write(state, unit, written, rows), targets, reset)


class _Written(NamedTuple):
    """The U slots that a batch writes: all that an update touches of the keys."""

    slots: tf.Tensor  # [U], ascending
    rows: tf.Tensor  # int32 [U], which of the B * k rows has the slot
    keys: tf.Tensor  # [U, M], before


def _written(state: MemoryState, targets: tf.Tensor) -> _Written:
    """Slots `targets` int32 [B, k] are to be written, and the last row of a slot has it.

    A maximum over row numbers finds that row, which no order of execution can change.
    """
    row = tf.math.unsorted_segment_max(tf.range(tf.size(targets)), tf.reshape(targets, [-1]), state.values.shape[0])
    slots = tf.where(row >= 0)[:, 0]
    return _Written(slots, tf.gather(row, slots), tf.gather(state.keys, slots))


class _Rows(NamedTuple):
    """What each query writes into each of its slots [B, k]; the key is key_weight K + query_weight q, normalised."""

    key_weight: tf.Tensor
    query_weight: tf.Tensor
    value: tf.Tensor
    histogram: tf.Tensor


def _expectation_maximisation(state, unit, similarities, slots, written, iterations):
    """Eq. 5 for unit queries [B, M] with their slots' similarities [B, k].

    A key only ever moves within the plane of itself and its query, so two weights per slot carry it through the
    rounds, and no [B, k, M] keys are gathered. What comes out for the slots of a query that replaces the oldest one
    is not used, nor are they all among the written ones.
    """
    histogram = ALPHA * tf.gather(state.histogram, slots)
    squares = _put(tf.zeros_like(state.values), written.slots, tf.reduce_sum(tf.square(written.keys), axis=1))
    key_square = tf.gather(squares, slots)
    query_square = tf.reduce_sum(tf.square(unit), axis=1, keepdims=True)
    key_weight, query_weight = tf.ones_like(similarities), tf.zeros_like(similarities)
    previous = tf.zeros_like(similarities)
    for _ in range(iterations):
        cosine = key_weight * similarities + query_weight * query_square
        joint = tf.exp(cosine - 1.0) * (histogram + BETA)
        posterior = joint / tf.reduce_sum(joint, axis=1, keepdims=True)
        # Every slot gains the sum over all k: one in the first round and nothing later. The paper adds its own share.
        histogram += tf.reduce_sum(posterior - previous, axis=1, keepdims=True)
        rate = (posterior - previous) / histogram
        key_weight, query_weight = key_weight * (1.0 - rate), query_weight * (1.0 - rate) + rate
        length = (tf.square(key_weight) * key_square + 2.0 * key_weight * query_weight * similarities
                  + tf.square(query_weight) * query_square)
        scale = tf.math.rsqrt(tf.maximum(length, 1e-12))
        key_weight, query_weight, previous = key_weight * scale, query_weight * scale, posterior
    return key_weight, query_weight, histogram


def _kaiser(state, unit, similarities, slots, written, iterations):
    """K <- (K + q) / |K + q|; the histogram as under EM with a single slot."""
    ones = tf.ones_like(similarities)
    return ones, ones, ALPHA * tf.gather(state.histogram, slots) + 1.0


def _oldest(state: MemoryState, batch: int, choose_k: int) -> tf.Tensor:
    """int32 [B]: the slot each query would replace, lower slots first among equals."""
    slots = state.ages.shape[0]
    if min(choose_k, slots) < OWN_OLDEST_FROM:
        return tf.repeat(tf.argmax(state.ages, output_type=tf.int32), batch)
    oldest = tf.math.top_k(state.ages, k=min(batch, slots)).indices
    return tf.gather(oldest, tf.range(batch) % slots)


def _write(state: MemoryState, unit: tf.Tensor, written: _Written, rows: _Rows) -> MemoryState:
    """The state with all slots a step older and the written ones as their rows [B, k] say."""
    width = rows.value.shape[1]

    def of_row(quantity):
        return tf.gather(tf.reshape(quantity, [-1]), written.rows)

    moved = (of_row(rows.key_weight)[:, None] * written.keys
             + of_row(rows.query_weight)[:, None] * tf.gather(unit, written.rows // width))
    return MemoryState(
        keys=_put(state.keys, written.slots, normalise(moved)),
        values=_put(state.values, written.slots, of_row(rows.value)),
        ages=_put(state.ages + 1.0, written.slots, tf.zeros_like(written.slots, state.ages.dtype)),
        histogram=_put(state.histogram, written.slots, of_row(rows.histogram)),
    )


def _put(field: tf.Tensor, slots: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """A field of the state with these values in `slots`, which differ from each other."""
    return tf.tensor_scatter_nd_update(field, slots[:, None], values)


def log_likelihood(state: MemoryState, queries: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
    """Biased log-likelihood [B] of queries [B, M] under the real slots, log p~(x | y = 1) (fig. 3a).

    With labels the similarities are the label-conditioned ones, which is what the original leaves after an update; only
    the golden check asks for that.
    """
    similarities = _similarities(state, normalise(queries))
    if labels is not None:
        similarities = penalised(state, similarities, labels)
    weights = state.histogram * state.values + BETA
    densities = tf.exp(similarities - 1.0) / math.sqrt(2.0 * math.pi)
    return tf.math.log(tf.linalg.matvec(densities, weights / tf.reduce_sum(weights)))


def posterior(state: MemoryState, queries: tf.Tensor) -> tf.Tensor:
    """p(c | x) [B, N] over all slots (eq. 1), for the interpretation figures."""
    similarities = _similarities(state, normalise(queries))
    joint = (state.histogram + BETA) * tf.exp(similarities - 1.0)
    return joint / tf.reduce_sum(joint, axis=1, keepdims=True)


def categorical_prior(state: MemoryState) -> tf.Tensor:
    """p(c) [N], the normalised histogram."""
    return (state.histogram + BETA) / tf.reduce_sum(state.histogram + BETA)


def slot_probabilities(state: MemoryState) -> tf.Tensor:
    """p(c | v_c = 1) [N], what the generator's slots are drawn from; NaN when no slot is real, as in the original."""
    weights = state.histogram * state.values
    return weights / tf.reduce_sum(weights)


def effective_share(probabilities: np.ndarray) -> float:
    """Perplexity of probabilities [N] of the slots as a share of them: 1 if all are as probable."""
    shares = probabilities.astype(np.float64)
    logarithms = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return float(np.exp(-np.sum(shares * logarithms)) / len(shares))


def sample_slots(state: MemoryState, uniform: tf.Tensor) -> tf.Tensor:
    """Slots int32 [B] drawn from `slot_probabilities` with uniform numbers [B] in [0, 1).

    Without a single real slot, from all slots by their histogram (the original's behaviour is undefined there).
    """
    weights = state.histogram * state.values
    weights = tf.where(tf.reduce_sum(weights) > 0.0, weights, state.histogram)
    cumulated = tf.cumsum(weights)
    # Strictly below the total, so that rounding cannot point behind the last slot of positive weight.
    points = tf.minimum(tf.cast(uniform, cumulated.dtype), 1.0 - 1e-6) * cumulated[-1]
    return tf.searchsorted(cumulated, points, side="right")


class Memory(keras.Model):
    """The variables that hold a state between steps; a model, so that Keras can write its weights to a file."""

    def __init__(self, slots: int, key_dim: int, *, dtype="float32"):
        super().__init__(name="memory", dtype=dtype)
        first = initial_state(slots, key_dim, self.variable_dtype)
        # Replicas that share a batch make the same update.
        self.slots = [self.add_weight(shape=value.shape, initializer="zeros", trainable=False, name=name,
                                      aggregation="only_first_replica")
                      for name, value in first._asdict().items()]
        self.built = True
        self.assign(first)

    def state(self) -> MemoryState:
        return MemoryState(*(variable.value for variable in self.slots))

    def assign(self, state: MemoryState) -> None:
        for variable, value in zip(self.slots, state, strict=True):
            variable.assign(value)


def tf1_variables(memory: Memory) -> dict[str, keras.Variable]:
    """The memory under the names of the original's checkpoints."""
    return dict(zip(("memkeys", "memvals", "memage", "memory_hist"), memory.slots, strict=True))
