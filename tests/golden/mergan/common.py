"""What MeRGAN's golden files share: cases, injected weights and the border between their layout and the port's.

The files are NCHW, images between networks flattened to rows in C, H, W order; the port is NHWC.
"""

import functools
import json
import re
from typing import Callable, Iterable, Iterator, NamedTuple

import numpy as np
import tensorflow as tf

from lib.errors import UserError
from lib.mergan.config import DATASETS, Config, DataSet
from lib.mergan.networks import Networks, build_networks, tf1_variables
from tests.golden import records
from tests.golden.records import Comparison, Document

SETTINGS = frozenset({"deviation", "scalar_deviation", "costs_deviation", "noise_only", "batch", "labels",
                      "class_count", "label_of_current_batch", "RA_factor", "mode"})


class Precision(NamedTuple):
    """What a file was computed in, and how close to it the port has to come."""

    dtype: str
    outputs: float
    gradients: float


ROUNDED = 1e-10  # gradients of a smaller norm are exact zeros plus rounding, as the float64 files say
DRIFT = 1e-2  # of float32 gradients from float64 ones: a few units at a kink, in a batch of a few samples

SINGLE = Precision("float32", records.OUTPUTS, records.GRADIENTS)
DOUBLE = Precision("float64", records.FLOAT64, records.FLOAT64)


class Case(NamedTuple):
    """A case of a file; a float64 file has its settings in the case of the same name of its float32 sibling."""

    name: str
    document: Document  # with the records
    stated: Document  # with the settings
    precision: Precision

    @property
    def settings(self) -> dict:
        return self.stated["cases"][self.name]

    @property
    def data(self) -> DataSet:
        return DATASETS[self.settings["variables"]]

    def config(self, **options) -> Config:
        return Config(self.settings["variables"], iterations=0, batch_size=self.settings["batch"], **options)

    def networks(self) -> Networks:
        return build(self.data, weights(self.stated, self.settings["variables"]), self.precision.dtype)

    def input(self, name: str) -> np.ndarray:
        """The input whose key ends in /name."""
        (key, entry), = [item for item in self.settings["inputs"].items() if item[0].endswith(f"/{name}")]
        return draw(key, entry).astype(self.precision.dtype)

    def images(self) -> np.ndarray:
        """The real images, NHWC in [-1, 1]."""
        return to_nhwc(to_signed(self.input("real")), self.data)

    def labels(self) -> np.ndarray:
        return np.array(self.settings["labels"], np.int32)

    def scalars(self, ours: dict) -> Iterator[Comparison]:
        """Compare those of `ours` that the case holds."""
        case = self.document["cases"][self.name]
        deviations = shared(case.get("scalar_deviation", {}))
        for name, value in ours.items():
            if name in case["scalars"]:
                yield Comparison(f"{self.name} costs", ("cases", self.name, "scalars", name), value,
                                 self.precision.outputs, deviation=deviations.get(_family(name), 0.0))

    def outputs(self, ours: dict) -> Iterator[Comparison]:
        """Compare those tensors of `ours`, by their name within the case, that the file holds."""
        for name, tensor in ours.items():
            key = f"{self.name}/{name}"
            if key in self.document["tensors"]:
                yield Comparison(f"{self.name} outputs", ("tensors", key), tensor, self.precision.outputs,
                                 deviation=deviation(self.document, key), aligned=True)

    def gradients(self, group: str, ours: dict, exact: dict) -> Iterator[Comparison]:
        """Compare those gradients of one cost, by their name within the case, that the file holds.

        `exact` holds them in float64. A gradient that is zero but for rounding is measured by the norm of all.
        """
        total = float(np.sqrt(sum(np.sum(np.square(gradient)) for gradient in exact.values())))
        for name, gradient in ours.items():
            key = f"{self.name}/{name}"
            if key not in self.document["tensors"]:
                continue
            comparison = Comparison(f"{self.name} {group}", ("tensors", key), gradient, self.precision.gradients)
            if key in self.document.data.get("noise_only", []):
                yield comparison._replace(tolerance=records.NOISE, noise=total)
            elif self.document["tensors"][key]["l2"] < ROUNDED:
                yield comparison._replace(noise=total)
            elif self.precision is DOUBLE:
                yield comparison
            else:
                yield comparison._replace(deviation=deviation(self.document, key), exact=exact[name], drift=DRIFT)

    def in_both_precisions(self, recompute) -> tuple:
        """What a function of a case returns at the file's precision and in float64."""
        return _remembered(recompute, self), _remembered(recompute, self._replace(precision=DOUBLE))

    def run(self, function, *arguments):
        """A function of tensors: in float32 as a graph, as the programs run it.

        In float64, which no program uses, operation by operation: tracing takes longer than all that is computed.
        """
        function = tf.function(function, autograph=False) if self.precision is SINGLE else function
        return numpy(function(*tf.nest.map_structure(tf.constant, arguments)))


# By precision, the last results and all that they were made of. A float32 file and its float64 sibling need the same
# results in float64, and the tasks of a training go on from one another.
_last: dict[str, tuple] = {}


