"""The memory against a slow recomputation in float64, and its defined outcomes."""

import numpy as np
import pytest
import tensorflow as tf

from memorygan import memory
from memorygan.memory import Memory, MemoryState


def random_state(slots: int, size: int, seed: int = 0, real=None) -> MemoryState:
    random = np.random.RandomState(seed)
    keys = random.standard_normal((slots, size))
    values = random.randint(0, 2, slots) if real is None else np.full(slots, real)
    return MemoryState(*(tf.constant(field.astype(np.float32)) for field in (
        keys / np.linalg.norm(keys, axis=1, keepdims=True), values, random.permutation(slots),
        random.uniform(0.2, 2.0, slots))))


def updated(*arguments, **options) -> memory.Update:
    return memory.read_and_update(*arguments, **options)[1]


def slow_update(state: MemoryState, queries, labels, choose_k: int, rule: str, iterations: int):
    """The update query by query and slot by slot, in float64; returns the four arrays and who was reset."""
    keys, values, ages, histogram = (np.asarray(field, np.float64) for field in state)
    after = [field.copy() for field in (keys, values, ages + 1, histogram)]
    slots = len(values)
    k = min(choose_k, slots)
    by_age = sorted(range(slots), key=lambda i: (-ages[i], i))
    resets = []
    for b, (query, label) in enumerate(zip(np.asarray(queries, np.float64), labels)):
        q = query / np.linalg.norm(query)
        similarity = keys @ q
        score = (histogram + 1e-8) * np.exp(similarity - 1)
        reset = values[np.argmax(score)] != label
        resets.append(reset)
        conditioned = (histogram + 1e-8) * np.exp(similarity - 2 * np.abs(label - values) - 1)
        chosen = sorted(range(slots), key=lambda i: (-conditioned[i], i))[:1 if rule == "kaiser" else k]
        if reset:
            oldest = by_age[b] if k >= 64 else by_age[0]
            for array, new in zip(after, (q, label, 0.0, histogram.mean())):
                array[oldest] = new
            continue
        key, hist = keys[chosen].copy(), 0.5 * histogram[chosen]
        if rule == "kaiser":
            key, hist = key + q, hist + 1.0
            key /= np.linalg.norm(key, axis=1, keepdims=True)
        else:
            previous = np.zeros(len(chosen))
            for _ in range(iterations):
                joint = np.exp(key @ q - 1) * (hist + 1e-8)
                posterior = joint / joint.sum()
                hist = hist + (posterior - previous).sum()
                rate = ((posterior - previous) / hist)[:, None]
                key = key * (1 - rate) + q * rate
                key /= np.linalg.norm(key, axis=1, keepdims=True)
                previous = posterior
        # A slot's last writer decides all of it, its value included.
        for array, new in zip(after, (key, values[chosen], 0.0, hist)):
            array[chosen] = new
    return after, np.array(resets)


CASES = [(8, 40, 6, "em", 1), (8, 40, 6, "em", 4), (8, 40, 6, "kaiser", 1), (10, 90, 70, "em", 2),
         (10, 90, 70, "kaiser", 1), (30, 12, 5, "em", 1)]


@pytest.mark.parametrize("batch, slots, choose_k, rule, iterations", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_update_equals_the_slow_one(batch, slots, choose_k, rule, iterations, seed):
    state = random_state(slots, 5, seed)
    random = np.random.RandomState(100 + seed)
    queries = (3 * random.standard_normal((batch, 5))).astype(np.float32)
    labels = random.randint(0, 2, batch).astype(np.float32)
    expected, resets = slow_update(state, queries, labels, choose_k, rule, iterations)
    got = updated(state, tf.constant(queries), tf.constant(labels), choose_k, rule=rule, iterations=iterations)
    np.testing.assert_array_equal(got.reset, resets)
    for name, ours, theirs in zip(MemoryState._fields, got.state, expected):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6, err_msg=name)


def test_cases_hold_what_they_are_meant_to_test():
    """Both outcomes of a query, and slots that several queries write."""
    state, random = random_state(40, 5), np.random.RandomState(100)
    queries, labels = random.standard_normal((8, 5)).astype(np.float32), random.randint(0, 2, 8).astype(np.float32)
    update = updated(state, tf.constant(queries), tf.constant(labels), 6)
    assert 0 < update.reset.numpy().sum() < 8
    rows = [set(row) for row in update.slots.numpy()]
    assert sum(len(row) for row in rows) > len(set.union(*rows))


@pytest.mark.full
def test_compiled_update_is_the_same():
    state = random_state(40, 5)
    queries, labels = tf.random.stateless_normal([20, 5], [1, 2]), tf.ones([20])
    plain = updated(state, queries, labels, 6).state
    compiled = tf.function(lambda *inputs: updated(MemoryState(*inputs[:4]), *inputs[4:], 6).state,
                           jit_compile=True)(*state, queries, labels)
    for ours, theirs in zip(compiled, plain):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_more_queries_than_slots_share_the_oldest_slots():
    state = random_state(70, 4, real=0.0)
    update = updated(state, tf.random.stateless_normal([100, 4], [0, 0]), tf.ones([100]), 70)
    assert update.reset.numpy().all()
    np.testing.assert_array_equal(update.state.values, np.ones(70))


