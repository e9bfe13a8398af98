"""memoryGAN's Fashion-MNIST networks, memory, costs and iteration in PyTorch: the twin of `memorygan`.

Images are NCHW in [0, 1]. As in `mergan`, padding is PyTorch's own: of mirrored images with mirrored kernels the costs
are those of TF's SAME.
"""

from typing import Callable, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.pytorch.variants import Variant, adam, descend
from benchmarks.timing import ITERATIONS

_BATCH = 64
_Z_DIM, _KEY_DIM = 2, 256
_CHOOSE_K = 128
_ALPHA, _BETA = 0.5, 1e-8
_LAMBDA = 1e-2  # weight of the mutual information
_CLIP = 1e-3


def _norm(kind, channels: int):
    """Batch norm with an offset and no scale."""
    norm = kind(channels, eps=1e-3, momentum=1e-3)
    norm.register_parameter("weight", None)
    return norm


class Generator(nn.Sequential):
    """Noise, with a memory key beside it, [n, inputs] -> images [n, 1, 28, 28]."""

    def __init__(self, inputs: int):
        super().__init__(
            nn.Linear(inputs, 1024, bias=False), _norm(nn.BatchNorm1d, 1024), nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(1024, 7 * 7 * 128, bias=False), _norm(nn.BatchNorm1d, 7 * 7 * 128), nn.ReLU(inplace=True),
            nn.Unflatten(1, (128, 7, 7)),
            nn.ConvTranspose2d(128, 128, 4, stride=2, padding=1, bias=False), _norm(nn.BatchNorm2d, 128),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(128, 1, 4, stride=2, padding=1), nn.Sigmoid())


class Discriminator(nn.Sequential):
    """Images [n, 1, 28, 28] -> queries [n, 256], or logits [n, 1] for a plain GAN."""

    def __init__(self, has_memory: bool):
        layers = [nn.Conv2d(1, 64, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for inputs, outputs, padding in ((64, 128, 1), (128, 256, 2)):  # sides 14, 7, 4
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=padding, bias=False),
                       _norm(nn.BatchNorm2d, outputs), nn.LeakyReLU(0.2, inplace=True)]
        layers += [nn.Conv2d(256, _KEY_DIM, 4, bias=False), _norm(nn.BatchNorm2d, _KEY_DIM), nn.Flatten()]
        super().__init__(*layers, *([] if has_memory else [nn.LeakyReLU(0.2, inplace=True), nn.Linear(_KEY_DIM, 1)]))


class Memory(NamedTuple):
    """N slots; a value that steps replace."""

    keys: torch.Tensor  # [N, 256]
    values: torch.Tensor  # [N], 1 for real images, 0 for generated ones
    ages: torch.Tensor  # [N]
    histogram: torch.Tensor  # [N]


