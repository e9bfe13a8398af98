"""What the three systems share: data, layers, losses, running a training, checkpoints, metrics, pictures.

Nothing directly in `lib` imports a system; `lib.mergan` is the first of the three systems and lives here
because a package `mergan` beside `mergan.py` would shadow the script.

What the numbers depend on and other programs' settings may say otherwise is pinned here, before anything is imported.
"""

import json
import os
import sys

# TensorFlow takes oneDNN's kernels of its own accord on some processors only. They help elsewhere, too: on an AMD EPYC
# an iteration of MeRGAN needs two thirds of the time with them.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Matplotlib opens no window here, and a backend of a name that it does not know would stop its import.
os.environ["MPLBACKEND"] = "agg"

_KERAS = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
_FOREIGN = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")


def _say(what: str) -> None:
    print(f"note: {what} does not apply here", file=sys.stderr)


def _departures(path: str) -> list[str]:
    """What a keras.json says that is not Keras' default. One that Keras itself cannot read says nothing."""
    try:
        with open(path) as file:
            stored = json.load(file)
        return [name for name, value in _KERAS.items() if stored.get(name, value) != value]
    except (OSError, ValueError, AttributeError):
        return []


def _pin_keras() -> None:
    """Have Keras compute with TensorFlow and its own defaults, whatever the environment and keras.json say."""
    if "keras" in sys.modules:  # a notebook that imported it first
        keras = sys.modules["keras"]
        if keras.config.backend() != "tensorflow":
            raise ImportError(f"Keras runs on {keras.config.backend()} in this process; start anew with "
                              "KERAS_BACKEND=tensorflow")
        for name, value in _KERAS.items():
            getattr(keras.config, f"set_{name}")(value)
        return
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        _say(f"KERAS_BACKEND={backend}")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for name in _FOREIGN:
        if os.environ.pop(name, None) is not None:
            _say(name)
    home = os.path.expanduser(os.environ.get("KERAS_HOME", os.path.join("~", ".keras")))
    departing = _departures(os.path.join(home, "keras.json"))
    if departing:
        _say(f"{', '.join(departing)} of {os.path.join(home, 'keras.json')}")
        os.environ["KERAS_HOME"] = os.path.expanduser(os.path.join("~", ".cache", "memory-replay-gans", "keras"))


_pin_keras()


def __getattr__(name: str):
    """`from lib import load`: `lib.sample.load`, which is not imported before it is asked for."""
    if name == "load":
        from lib.sample import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
