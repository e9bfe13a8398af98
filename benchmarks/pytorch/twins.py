"""The twins of cases, to be timed in the same turns."""

import tensorflow as tf
import torch

from benchmarks.pytorch import lvae, memorygan, mergan
from benchmarks.pytorch.variants import VARIANTS, Variant, compiler
from benchmarks.timing import Case
from lib import device
from lib.errors import UserError
from lib.mergan.config import DATASETS


def prepare() -> None:
    """Let PyTorch compute with as many threads as TensorFlow does, and say what it is."""
    if tf.config.list_logical_devices("GPU"):
        raise UserError("--pytorch: its steps are timed on a CPU only; hide the GPU (CUDA_VISIBLE_DEVICES=-1)")
    torch.set_num_threads(device.threads())
    print(f"PyTorch {torch.__version__}, threads {torch.get_num_threads()}", flush=True)
    if not compiler():
        print("no C++ compiler ($CXX, g++), so torch.compile is left out", flush=True)


def of(cases: list[Case]) -> list[Case]:
    """All that have one in each variant of their precision; a case with XLA has the same as the one without."""
    made = []
    for case in cases:
        training = _training(case.about)
        about = case.about | {"jit": False}
        for variant in _variants(about) if training else ():
            named = about | {"program": f"PyTorch {variant.name}"}
            if named not in [twin.about for twin in made]:
                made.append(case._replace(about=named, call=training(named, variant)))
    return made


def _training(about: dict):
    """What makes a twin's call of its `about` and its variant; None where no twin was written."""
    if about["step"] != "iteration":
        return None
    if about["system"] == "MeRGAN":
        return mergan.training if DATASETS[about["dataset"]].side == 32 else None
    if about["system"] == "memoryGAN":
        return memorygan.training if about["dataset"] == "fashion" else None
    return lvae.training


def _variants(about: dict) -> list[Variant]:
    chosen = [variant for variant in VARIANTS if variant.precision == about["precision"]]
    if about["dataset"] == "fashion_dnn":  # dense: no channels
        chosen = [variant for variant in chosen if variant.name != "channels last"]
    return [variant for variant in chosen if not variant.compiles or compiler()]
