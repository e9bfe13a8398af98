"""Golden files: the arrays behind their keys, the digests of their tensors, and how ours are compared with theirs.

System-independent. A file is a tree of JSON values. Its *records* are its leaves: a tensor's digest
({shape, mean, l2, proj, head}), a number, a string, or a list without mappings inside. Every record that is not a
setting of the computation has to be compared, by its path in the tree.

A record passes where its relative error is at most

    max(tolerance, MARGIN * deviation)

`tolerance` is the one of the golden README for the kind of quantity. `deviation` is what the file itself states for
the record: how far float32 rounding moved the original's own result. Files without stated deviations, all float64
ones among them, get no allowance.

Gradients, and what training makes of them, need more care. A unit within rounding of a ReLU's kink changes gradients
by some 1e-3, and which units do is chance: the recorded run, another build of the original and we each have our own.
So for these records of a float32 file two things are asked. The port in *float64*, which has no such units, agrees
with the record as above: what is left is the record's own noise, which the file states. And the port in float32 lies
within `drift` of the port in float64, as whole tensors. The float64 files check the same quantities to 1e-9.
"""

import json
import math
import pathlib
from typing import Any, Iterator, NamedTuple

import numpy as np

from lib.errors import UserError
from tests.golden.keys import digest, floored, integers, normal, stream, uniform, weights  # noqa: F401 (for its users)

MARGIN = 3.0
EXACT = 0.0
OUTPUTS = 1e-4  # costs and outputs
GRADIENTS = 1e-3  # gradients, and weights after training
FLOAT64 = 1e-9
FLOAT64_TRAINING = 1e-8
NOISE = 1e-6  # records that are zero but for float32 rounding, against the size of what cancels in them

_DIGEST = {"shape", "mean", "l2", "proj", "head"}


class Comparison(NamedTuple):
    """One record, recomputed."""

    group: str  # the line of the report it is counted in
    path: tuple  # keys that lead to the record from the top of the file
    ours: Any  # array for a digest, else a value of the record's own form
    tolerance: float  # largest relative error; EXACT: equal
    deviation: float = 0.0  # stated by the file: relative to `l2` for tensors, absolute for numbers
    terms: float = 1.0  # numbers: the sum of the absolute terms it is made of
    noise: float | None = None  # record is zero but for rounding: the size of what cancels in it
    key: str | None = None  # of a digest's projection, default: the last key of the path
    aligned: bool = False  # rounding may shift all elements of the tensor alike, not only those that share a unit
    exact: Any = None  # the same in float64, where that is what has to agree with the record
    drift: float = 0.0  # and then the largest distance of `ours` from it, relative to its norm


class Document(NamedTuple):
    """A golden file."""

    path: pathlib.Path
    data: dict

    def __getitem__(self, name):
        return self.data[name]

    def sibling(self, topic: str) -> "Document | None":
        """The file of another topic beside this one, of the same system and prefix."""
        name = topic.join(self.path.name.rsplit(self["topic"], 1))
        for path in [self.path.with_name(name), *sorted(self.path.parent.glob("*.json"))]:
            try:
                other = read(path)
            except UserError:
                continue
            if all(other.data.get(field) == value for field, value in
                   (("system", self["system"]), ("prefix", self["prefix"]), ("topic", topic))):
                return other
        return None


def read(path) -> Document:
    """Raises `UserError` where the file is not a JSON mapping."""
    path = pathlib.Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        raise UserError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not JSON ({error})") from error
    if not isinstance(data, dict):
        raise UserError(f"{path}: a golden file is a JSON mapping, this is a {type(data).__name__}")
    return Document(path, data)


# --- digests and errors -----------------------------------------------------------------------------------------------


def is_digest(value) -> bool:
    return isinstance(value, dict) and _DIGEST <= value.keys()


def error_and_bound(comparison: Comparison, theirs) -> tuple[float, float]:
    """Relative error of a comparison with its record, and the largest allowed."""
    if comparison.exact is None:
        return _against_record(comparison, theirs)
    exact = np.asarray(comparison.exact, np.float64)
    distance = float(np.linalg.norm(np.asarray(comparison.ours, np.float64) - exact))
    drift = _ratio(distance, float(np.linalg.norm(exact)))
    if not drift <= comparison.drift:
        return drift, comparison.drift
    return _against_record(comparison._replace(ours=exact), theirs)


