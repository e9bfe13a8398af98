"""memoryGAN's training, initial values, data handling and checkpoints, recomputed."""

import math
import pathlib
import pickle
import re
import tempfile
from typing import Iterator

import numpy as np
import tensorflow as tf

from lib.data import batching, cifar
from lib.errors import UserError
from memorygan import checkpoint as checkpoints
from memorygan import data as inputs
from memorygan import losses
from memorygan.config import DATASETS, ended_epoch, make_config, max_iterations
from memorygan.networks import tf1_variables
from memorygan.noise import Noise
from memorygan.samples import sample_picture
from memorygan.step import build_model, make_steps
from tests.golden import records
from tests.golden.memorygan.models import Case, config_of, inject, sampled_slots, state_of
from tests.golden.records import EXACT, GRADIENTS, Comparison, Document

# --- training ---------------------------------------------------------------------------------------------------------


def training(document: Document, name: str) -> Iterator[Comparison]:
    case = Case(document, name)
    given = case.config
    config = config_of(case.case)
    model = build_model(config)
    networks, holder, optimizers = model
    inject(tf1_variables(networks), document["prefix"], case.case["variables"])
    holder.assign(state_of(given))
    steps = make_steps(config, model, given["max_iter"] or 1)
    side, channels = config.data.side, config.data.channels
    for iteration in range(given["iterations"]):
        pixels = records.integers(f"{given['KP']}/img/{iteration}", (given["batch"], side, side, channels), 0, 256)
        images = inputs.preprocess(config.data, tf.constant(pixels, tf.float32))
        for network, step, optimizer in (("d", steps.discriminator, optimizers.discriminator),
                                         ("g", steps.generator, optimizers.generator)):
            key = f"{iteration}/{network}"
            latent = records.uniform(f"{given['KP']}/z/{key}", (given["batch"], given["z_dim"]), -1, 1)
            slots = sampled_slots(given, f"{given['KP']}/idx/{key}")
            noise = Noise(tf.constant(latent), tf.constant(slots, tf.int32))
            result = step(images, noise)
            yield from _of_step(case, f"it{iteration}/{network}", config, result, optimizers, optimizer)
            yield from _changed(case, f"it{iteration}/{network}", checkpoints.variables(model))
    variables = checkpoints.variables(model)
    yield from _changed(case, "final", variables)
    for variable_name, variable in variables.items():
        if re.fullmatch(r"beta[12]_power(_1)?", variable_name):
            yield case(f"final/{variable_name}", np.asarray(variable), kind="scalars", group="final")


def _of_step(case: Case, place: str, config, result: losses.Pass, optimizers, optimizer) -> Iterator[Comparison]:
    costs = result.costs
    scalars = {"cost": costs.total(config), "d_fake": costs.fake.probability,
               "global_step_after": float(optimizers.global_step), "lr": float(optimizer.learning_rate)}
    if isinstance(costs, losses.DiscriminatorCosts):
        scalars["d_real"] = costs.real.probability
    for name, value in scalars.items():
        if case.has(f"{place}/{name}", "scalars"):
            yield case(f"{place}/{name}", value, kind="scalars", group="costs")
    for query, update in result.updates.items():
        yield case(f"{place}/upd_idx/{query}", np.sort(update.slots.numpy()), EXACT, kind="ints", group="slots")
        yield case(f"{place}/reset/{query}", update.reset.numpy().astype(int), EXACT, kind="ints", group="slots")


def _changed(case: Case, place: str, variables: dict) -> Iterator[Comparison]:
    """Every variable that is recorded there."""
    for name, variable in variables.items():
        if case.has(f"{place}/{name}"):
            group = "memory" if name.startswith("mem") else "variables"
            yield case(f"{place}/{name}", np.asarray(variable), GRADIENTS, group=group)


# --- initial values ---------------------------------------------------------------------------------------------------