def test_probability_is_one_where_all_neighbours_are_real():
    reading = memory.read(random_state(30, 4, real=1.0), tf.random.stateless_normal([5, 4], [0, 0]), 8)
    np.testing.assert_allclose(reading.probability, np.ones(5), rtol=1e-6)
    np.testing.assert_allclose(tf.reduce_sum(reading.posterior, axis=1), np.ones(5), rtol=1e-6)


def test_reading_does_not_depend_on_the_length_of_a_query():
    state, queries = random_state(30, 4), tf.random.stateless_normal([5, 4], [0, 0])
    np.testing.assert_allclose(memory.read(state, queries, 8).probability,
                               memory.read(state, 7.0 * queries, 8).probability, rtol=1e-5)


def test_read_and_update_reads_the_state_before():
    state, queries = random_state(30, 4), tf.random.stateless_normal([5, 4], [0, 0])
    reading, _ = memory.read_and_update(state, queries, tf.ones([5]), 8)
    np.testing.assert_array_equal(reading.probability, memory.read(state, queries, 8).probability)


def test_nothing_flows_back_through_an_updated_memory():
    state, queries = random_state(30, 4), tf.random.stateless_normal([5, 4], [0, 0])
    with tf.GradientTape() as tape:
        tape.watch(queries)
        total = tf.add_n([tf.reduce_sum(field) for field in updated(state, queries, tf.ones([5]), 8).state])
    assert tape.gradient(total, queries) is None


def test_log_likelihood_of_a_single_slot():
    keys = tf.constant([[1.0, 0.0], [0.0, 1.0]])
    state = MemoryState(keys, tf.constant([1.0, 0.0]), tf.zeros([2]), tf.constant([3.0, 5.0]))
    got = memory.log_likelihood(state, tf.constant([[2.0, 0.0], [0.0, 3.0]]))
    # Only the real slot counts: exp(1 - 1) and exp(0 - 1) over sqrt(2 pi).
    np.testing.assert_allclose(got, np.array([0.0, -1.0]) - 0.5 * np.log(2 * np.pi), rtol=1e-5)


def test_posterior_and_prior_are_distributions():
    state = random_state(30, 4)
    np.testing.assert_allclose(tf.reduce_sum(memory.categorical_prior(state)), 1.0, rtol=1e-6)
    full = memory.posterior(state, tf.random.stateless_normal([5, 4], [0, 0]))
    np.testing.assert_allclose(tf.reduce_sum(full, axis=1), np.ones(5), rtol=1e-6)
    assert full.shape == (5, 30)


def test_slots_are_sampled_in_proportion_to_histogram_and_value():
    state = random_state(50, 4)
    weights = np.asarray(state.histogram) * np.asarray(state.values)
    count = 200_000
    drawn = np.bincount(memory.sample_slots(state, tf.random.stateless_uniform([count], [3, 4])), minlength=50)
    expected = count * weights / weights.sum()
    assert (drawn[expected == 0] == 0).all()
    real = expected > 0
    # Chi-squared of about 25 degrees of freedom: 80 has a probability below 1e-6.
    assert np.sum((drawn[real] - expected[real]) ** 2 / expected[real]) < 80


@pytest.mark.parametrize("uniform", [0.0, np.float32(1 - 2**-24)])
def test_the_ends_of_the_unit_interval_give_real_slots(uniform):
    state = random_state(50, 4)
    values = np.asarray(state.values).copy()
    values[[0, -1]] = 0.0
    (slot,) = memory.sample_slots(state._replace(values=tf.constant(values)), tf.constant([uniform])).numpy()
    assert values[slot] == 1.0


def test_without_real_slots_the_histogram_alone_decides():
    state = random_state(50, 4, real=0.0)
    drawn = memory.sample_slots(state, tf.random.stateless_uniform([1000], [3, 4])).numpy()
    assert drawn.min() >= 0 and drawn.max() < 50 and len(set(drawn)) > 40
    assert np.isnan(memory.slot_probabilities(state)).all()


def test_the_holder_starts_as_the_original_and_trains_nothing():
    holder = Memory(10, 3)
    keys, values, ages, histogram = holder.state()
    np.testing.assert_array_equal(keys, np.zeros((10, 3)))
    np.testing.assert_array_equal(values, [1] * 5 + [0] * 5)
    np.testing.assert_array_equal(ages, np.zeros(10))
    np.testing.assert_array_equal(histogram, np.full(10, 1e-5, np.float32))
    assert not holder.trainable_variables and len(holder.variables) == 4
    new = random_state(10, 3)
    holder.assign(new)
    np.testing.assert_array_equal(holder.state().keys, new.keys)
    assert list(memory.tf1_variables(holder)) == ["memkeys", "memvals", "memage", "memory_hist"]


@pytest.mark.parametrize("slots, choose_k", [(1024, 8), (1024, 16), (1024, 3), (1000, 3), (1024, 17)])
def test_neighbours_of_a_large_memory_are_the_best_and_the_lowest_among_equals(slots, choose_k):
    """Blocks are looked at first where they are worth it; rounded values make ties, within and between them."""
    random = np.random.RandomState(0)
    similarities = (random.randint(0, 40, (64, slots)) / 40).astype(np.float32)
    similarities[0] = 0.0  # as an empty memory's
    state = random_state(slots, 2)._replace(histogram=tf.ones([slots]))
    expected = np.argsort(-similarities, axis=1, kind="stable")[:, :choose_k]
    np.testing.assert_array_equal(memory.neighbours(state, tf.constant(similarities), choose_k), expected)
