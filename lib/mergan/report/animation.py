"""Training as it went: the sample pictures of one run, or of several side by side, one frame after the other."""

import numpy as np

from lib import pictures
from lib.data.batching import evenly
from lib.mergan.report.runs import Run

_LATENTS = 6  # columns of a run
_FRAMES = 100
_BYTES = 1_500_000  # of a file, which may stand on a first page; with more, frames are left out


def learning(runs: list[Run]) -> bytes | None:
    """A GIF with a row per class and a panel per run, headed by its name if there are several; None without pictures.

    A run that drew none at a moment shows its last one before.
    """
    samples = [run.gallery.samples() for run in runs]
    if not samples or not all(samples):
        return None
    moments = sorted(set().union(*samples))
    chosen = evenly(len(moments), _FRAMES)

    def frame(moment):
        panels = [_panel(run, max((sample for sample in drawn if sample <= moment), default=drawn[0]), len(runs) > 1)
                  for run, drawn in zip(runs, samples)]
        return np.concatenate(panels, axis=1)

    return pictures.animation([frame(moments[i]) for i in chosen], limit=_BYTES)


def _panel(run: Run, sample, named: bool) -> np.ndarray:
    gallery = run.gallery
    blank = [[None] * _LATENTS] * (len(gallery.classes) - sample.learned) if gallery.conditional else []
    title = [run.name] if named else []
    if not run.settings.get("joint"):
        title.append(f"task {sample.learned}: {gallery.classes[sample.learned - 1]}")
    return pictures.labelled_grid(gallery.sample_rows(sample, _LATENTS) + blank,
                                  gallery.classes if gallery.conditional else (),
                                  title=", ".join([*title, f"iteration {sample.iteration}"]))