def initialisers(document: Document, name: str) -> Iterator[Comparison]:
    case = Case(document, name)
    config = config_of(case.case, discriminator="memory_d" if case.config["model"] == "MemoryGAN" else "base_d")
    variables = checkpoints.variables(build_model(config))
    created = {made: (np.asarray(variable), f"{made}/Adam" in variables)
               for made, variable in variables.items() if "/Adam" not in made}
    if config.has_memory:
        yield case.beside("n_saved_variables_with_adam_slots", len(variables))
    else:
        created = {made: values for made, values in created.items() if made.startswith(("d_/", "g_/"))}
    misfits = _misfits(created, case.case["variables"])
    if misfits:
        raise UserError(f"{document.path}: {name}: initial values differ: {'; '.join(misfits)}")
    yield case.beside("n_trainable_parameters", sum(value.size for value, trainable in created.values() if trainable))


def _misfits(created: dict, table: list) -> list[str]:
    """What is not made as the table's rows (name, shape, dtype, trainable, initialiser) say."""
    expected = {row[0]: row[1:] for row in table}
    misfits = [f"{name} only on one side" for name in sorted(expected.keys() ^ created.keys())]
    for name in expected.keys() & created.keys():
        (value, trainable), (shape, dtype, trains, initialiser) = created[name], expected[name]
        ours = (list(value.shape), str(value.dtype), trainable)
        if ours != (shape, dtype, trains):
            misfits.append(f"{name} is {ours}")
        elif not _drawn_by(initialiser, np.asarray(value, np.float64).ravel()):
            misfits.append(f"{name} is not {initialiser}")
    return misfits


