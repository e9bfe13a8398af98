"""memoryGAN's networks, memory and losses, recomputed."""

from typing import Iterator

import numpy as np
import tensorflow as tf

from lib.ops import slim
from memorygan import losses as costs
from memorygan import memory
from memorygan import networks as nets
from memorygan.config import Config, make_config
from memorygan.data import preprocess
from memorygan.memory import MemoryState
from tests.golden import records
from tests.golden.records import EXACT, GRADIENTS, NOISE, OUTPUTS, Comparison, Document

_SETTINGS = ("model", "loss", "f_dim", "fc_dim", "key_dim", "z_dim", "mem_size", "choose_k", "lamb", "beta1", "beta2",
             "lr", "lr_decay")
_STATE = ("keys", "vals", "age", "hist")  # the files' names of a state's fields, in the port's order


def config_of(case: dict, **changes) -> Config:
    """The port's settings of a case."""
    given = case["config"]
    known = {name: given[name] for name in _SETTINGS if given.get(name) is not None}
    return make_config(given["dataset"], **{"batch_size": given["batch"], **known, **changes})


def inject(variables: dict, prefix: str, table) -> None:
    """Give {TF1 name: variable} the values of a case's table, name by name."""
    values = records.weights(prefix, table)
    if values.keys() != variables.keys():
        raise KeyError(f"variables {sorted(values.keys() ^ variables.keys())}")
    for name, value in values.items():
        variables[name].assign(value)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def state_of(given: dict) -> MemoryState:
    """The memory that a case's recipe describes."""
    slots, size, prefix = given.get("N", given.get("mem_size")), given.get("M", given.get("key_dim")), given["KP"]
    if given.get("initial_state") or given.get("cold_start"):
        return memory.initial_state(slots, size)
    centres = unit_rows(records.normal(f"{prefix}/centers", (given["C"], size)))
    noise = records.normal(f"{prefix}/keynoise", (slots, size)).astype(np.float64)
    keys = unit_rows(centres[np.arange(slots) * given["C"] // slots] + given["s"] * noise)
    number = np.arange(slots)
    real = slots // 2 if given.get("n_real") is None else given["n_real"]
    values = number % 2 == 0 if given["vals"] == "alternate" else number < real
    fields = (keys, values, records.stream(f"{prefix}/age").permutation(slots),
              records.uniform(f"{prefix}/hist", slots, given["hist_lo"], given["hist_hi"]))
    return MemoryState(*(tf.constant(field.astype(np.float32)) for field in fields))


class Case:
    """Builds comparisons of one case, whose records carry the case's name."""

    def __init__(self, document: Document, name: str):
        self.name, self.case = name, document["cases"][name]
        self.config = self.case["config"]

    def __call__(self, record: str, ours, tolerance=OUTPUTS, *, kind: str = "records", group: str = "", **stated):
        path = ("cases", self.name, kind, f"{self.name}/{record}")
        return Comparison(f"{self.name}{group and ': ' + group}", path, ours, tolerance, **stated)

    def beside(self, record: str, ours, tolerance=EXACT):
        """A record that stands in the case itself."""
        return Comparison(self.name, ("cases", self.name, record), ours, tolerance)

    def has(self, record: str, kind: str = "records") -> bool:
        return f"{self.name}/{record}" in self.case[kind]


# --- networks ---------------------------------------------------------------------------------------------------------


def network(document: Document, name: str) -> Iterator[Comparison]:
    case = Case(document, name)
    kind = case.config["network"]
    config = config_of(case.case, model="GAN" if kind in ("base_d", "base_g_z_only") else "MemoryGAN",
                       discriminator="base_d" if kind == "base_d" else "memory_d")
    generates = kind.startswith("base_g")
    model = nets.build_generator(config) if generates else nets.build_discriminator(config)
    variables = slim.tf1_names(model.parts(), "g_/" if generates else "d_/")
    (given,) = case.case["inputs"]
    low = 0 if given["dist"] == "uniform(0,1)" else -1
    batch = tf.constant(records.uniform(given["key"], given["shape"], low, 1))
    for mode in ("train", "test"):
        inject(variables, document["prefix"], case.case["variables"])
        output = model(batch, training=mode == "train")
        yield case(f"{mode}/out", output.values, group="outputs")
        slim.update_moving_averages(model.parts(), output.moments)
        names = {part.name.replace(".", "/") for part in model.parts() if part.name in output.moments}
        for variable_name, variable in variables.items():
            scope, _, path = variable_name.partition("/")
            if path.rpartition("/")[0] in names and "/moving_" in variable_name:
                yield case(f"{mode}/after/{variable_name}", variable.numpy(), group="moving averages")
        # An update for the mean and one for the variance.
        yield case.beside("update_ops" if mode == "train" else "update_ops_in_test_graph", 2 * len(output.moments))
    yield case.beside("variable_order", list(variables))


# --- memory -----------------------------------------------------------------------------------------------------------


def memories(document: Document, name: str) -> Iterator[Comparison]:
    case = Case(document, name)
    yield from _reading(case)
    yield from _learning(case)


def _queries(given: dict) -> np.ndarray:
    prefix, shape = given["KP"], (given["B"], given["M"])
    centres = unit_rows(records.normal(f"{prefix}/centers", (given["C"], given["M"])))
    scale = records.uniform(f"{prefix}/qscale", given["B"], 0.5, 3).astype(np.float64)[:, None]
    noise = records.normal(f"{prefix}/q", shape).astype(np.float64)
    return (scale * (centres[given["query_cluster"]] + given["sq"] * noise)).astype(np.float32)


def _reading(case: Case) -> Iterator[Comparison]:
    given = case.config
    state, queries = state_of(given), tf.constant(_queries(given))
    for name, field in zip(_STATE, state):
        yield case(f"before/{name}", field, group="reading")
    yield case("query_vec", queries, group="reading")
    weights = records.uniform(f"{given['KP']}/gw", given["B"], -1, 1)
    with tf.GradientTape() as tape:
        tape.watch(queries)
        reading = memory.read(state, queries, given["choose_k"])
        weighted = tf.reduce_sum(weights * reading.probability)
    slope = tape.gradient(weighted, queries).numpy()
    # Where all slots agree the probability is 1 whatever the query: its slope is rounding.
    constant = np.ptp(np.asarray(state.values)[reading.slots.numpy()]) == 0
    yield case("grad_query", slope, NOISE if constant else GRADIENTS, group="reading", noise=1.0 if constant else None)
    yield case("result", reading.probability, group="reading")
    yield case.beside("result_values", reading.probability.numpy().tolist(), OUTPUTS)
    labels = tf.constant(given["label"], tf.float32)
    yield case("lld_nolabel", memory.log_likelihood(state, queries), group="reading")
    yield case("lld_after_query", memory.log_likelihood(state, queries, labels), group="reading")
    yield case("sample_probs", memory.slot_probabilities(state), group="reading")
    yield case("get_histogram", memory.categorical_prior(state), group="reading")
    if case.has("q_normalised"):
        yield case("q_normalised", memory.normalise(queries), group="reading")
    if case.has("mean_hist_before", "scalars"):
        yield case("mean_hist_before", tf.reduce_mean(state.histogram), kind="scalars", group="reading")
    if case.has("topk_read", "ints"):
        yield case("topk_read", reading.slots.numpy(), EXACT, kind="ints", group="reading")


def _learn(given: dict, rows=slice(None)) -> memory.Update:
    labels = tf.constant(given["label"], tf.float32)[rows]
    return memory.read_and_update(state_of(given), tf.constant(_queries(given)[rows]), labels, given["choose_k"],
                                  iterations=given["n_iter"])[1]


def _learning(case: Case) -> Iterator[Comparison]:
    given = case.config
    before, update = state_of(given), _learn(given)
    state, reset = MemoryState(*(field.numpy() for field in update.state)), update.reset.numpy()
    yield case("reset", reset.astype(int), EXACT, kind="ints", group="learning")
    yield case("topk_update", _trained_slots(given), EXACT, kind="ints", group="learning")
    ages = np.asarray(before.ages)
    by_age = np.lexsort((np.arange(len(ages)), -ages))
    own = update.slots.shape[1] >= memory.OWN_OLDEST_FROM
    oldest = by_age[:given["B"]] if own else np.repeat(by_age[0], given["B"])
    # Rows that were reset show which slot the port took for the oldest.
    if not set(update.slots.numpy()[reset].ravel()) <= set(oldest):
        raise ValueError(f"{case.name}: a reset went to another slot than the oldest")
    yield from _oldest(case, oldest, reset, own)
    repeated = _written_more_than_once(update)
    yield case.beside("slots_written_by_more_than_one_query", _as_counted(case, update, oldest, reset, own))
    yield from _after(case, state, oldest if own else repeated)
    for slot in case.case.get("candidates", {}):
        yield from _candidates(case, slot, update)


def _trained_slots(given: dict) -> np.ndarray:
    """The slots that queries train where they are not reset, sorted per row; int [B, k]."""
    state, queries = state_of(given), tf.constant(_queries(given))
    similarities = memory.normalise(queries) @ tf.transpose(state.keys)
    penalised = memory.penalised(state, similarities, tf.constant(given["label"], tf.float32))
    return np.sort(memory.neighbours(state, penalised, given["choose_k"]).numpy())


def _oldest(case: Case, oldest, reset, own: bool) -> Iterator[Comparison]:
    """Which slots are the oldest, and which queries replace one.

    Where each query has an oldest slot of its own, the original lists them in no particular order.
    """
    ours = {"oldest": oldest, "oldest_set_sorted": np.sort(oldest), "reset_rows": np.flatnonzero(reset)}
    for name, value in ours.items():
        if case.has(name, "ints"):
            theirs = case.case["ints"][f"{case.name}/{name}"]
            same_set = own and sorted(theirs) == sorted(value.tolist())
            yield case(name, theirs if same_set else value, EXACT, kind="ints", group="learning")


def _as_counted(case: Case, update: memory.Update, oldest, reset, own: bool) -> int:
    """How many slots several queries write: what the case says, if some giving out of the oldest slots leads to it.

    Which of them each query gets is open. It matters where one of them is trained by just one query that was not
    reset: then a second query writes it or not.
    """
    ours = len(_written_more_than_once(update))
    known = case.case["ints"].get(f"{case.name}/oldest") if case.has("oldest", "ints") else None
    if not own or known == oldest.tolist():
        return ours
    trained = [slot for row in update.slots.numpy()[~reset] for slot in np.unique(row)]
    slots, counts = np.unique(trained, return_counts=True)
    shared, fixed = int(np.isin(oldest, slots[counts == 1]).sum()), int((counts > 1).sum())
    resets = int(reset.sum())
    fewest, most = fixed + max(0, resets - (len(oldest) - shared)), fixed + min(resets, shared)
    theirs = case.case["slots_written_by_more_than_one_query"]
    return theirs if theirs in range(fewest, most + 1) else ours


def _written_more_than_once(update: memory.Update) -> np.ndarray:
    per_query = [np.unique(row) for row in update.slots.numpy()]
    slots, counts = np.unique(np.concatenate(per_query), return_counts=True)
    return slots[counts > 1]


def _after(case: Case, state: MemoryState, undefined) -> Iterator[Comparison]:
    """The state after the update: all of it, and without the slots that the original leaves to chance."""
    undefined = np.sort(undefined)
    if case.has("exact_slots_are_all_but", "ints"):
        yield case("exact_slots_are_all_but", undefined, EXACT, kind="ints", group="learning")
    views = {"after": lambda field: field, "after_tf_cpu_last_row_wins": lambda field: field,
             "after_exact_slots": lambda field: np.delete(field, undefined, axis=0),
             "sum_over_oldest_slots_after": lambda field: field[undefined].astype(np.float64).sum(axis=0)}
    for view, part in views.items():
        for name, field in zip(_STATE, state):
            if case.has(f"{view}/{name}"):
                yield case(f"{view}/{name}", part(field), group="learning")


def _candidates(case: Case, slot: str, update: memory.Update) -> Iterator[Comparison]:
    """What each query alone would write into a slot that several write."""
    writers = [query for query, row in enumerate(update.slots.numpy()) if int(slot) in row]
    for place, query in enumerate(writers):
        alone = _learn(case.config, slice(query, query + 1)).state
        path = ("cases", case.name, "candidates", slot, place)
        group = f"{case.name}: candidates"
        theirs = len(case.case["candidates"][slot][place]["key_head"])
        yield Comparison(group, (*path, "query"), query, EXACT)
        yield Comparison(group, (*path, "key_head"), alone.keys.numpy()[int(slot), :theirs], OUTPUTS)
        yield Comparison(group, (*path, "val"), alone.values.numpy()[int(slot)], OUTPUTS)
        yield Comparison(group, (*path, "hist"), alone.histogram.numpy()[int(slot)], OUTPUTS)


# --- losses -----------------------------------------------------------------------------------------------------------


def sampled_slots(given: dict, key: str) -> np.ndarray:
    """Injected indices; with alternating values every second slot is real."""
    step = 2 if given.get("vals") == "alternate" else 1
    return step * records.integers(key, given["batch"], 0, given["mem_size"] // 2)


def losses(document: Document, name: str) -> Iterator[Comparison]:
    case = Case(document, name)
    given = case.config
    remembers = given["model"] == "MemoryGAN"
    config = config_of(case.case, discriminator="memory_d" if remembers else "base_d")
    networks = nets.build_networks(config)
    inject(nets.tf1_variables(networks), document["prefix"], case.case["variables"])
    state = state_of(given) if remembers else None
    pixels = records.integers(f"{given['KP']}/img", (given["batch"], config.data.side, config.data.side,
                                                     config.data.channels), 0, 256)
    images = preprocess(config.data, tf.constant(pixels, tf.float32))
    latent = tf.constant(records.uniform(f"{given['KP']}/z", (given["batch"], given["z_dim"]), -1, 1))
    slots = tf.constant(sampled_slots(given, f"{given['KP']}/idx"), tf.int32) if remembers else None
    inputs = (config, networks, state, images, latent, slots)

    yield from _outputs(case, *inputs)
    on_both, d_slopes = _slopes(lambda: costs.discriminator_pass(*inputs, learn=False), config,
                                networks.discriminator, "d_/")
    on_fake, g_slopes = _slopes(lambda: costs.generator_pass(*inputs), config, networks.generator, "g_/")
    scalars = {"d_loss": on_both.total(config), "g_loss": on_fake.total(config),
               "d_real": on_both.real.probability, "d_fake": on_both.fake.probability}
    if remembers:
        scalars |= {"mi": on_fake.mutual_information, "loss_real": on_both.real.as_real,
                    "loss_fake": on_fake.fake.as_fake, "loss_fake_": on_fake.fake.as_real}
        yield case("idx", slots.numpy(), EXACT, kind="ints", group="outputs")
    for scalar, value in scalars.items():
        yield case(scalar, value, kind="scalars", group="costs")
    zero = case.case.get("analytically_zero_records", [])
    for kind, slopes in (("grad_d", d_slopes), ("grad_g", g_slopes)):
        largest = max(float(np.linalg.norm(slope)) for slope in slopes.values())
        for variable, slope in slopes.items():
            key = f"{kind}/{variable}"
            if f"{case.name}/{key}" in zero:
                # A bias before a batch norm: thousands of terms cancel, so the rounding of many of them remains.
                yield case(key, slope, 10 * NOISE, group="gradients", noise=largest)
            else:
                yield case(key, slope, GRADIENTS, group="gradients")


def _outputs(case: Case, config, networks, state, images, latent, slots) -> Iterator[Comparison]:
    fake = networks.generator(costs.generator_input(config, state, latent, slots), training=True).values
    on_real = networks.discriminator(images, training=True).values
    on_fake = networks.discriminator(fake, training=True).values
    ours = {"gen_image": fake}
    if state is None:
        ours |= {"logit_real": on_real, "logit_fake": on_fake}
    else:
        ours |= {"q_real": on_real, "q_fake": on_fake, "q_sample": tf.gather(state.keys, slots),
                 "p_real": memory.read(state, on_real, config.choose_k).probability,
                 "p_fake": memory.read(state, on_fake, config.choose_k).probability}
    for name, value in ours.items():
        yield case(name, value, group="outputs")


def _slopes(forward, config, model, scope: str):
    """(costs, {TF1 name: gradient} of every trainable variable)."""
    with tf.GradientTape() as tape:
        result = forward().costs
        total = result.total(config)
    variables = {name: variable for name, variable in slim.tf1_names(model.parts(), scope).items()
                 if variable.trainable}
    return result, {name: slope.numpy() for name, slope in zip(
        variables, tape.gradient(total, [variable.value for variable in variables.values()]))}
