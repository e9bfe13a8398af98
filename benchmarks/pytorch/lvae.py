"""The Lifelong VAE's networks, cost and iteration in PyTorch, convolutional and dense: the twin of `lvae`.

Images are [n, 3, 32, 32] for convolutional networks and [n, 784] for dense ones, in [0, 1].
"""

import math
from typing import Callable, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.lvae import EXPERIMENTS
from benchmarks.pytorch.variants import Variant, adam, descend

_BATCH = 100
CONTINUOUS = 14  # latent dimensions
_TINY = torch.finfo(torch.float32).tiny


def _body(kinds: list, norm, last: nn.Module) -> list:
    """Hidden layers without a bias, each with batch norm and ELU behind it, then the last one.

    Args:
      kinds: (layer class, inputs, outputs, further arguments) of each hidden layer.
    """
    layers = []
    for kind, inputs, outputs, *further in kinds:
        layers += [kind(inputs, outputs, *further, bias=False), norm(outputs, eps=1e-3, momentum=1e-3),
                   nn.ELU(inplace=True)]
    return [*layers, last]


def _dense(inputs: int, outputs: int) -> nn.Sequential:
    hidden = [(nn.Linear, inputs, 512), (nn.Linear, 512, 512)]
    return nn.Sequential(*_body(hidden, nn.BatchNorm1d, nn.Linear(512, outputs)))


def _conv_encoder(outputs: int) -> nn.Sequential:
    hidden = [(nn.Conv2d, *sizes) for sizes in ((3, 32, 5), (32, 64, 4, 2), (64, 128, 4), (128, 256, 4, 2),
                                                (256, 512, 4), (512, 512, 1))]
    return nn.Sequential(*_body(hidden, nn.BatchNorm2d, nn.Conv2d(512, outputs, 1)), nn.Flatten())


def _conv_decoder(inputs: int) -> nn.Sequential:
    hidden = [(nn.ConvTranspose2d, *sizes) for sizes in ((inputs, 512, 4), (512, 256, 4, 2), (256, 128, 4),
                                                         (128, 64, 4, 2), (64, 64, 5))]
    return nn.Sequential(nn.Unflatten(1, (inputs, 1, 1)), *_body(hidden, nn.BatchNorm2d, nn.Conv2d(64, 3, 1)))


class Vae(nn.Module):
    """Encoder and decoder for so many classes."""

    def __init__(self, classes: int, dense: bool):
        super().__init__()
        self.classes = classes
        encoded, size = 2 * CONTINUOUS + classes, CONTINUOUS + classes
        self.encoder = _dense(784, encoded) if dense else _conv_encoder(encoded)
        self.decoder = _dense(size, 784) if dense else _conv_decoder(size)

    def encode(self, images):
        """(mean, scale, class logits)."""
        raw, mean, logits = self.encoder(images).float().split([CONTINUOUS, CONTINUOUS, self.classes], 1)
        return mean, 1e-6 + F.softplus(raw), logits

    def decode(self, continuous, classes):
        """Logits of the images' pixels."""
        return self.decoder(torch.cat([continuous, classes], 1)).float()


class Noise(NamedTuple):
    """What one call of `cost` draws."""

    normal: torch.Tensor  # N(0, 1) [n, 14]
    uniform: torch.Tensor  # U[0, 1) [n, student's classes]
    replay: torch.Tensor  # N(0, 1) [n, 14]
    replay_classes: torch.Tensor  # int64 [n], of the teacher's classes


def _smoothed(probabilities):
    raised = probabilities + 1e-6
    return raised / raised.sum(1, keepdim=True)


def cost(student: Vae, teacher: Vae, images, current: int, noise: Noise, temperature):
    """The student's cost on the first `current` of the images [n, ...] and as many of the teacher's as fill the batch.

    The teacher makes and reads a whole batch, its batch norms in training.
    """
    count, added = len(images), student.classes - teacher.classes
    with torch.no_grad():
        made = teacher.decode(noise.replay, F.one_hot(noise.replay_classes, teacher.classes).float()).sigmoid()
        remembered = teacher.encode(made)[2][:count - current]
        images = torch.cat([images[:current], made[:count - current]])
    mean, scale, logits = student.encode(images)
    gumbel = -torch.log(-torch.log(noise.uniform.clamp(min=_TINY)))
    output = student.decode(mean + scale * noise.normal, F.softmax((logits + gumbel) / temperature, 1))
    square = scale.square()
    kl_normal = 0.5 * (mean.square() + square - 1.0 - square.log()).sum()
    log_probabilities = F.log_softmax(logits, 1)
    probabilities = log_probabilities.exp()
    kl_discrete = (probabilities * (log_probabilities + math.log(student.classes))).sum()
    ours, theirs = _smoothed(probabilities[current:]), _smoothed(F.pad(remembered.softmax(1), (0, added)))
    consistency = (ours * (ours / theirs).log()).sum()
    reconstruction = F.binary_cross_entropy_with_logits(output, images, reduction="sum")
    return (kl_normal + kl_discrete + reconstruction + consistency) / count


def training(about: dict, variant: Variant) -> Callable[[], None]:
    """A call that learns from so many iterations' random images as ours does."""
    forks, dense = about["forks"], about["dataset"] == "fashion_dnn"
    student, teacher = (variant.placed(Vae(classes, dense)) for classes in (forks + 1, forks))
    optimizer, costs = adam(student, 1e-3, (0.9, 0.999)), variant.compiled(cost)
    images = torch.rand(EXPERIMENTS[about["dataset"]], _BATCH, *([784] if dense else [3, 32, 32]))
    current, temperature = _BATCH // (forks + 1), torch.tensor(1.0)

    def iterate():
        for batch in images:
            noise = Noise(torch.randn(_BATCH, CONTINUOUS), torch.rand(_BATCH, student.classes),
                          torch.randn(_BATCH, CONTINUOUS), torch.randint(teacher.classes, (_BATCH,)))
            with variant.autocast():
                value = costs(student, teacher, batch if dense else variant.placed(batch), current, noise, temperature)
            descend(optimizer, value)

    return iterate