def _remembered(recompute, case: Case):
    stated = {name: value for name, value in case.stated.data.items() if name not in ("cases", "deviation")}
    made_of = (recompute, case.name, json.dumps([case.settings, stated]))
    kept_of, kept = _last.get(case.precision.dtype, (None, None))
    if kept_of != made_of:
        _last.pop(case.precision.dtype, None)  # its memory is needed
        kept = recompute(case)
        _last[case.precision.dtype] = made_of, kept
    return kept


def cases(document: Document, siblings: Iterable[str] = ()) -> Iterator[Case]:
    """The cases of a file; those of a float64 file are stated in its `siblings`, the topics given."""
    stated = [sibling for topic in siblings if (sibling := document.sibling(topic))] if siblings else [document]
    precision = DOUBLE if siblings else SINGLE
    for name in document["cases"]:
        source = next((other for other in stated if name in other["cases"]), None)
        if source is None:
            raise UserError(f"{document.path}: no file beside it states the inputs of {name} (one of the topics "
                            f"{', '.join(siblings)}, with the same prefix)")
        yield Case(name, document, source, precision)


def each(compare: Callable[[Case], Iterable[Comparison]], siblings: Iterable[str] = ()) -> Callable:
    """The `cases` of a topic whose files keep them under `cases`; `compare` recomputes one."""
    return lambda document: {case.name: functools.partial(compare, case) for case in cases(document, siblings)}


def largest(deviations) -> float:
    """Of the deviations stated for one record, any of which may be unknown."""
    return max((value for value in deviations or () if value is not None), default=0.0)


def _family(name: str) -> str:
    return re.sub(r"\d+$", "", name)


def shared(deviations: dict) -> dict[str, float]:
    """Stated deviations by name without number: the same cost of several classes has the same rounding noise."""
    families = {}
    for name, stated in deviations.items():
        families[_family(name)] = max(largest(stated), families.get(_family(name), 0.0))
    return families


def deviation(document: Document, key: str) -> float:
    """How far the recorded tensor is from the same graph run in float64 or, where unknown, from another build."""
    stated = [value for value in document.data.get("deviation", {}).get(key, ()) if value is not None]
    return stated[0] if stated else 0.0


def draw(key: str, entry: dict, shape=None) -> np.ndarray:
    """The array that an entry of `inputs` describes."""
    shape = entry["shape"] if shape is None else shape
    kinds = {"det_normal": lambda: records.normal(key, shape),
             "det_uniform": lambda: records.uniform(key, shape, entry["lo"], entry["hi"]),
             "floor(det_uniform)": lambda: records.floored(key, shape, entry["lo"], entry["hi"])}
    return kinds[entry["dist"]]()


def weights(document: Document, table: str) -> dict[str, np.ndarray]:
    return records.weights(document["prefix"], document["variables"][table])


def inject(variables: dict, values: dict[str, np.ndarray]) -> None:
    """Assign values to variables of the same names, all of them."""
    if variables.keys() != values.keys():
        raise UserError(f"variables differ from the port's: {sorted(variables.keys() ^ values.keys())[:3]} and others")
    for name, variable in variables.items():
        variable.assign(values[name])


def build(data: DataSet, values: dict[str, np.ndarray], dtype: str) -> Networks:
    """Networks with these weights. They are the same ones each time, so the last caller has them."""
    networks = _networks(data.side, data.channels, dtype)
    fill(networks, values)
    return networks


def fill(networks: Networks, values: dict[str, np.ndarray]) -> None:
    variables = tf1_variables(networks)
    # A file's table may hold the replay generator's weights where the case has no use for it.
    inject(variables, {name: value for name, value in values.items()
                       if name in variables or networks.replay is not None})


@functools.cache
def _networks(side: int, channels: int, dtype: str) -> Networks:
    data = next(data for data in DATASETS.values() if (data.side, data.channels) == (side, channels))
    return build_networks(data, dtype=dtype)


def to_nhwc(images: np.ndarray, data: DataSet) -> np.ndarray:
    return np.reshape(images, [-1, data.channels, data.side, data.side]).transpose(0, 2, 3, 1)


def to_rows(images) -> np.ndarray:
    """NHWC -> [n, c * h * w]."""
    images = np.asarray(images)
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def to_signed(images: np.ndarray) -> np.ndarray:
    """[0, 1] -> [-1, 1], in the images' own precision."""
    return 2 * (images - images.dtype.type(0.5))


def trained(names: dict) -> dict[str, tf.Variable]:
    """The trainable ones of a network's variables by TF1 name."""
    return {name: variable.value for name, variable in names.items() if variable.trainable}


def gradients(tape: tf.GradientTape, cost, variables: dict[str, tf.Variable]) -> dict[str, tf.Tensor]:
    """Dense gradients by TF1 name, of those variables that the cost depends on."""
    values = tape.gradient(cost, variables)
    return {name: tf.convert_to_tensor(value) for name, value in values.items() if value is not None}


def numpy(values):
    return tf.nest.map_structure(lambda value: value.numpy(), values)
