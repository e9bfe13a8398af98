"""Inception-v3 as Keras distributes it, trained on ImageNet: features for FID, class probabilities for the score.

Its weights are not those of the 2015 graph that Heusel's and Salimans' programs load: figures come close to
published ones but are not interchangeable with them.
"""

import contextlib
import os
import socket
from collections.abc import Callable

import keras
import tensorflow as tf

from lib import device
from lib.classifiers.features import Extractor, as_float
from lib.errors import UserError, reason

_SIDE = 299
_FILES = {
    False: "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
    True: "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
}
_SECONDS = 10.0


def features(weights: str | None = None) -> Extractor:
    """Means over the last feature map, float32 [n, 2048].

    `weights`: Keras' weights file without the top layer; by default it is downloaded once, about 90 MB.
    Raises `UserError` if the file does not fit, or there is none and no network.
    """
    return _extractor("Inception-v3", False, weights)


def probabilities(weights: str | None = None) -> Extractor:
    """Probabilities of ImageNet's 1000 classes, float32 [n, 1000]; `weights`: Keras' file with the top layer."""
    return _extractor("Inception-v3 probabilities", True, weights)


def if_had(make: Callable[[str | None], Extractor], weights: str, instead: str) -> Extractor | None:
    """What `features` or `probabilities` (`make`) gives; None, which is printed, where none can be had.

    Args:
      weights: a file, which has to fit; "": as `make` finds one.
      instead: what takes its place, in words.
    """
    try:
        return make(weights or None)
    except UserError as error:
        if weights:
            raise
        print(f"{instead} ({error})", flush=True)
        return None


def _extractor(name: str, top: bool, weights: str | None) -> Extractor:
    model = _load(top, weights)

    @device.graph(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def extract(images):
        return model(tf.image.resize(images, [_SIDE, _SIDE]), training=False)

    def extract_any(images):
        images = as_float(images)
        return extract(images if images.shape[-1] == 3 else tf.repeat(images, 3, axis=-1)).numpy()

    return Extractor(name, extract_any)


def _load(top: bool, weights: str | None) -> keras.Model:
    way_out = f"give {_FILES[top]} of keras-applications by --inception_weights, or use the classifier's features"
    if weights is not None and not os.path.isfile(weights):
        raise UserError(f"{weights}: no such file; {way_out}")
    try:
        with _time_out(_SECONDS):
            return keras.applications.InceptionV3(include_top=top, weights=weights or "imagenet", pooling="avg")
    except Exception as error:  # Keras raises a bare Exception for downloads, and several kinds for files
        problem = "Inception-v3's weights: no download" if weights is None else f"{weights}: no such weights"
        raise UserError(f"{problem} ({reason(error)}); {way_out}") from error


@contextlib.contextmanager
def _time_out(seconds: float):
    """Keras' download would wait for a silent server without limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
