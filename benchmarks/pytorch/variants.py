"""The ways in which PyTorch is timed, and what all twins do alike."""

import os
import shutil
import sys
from typing import Callable, NamedTuple

import torch


class Variant(NamedTuple):
    """One way to run the same code."""

    name: str
    channels_last: bool = True
    compiles: bool = False
    precision: str = "float32"

    def placed(self, what):
        """A module or images [n, c, h, w] in the variant's order of dimensions."""
        return what.to(memory_format=torch.channels_last) if self.channels_last else what

    def compiled(self, function: Callable) -> Callable:
        # Isolated, since else all cases together may compile a function eight times only.
        return torch.compile(function, dynamic=False, isolate_recompiles=True) if self.compiles else function

    def autocast(self):
        """The context in which costs are computed."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "mixed_bfloat16")


VARIANTS = (Variant("eager", channels_last=False), Variant("channels last"), Variant("compiled", compiles=True),
            Variant("bfloat16", precision="mixed_bfloat16"))


def compiler() -> str | None:
    """The C++ compiler that `torch.compile` would call, None where there is none."""
    return shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++"))


def adam(module: torch.nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
    """Fused, the fastest of PyTorch's three forms."""
    return torch.optim.Adam(module.parameters(), lr=rate, betas=betas, fused=True)


def descend(optimizer: torch.optim.Optimizer, cost: torch.Tensor) -> None:
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()