def _drawn_by(initialiser: str, values: np.ndarray) -> bool:
    kind, _, arguments = initialiser.rstrip(")").partition("(")
    numbers = [float(number) for number in arguments.split(",") if number]
    if kind == "constant":
        return bool(np.all(np.float32(numbers[0]) == values.astype(np.float32)))
    if kind == "first_half_ones":
        return np.array_equal(values, np.arange(values.size) < values.size // 2)
    if kind != "truncated_normal":
        raise ValueError(f"initialiser {initialiser}")
    mean, deviation = numbers
    expected = 0.879626 * deviation
    # Five standard errors of the mean and of the deviation.
    near = abs(values.mean() - mean) < 5 * expected / math.sqrt(values.size)
    wide = abs(values.std() - expected) < 5 * expected / math.sqrt(2 * values.size)
    return bool(near and wide and np.abs(values - mean).max() <= 2 * deviation * (1 + 1e-6))


# --- data -------------------------------------------------------------------------------------------------------------


def data(document: Document, name: str) -> Iterator[Comparison]:
    recompute = next(function for start, function in _DATA.items() if name.startswith(start))
    return recompute(document["prefix"], Case(document, name))


def _preprocess(prefix: str, case: Case) -> Iterator[Comparison]:
    (given,) = case.case["inputs"]
    raw = records.integers(given["key"], given["shape"], 0, 256)
    augmentation = inputs.Augmentation(case.config["delta"], case.config["contrast_factor"])
    yield case("out", inputs.preprocess(DATASETS[case.config["dataset"]], tf.constant(raw), augmentation))


def _digit(key: str) -> np.ndarray:
    """A stroke of full brightness with a noisy square on it."""
    stream, digit = records.stream(key), np.zeros((28, 28), np.uint8)
    row = stream.randint(3, 9)
    column = stream.randint(5, 12)
    digit[row:row + 16, column:column + 4] = 255
    digit[row + 4:row + 12, column + 4:column + 12] = stream.randint(0, 256, (8, 8))
    return digit


def _affine(prefix: str, case: Case) -> Iterator[Comparison]:
    count, drawn = case.config["batch"], np.array(case.config["drawn"])
    digits = np.stack([_digit(f"{prefix}/in/digit{number}") for number in range(count)])[..., None]
    batches = batching.Batches(digits, np.arange(count, dtype=np.int32), count, 0, case.name,
                              inputs.cumulative_order(count, count, case.name, lambda _: np.arange(count)))
    images, labels = batches.take(0, 1)
    distorted = inputs.distort(images[0], drawn)
    yield case("input", digits)
    yield case("out", distorted)
    yield case("labels", labels[0], EXACT, kind="ints")
    yield case("out_image1_rows", distorted[1, ..., 0].astype(int), EXACT, kind="ints")
    degrees, row, column = drawn[0]
    rotated = distorted[0, row:row + 28, column:column + 28, 0]
    yield case("rotated_image0", rotated.astype(int), EXACT, kind="ints")


def _epochs(prefix: str, case: Case) -> Iterator[Comparison]:
    count, size = case.config["N"], case.config["batch"]
    order = inputs.cumulative_order(
        count, size, case.name, lambda i: records.stream(f"{prefix}/perm/{case.name}/{i}").permutation(count))
    batches = range(len(case.case["ints"][f"{case.name}/example_ids_per_batch"]))
    yield case("example_ids_per_batch", np.stack([order.indices(batch) for batch in batches]), EXACT, kind="ints")
    yield case("epochs_completed_after", [batch // order.batches_per_epoch for batch in batches], EXACT, kind="ints")


def _loop(prefix: str, case: Case) -> Iterator[Comparison]:
    examples = case.config["N"]
    config = make_config("fashion", batch_size=case.config["batch"], epoch=case.config["epochs"])
    last = max_iterations(config, examples)
    reports = [[iteration, ended_epoch(config, examples, iteration)] for iteration in range(1, last)]
    yield case("max_iter", last, EXACT, kind="ints")
    yield case("iterations_run", len(reports), EXACT, kind="ints")
    yield case("epoch_end_idx_and_epoch", [report for report in reports if report[1]], EXACT, kind="ints")


def _cifar10(prefix: str, case: Case) -> Iterator[Comparison]:
    """Files in the form that the original reads, through the port's reader."""
    rows = case.config["rows_per_file"]
    with tempfile.TemporaryDirectory() as folder:
        inner = pathlib.Path(folder, "cifar-10-batches-py")
        inner.mkdir()
        for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"], 1):
            batch = {"data": records.integers(f"{prefix}/in/cifar/{number}", (rows, 3072), 0, 256).astype(np.uint8),
                     "labels": records.integers(f"{prefix}/in/cifarlab/{number}", rows, 0, 10).tolist()}
            (inner / name).write_bytes(pickle.dumps(batch, protocol=2))
        images, labels = cifar.read(cifar.find(folder)["train"], "train")
    yield case("images", images)
    yield case("labels", labels, EXACT, kind="ints")


def _picture(prefix: str, case: Case) -> Iterator[Comparison]:
    (given,) = case.case["inputs"]
    low = 0 if given["dist"] == "uniform(0,1)" else -1
    samples = records.uniform(given["key"], given["shape"], low, 1)
    drawn = sample_picture(samples)
    pixels = np.broadcast_to(drawn, (*drawn.shape[:2], 3))
    side = case.config["side"]
    yield case("png_pixels", pixels)
    yield case("top_left_block", pixels[:side, :side, 0].astype(int), EXACT, kind="ints")


_DATA = {"preprocess": _preprocess, "affmnist": _affine, "epochs": _epochs, "loop": _loop, "cifar10": _cifar10,
         "sample_picture": _picture}


# --- checkpoints ------------------------------------------------------------------------------------------------------


def checkpoint(document: Document, name: str) -> Iterator[Comparison]:
    case = Case(document, name)
    given = case.config
    config = config_of(case.case)
    model = build_model(config)
    networks, holder, _ = model
    checkpoints.restore(checkpoints.latest(document.path.parent / case.case["directory"]), model)
    restored = checkpoints.variables(model)
    for variable_name, variable in restored.items():
        array = np.asarray(variable)
        if array.ndim:
            yield case(variable_name, array, group="variables")
        else:
            yield case(variable_name, array, kind="scalars", group="variables")
    yield case.beside("n_variables", len(restored))
    slots = records.integers(f"{given['KP']}/idx", given["batch"], 0, given["mem_size"] // 2)
    yield case("idx", slots, EXACT, kind="ints", group="outputs")
    latent = records.uniform(f"{given['KP']}/z", (given["batch"], given["z_dim"]), -1, 1)
    generated = networks.generator(losses.generator_input(config, holder.state(), tf.constant(latent), slots))
    yield case("test_generate", generated.values, group="outputs")
    low = 0 if config.data.unit_range else -1
    shape = (given["batch"], config.data.side, config.data.side, config.data.channels)
    images = records.uniform(f"{given['KP']}/image", shape, low, 1)
    yield case("test_q", networks.discriminator(tf.constant(images)).values, group="outputs")
