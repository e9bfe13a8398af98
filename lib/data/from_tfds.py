"""Data sets by way of TensorFlow Datasets: one that is prepared already, else a download.

TFDS is imported only here and only when its turn has come: it is slow to import and not installed everywhere.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

import numpy as np

from lib.errors import UserError, reason

_PROBE_SECONDS = 5.0


def read(name: str, split: str, url: str, missing: str, way_out: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, h, w, c] and labels int32 [n] of a TFDS data set, downloaded if it has to be.

    `url`: where TFDS will download from, asked for a sign of life first, because TFDS itself tries for minutes.
    `missing`, `way_out`: what was looked for before and what to do, the two ends of the error message.
    Raises `UserError` if TFDS is not installed or the data can neither be found nor fetched.
    """
    examples = _open(name, url, missing, way_out, lambda builder: builder.as_dataset(split=split, batch_size=-1))
    return examples["image"].numpy(), examples["label"].numpy().astype(np.int32)


def described(name: str, **options) -> str:
    """A prepared data set with its version, in words."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, **options)
    return f"TFDS {builder.info.full_name} in {builder.data_dir}"


def open_images(name: str, split: str, url: str, missing: str, way_out: str) -> Sequence[dict]:
    """The same for images that do not fit in memory: `[i]["image"]` reads image i, uint8 [h, w, c], when asked."""
    return _open(name, url, missing, way_out, lambda builder: builder.as_data_source(split),
                 file_format="array_record")  # the format that can be read in any order


def _open(name: str, url: str, missing: str, way_out: str, view: Callable, **options):
    """What `view` sees of the builder, once the data set is prepared."""
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UserError(f"{missing}, and TFDS is not installed ({error}); {way_out}") from error
    try:
        builder = tfds.builder(name, **options)
        if not builder.is_prepared():
            if not _answers(url):
                raise UserError(f"{missing}, TFDS has not prepared {name!r} in {builder.data_dir}, and {url} does "
                                f"not answer; {way_out}")
            builder.download_and_prepare()
        return view(builder)
    except UserError:
        raise
    except Exception as error:  # TFDS documents no set of exceptions: network, disk, checksums, decoding, ...
        raise UserError(f"{missing}, and TFDS failed on {name!r}: {reason(error)}; {way_out}") from error


def _answers(url: str) -> bool:
    """Whether anything answers at the address within seconds (any HTTP status counts, proxies are honoured)."""
    answered = threading.Event()

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_PROBE_SECONDS).close()
            answered.set()
        except urllib.error.HTTPError:
            answered.set()
        except (OSError, ValueError):
            pass

    # In a thread of its own because no time-out bounds the look-up of a name.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2 * _PROBE_SECONDS)
    return answered.is_set()
