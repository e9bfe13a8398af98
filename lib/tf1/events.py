"""Event files as TF1's `FileWriter` wrote them.

`tf.summary.scalar` of today writes tensors, among which a script of that time (`EventAccumulator.Scalars`) finds none.
"""

import contextlib
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import summary_pb2

from lib import files


@contextlib.contextmanager
def writing(directory: Path):
    """Write event files of a directory in this block; `UserError` where that fails, as on a full disk."""
    try:
        yield
    except tf.errors.OpError as error:
        raise files.cannot_write(directory, error) from error


class Events:
    """Scalars and pictures in an event file of its own in a directory.

    Raises:
      UserError: no space.
    """

    def __init__(self, directory: Path):
        self._directory = Path(directory)
        with writing(self._directory):
            self._writer = tf.summary.create_file_writer(str(directory))

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Values by tag."""
        self._write(summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)
                                               for tag, value in values.items()]), step)

    def picture(self, tag: str, picture: np.ndarray, step: int) -> None:
        """A uint8 [h, w, c] picture."""
        height, width, channels = picture.shape
        image = summary_pb2.Summary.Image(height=height, width=width, colorspace=channels,
                                          encoded_image_string=tf.io.encode_png(picture).numpy())
        self._write(summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, image=image)]), step)

    def _write(self, summary: summary_pb2.Summary, step: int) -> None:
        with writing(self._directory), self._writer.as_default():
            tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step)

    def flush(self) -> None:
        with writing(self._directory):
            self._writer.flush()

    def close(self) -> None:
        with writing(self._directory):
            self._writer.close()