def start(slots: int) -> Memory:
    return Memory(torch.zeros(slots, _KEY_DIM), (torch.arange(slots) < slots // 2).float(), torch.zeros(slots),
                  torch.full((slots,), 1e-5))


def read_and_update(memory: Memory, queries, label: float) -> tuple[torch.Tensor, Memory]:
    """(p(y = 1 | x) [n] of queries [n, 256], the memory after one round of EM on them with their label)."""
    unit = F.normalize(queries.float(), eps=1e-6)
    similarities = unit @ memory.keys.T
    with torch.no_grad():
        slots = _nearest(memory, similarities)
    joint = (similarities.gather(1, slots) - 1.0).exp() * (_ALPHA * memory.histogram[slots] + _BETA)
    probability = (joint * memory.values[slots]).sum(1) / joint.sum(1)
    with torch.no_grad():
        return probability, _updated(memory, unit, similarities, label, memory.values[slots[:, 0]] != label)


def _nearest(memory: Memory, similarities):
    return torch.topk((memory.histogram + _BETA) * (similarities - 1.0).exp(), _CHOOSE_K).indices


def _updated(memory: Memory, unit, similarities, label: float, reset) -> Memory:
    """`reset` [n]: queries that replace an oldest slot instead of training their nearest ones."""
    slots = _nearest(memory, similarities - 2.0 * (memory.values - label).abs())
    histogram = _ALPHA * memory.histogram[slots]
    joint = (similarities.gather(1, slots) - 1.0).exp() * (histogram + _BETA)
    histogram = histogram + 1.0
    rate = joint / joint.sum(1, keepdim=True) / histogram
    oldest = torch.topk(memory.ages, len(unit)).indices
    reset = reset[:, None]
    targets = torch.where(reset, oldest[:, None], slots).flatten()
    rate = rate.masked_fill(reset, 1.0).flatten()
    histogram = torch.where(reset, memory.histogram.mean(), histogram).flatten()
    values = torch.where(reset, label, memory.values[slots]).flatten()
    # Of the rows that write one slot the last has it.
    rows = torch.full_like(memory.values, -1, dtype=torch.int64).scatter_reduce(
        0, targets, torch.arange(len(targets)), "amax")
    written, rows = rows >= 0, rows.clamp(min=0)
    moved = torch.lerp(memory.keys, unit[rows // _CHOOSE_K], rate[rows][:, None])
    return Memory(torch.where(written[:, None], F.normalize(moved, eps=1e-6), memory.keys),
                  torch.where(written, values[rows], memory.values),
                  torch.where(written, 0.0, memory.ages + 1.0),
                  torch.where(written, histogram[rows], memory.histogram))


class Networks(NamedTuple):
    generator: Generator
    discriminator: Discriminator


def _generated(networks: Networks, latent, keys):
    return networks.generator(latent if keys is None else torch.cat([latent, keys], 1)).float()


def _negative_log(probability):
    return -probability.clamp(_CLIP, 1.0 - _CLIP).log().mean()


def _judged(memory: Memory | None, values, real: bool):
    """(-log p(real) if `real`, else -log p(generated), and the memory after it) of queries or logits."""
    if memory is None:
        return F.softplus(-values if real else values).mean(), None
    with torch.autocast("cpu", enabled=False):
        probability, memory = read_and_update(memory, values, float(real))
    return _negative_log(probability if real else 1.0 - probability), memory


def _information(queries, keys):
    return 0.0 if keys is None else _LAMBDA * F.mse_loss(queries.float(), keys)


def discriminator_cost(networks: Networks, memory: Memory | None, images, latent, keys=None):
    """(the discriminator's cost, the memory after it); keys [n, 256]: what the generator is given, None without memory.

    Images are [n, 1, 28, 28], the noise `latent` [n, 2].
    """
    with torch.no_grad():
        fake = _generated(networks, latent, keys)
    of_real, of_fake = networks.discriminator(images), networks.discriminator(fake)
    on_real, memory = _judged(memory, of_real, True)
    on_fake, memory = _judged(memory, of_fake, False)
    return on_real + on_fake + _information(of_fake, keys), memory


def generator_cost(networks: Networks, memory: Memory | None, images, latent, keys=None):
    """The same of the generator; the real images only move the discriminator's averages."""
    of_fake = networks.discriminator(_generated(networks, latent, keys))
    with torch.no_grad():
        networks.discriminator(images)
    on_fake, memory = _judged(memory, of_fake, False)
    return _information(of_fake, keys) - on_fake, memory


def training(about: dict, variant: Variant) -> Callable[[], None]:
    """A call that learns from `ITERATIONS` iterations' random images."""
    has_memory = about["slots"] > 0
    networks = Networks(variant.placed(Generator(_Z_DIM + _KEY_DIM * has_memory)),
                        variant.placed(Discriminator(has_memory)))
    of_generator, of_discriminator = (adam(network, 2e-4, (0.5, 0.999)) for network in networks)
    generator_costs, discriminator_costs = variant.compiled(generator_cost), variant.compiled(discriminator_cost)
    images = torch.randint(0, 256, (ITERATIONS, _BATCH, 1, 28, 28), dtype=torch.uint8)
    memory = start(about["slots"]) if has_memory else None

    def step(costs, optimizer, batch):
        nonlocal memory
        keys = None
        if memory:
            keys = memory.keys[torch.multinomial(memory.histogram * memory.values, _BATCH, replacement=True)]
        with variant.autocast():
            cost, memory = costs(networks, memory, batch, 2.0 * torch.rand(_BATCH, _Z_DIM) - 1.0, keys)
        descend(optimizer, cost)

    def iterate():
        for batch in images:
            batch = variant.placed(batch / 255.0)
            step(discriminator_costs, of_discriminator, batch)
            networks.discriminator.requires_grad_(False)
            step(generator_costs, of_generator, batch)
            networks.discriminator.requires_grad_(True)

    return iterate