def _against_record(comparison: Comparison, theirs) -> tuple[float, float]:
    if comparison.noise is not None:
        return _noise_error(comparison, theirs), comparison.tolerance
    if comparison.tolerance == EXACT:
        return (0.0 if _plain(comparison.ours) == theirs else math.inf), EXACT
    if is_digest(theirs):
        return _tensor_error(comparison, theirs)
    return _number_error(comparison, theirs)


def _plain(value):
    """Arrays and NumPy scalars as JSON writes them."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _tensor_error(comparison: Comparison, theirs: dict) -> tuple[float, float]:
    """Of the statistic that comes closest to its bound, or exceeds it most."""
    ours = digest(comparison.ours, comparison.key or comparison.path[-1])
    if ours["shape"] != theirs["shape"]:
        return math.inf, comparison.tolerance
    size, norm, noise = math.prod(theirs["shape"]), theirs["l2"], MARGIN * comparison.deviation
    head, expected = np.array(ours["head"]), np.array(theirs["head"])
    largest = float(np.abs(expected).max(initial=0.0))
    # An element of a gradient is a sum over samples and pixels. Where the first few elements are next to nothing beside
    # the others, what rounding leaves of them is measured by the tensor's own norm.
    rounding = max(noise, NOISE if comparison.tolerance == GRADIENTS else 0.0)
    # The stated deviation speaks of the whole tensor's norm. One element may hold all of it. And deviations may add up
    # in the sum: all pixels leave the same few units; the inputs of a unit share their sign (they come from ReLUs), so
    # the gradients of all weights that lead to it move together.
    together = size if comparison.aligned or not theirs["shape"] else size / theirs["shape"][-1]
    coherence = math.sqrt(together)
    results = [
        (_ratio(abs(ours["l2"] - norm), norm), noise),
        (_ratio(abs(ours["mean"] - theirs["mean"]) * size, norm), noise * coherence),
        (_ratio(abs(ours["proj"] - theirs["proj"]), norm), noise),
        (_ratio(float(np.abs(head - expected).max(initial=0.0)), largest),
         rounding * norm / largest if largest else 0.0),
    ]
    results = [(error, max(comparison.tolerance, allowed)) for error, allowed in results]
    return max(results, key=lambda result: math.inf if math.isnan(result[0]) else result[0] / result[1])


def _ratio(difference: float, scale: float) -> float:
    """Where the scale is zero, only zero is equal to it."""
    if difference == 0:
        return 0.0
    return float(difference / scale) if scale > 0 else math.inf


def _number_error(comparison: Comparison, theirs) -> tuple[float, float]:
    ours, theirs = np.asarray(comparison.ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        return math.inf, comparison.tolerance
    scale = max(np.abs(theirs).max(initial=0.0), 1e-6 * comparison.terms)
    return (float(np.abs(ours - theirs).max(initial=0.0) / scale),
            max(comparison.tolerance, MARGIN * comparison.deviation / scale))


def _noise_error(comparison: Comparison, theirs) -> float:
    """How far from zero ours is, measured by the size of what cancels."""
    ours = np.asarray(comparison.ours, np.float64)
    if is_digest(theirs) and list(ours.shape) != theirs["shape"]:
        return math.inf
    return _ratio(float(np.linalg.norm(ours)), comparison.noise)


# --- what a file holds ------------------------------------------------------------------------------------------------


def _holds_mapping(value) -> bool:
    return isinstance(value, dict) or isinstance(value, list) and any(_holds_mapping(item) for item in value)


def leaves(value, settings: frozenset[str], path: tuple = ()) -> Iterator[tuple]:
    """Paths of all records, leaving out what stands under a name of `settings` and what is null or empty."""
    if is_digest(value) or not _holds_mapping(value):
        if value is not None and value != []:
            yield path
        return
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        if name not in settings:
            yield from leaves(item, settings, (*path, name))


def look_up(data, path: tuple):
    for name in path:
        data = data[name]
    return data
