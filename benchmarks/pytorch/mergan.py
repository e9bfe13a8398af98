"""MeRGAN's 32x32 networks, costs and iteration in PyTorch: the twin of `lib.mergan`.

Images are NCHW in [-1, 1]. Padding is PyTorch's own, two pixels on either side. TF's SAME pads one before and two
behind, which is the same thing seen in a mirror: of mirrored images with mirrored kernels the costs are equal.
"""

from typing import Callable, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.pytorch.variants import Variant, adam, descend
from benchmarks.timing import ITERATIONS
from lib.mergan.config import DATASETS, LABELS, NOISE

_BATCH = 64
_CRITIC_STEPS = 5
_PENALTY_FACTOR = 10.0
_ALIGNMENT_FACTOR = 1e-4


class ConditionalNorm(nn.Module):
    """Batch norm with the batch's statistics and a scale and an offset per class.

    The batch is `groups` batches one after the other, each with statistics of its own.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(LABELS, channels))
        self.offset = nn.Parameter(torch.zeros(LABELS, channels))

    def forward(self, x, labels, groups: int):
        # Faster than the moments of all groups at once.
        parts = [F.batch_norm(part, None, None, training=True, eps=1e-5) for part in x.chunk(groups)]
        x = parts[0] if groups == 1 else torch.cat(parts)
        return torch.addcmul(self.offset[labels][:, :, None, None], x, self.scale[labels][:, :, None, None])


class Generator(nn.Module):
    """(noise [n, 128], labels [n]) -> images [n, channels, 32, 32]."""

    def __init__(self, channels: int):
        super().__init__()
        self.dense = nn.Linear(NOISE, 128 * 4 * 4)
        sizes = (128, 64, 32, channels)
        self.norms = nn.ModuleList(ConditionalNorm(size) for size in sizes[:-1])
        self.convolutions = nn.ModuleList(
            nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)
            for inputs, outputs in zip(sizes, sizes[1:]))

    def forward(self, noise, labels, groups: int = 1):
        x = self.dense(noise).unflatten(1, (128, 4, 4))
        for norm, convolution in zip(self.norms, self.convolutions):
            x = convolution(F.relu(norm(x, labels, groups)))
        return torch.tanh(x.float())


class Critic(nn.Module):
    """Images [n, channels, 32, 32] -> (critic values [n], class logits [n, 10])."""

    def __init__(self, channels: int):
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)
            for inputs, outputs in ((channels, 32), (32, 64), (64, 128)))
        self.score = nn.Linear(2048, 1)
        self.logits = nn.Linear(2048, LABELS)

    def features(self, x):
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2, inplace=True)
        return x.flatten(1)

    def forward(self, images):
        x = self.features(images)
        return self.score(x)[:, 0].float(), self.logits(x).float()


class Networks(NamedTuple):
    generator: Generator
    critic: Critic
    replay: Generator | None = None  # as the generator was before the task; None where nothing is replayed


@torch.compiler.disable  # it has no second derivatives; through torch.func.grad it has, and is slower
def penalty(critic, points):
    """mean (|d score / d point| - 1)^2 over points [n, c, 32, 32]."""
    points = points.requires_grad_()
    scores = critic.score(critic.features(points))
    slopes, = torch.autograd.grad(scores.sum(), points, create_graph=True)
    return (slopes.float().flatten(1).norm(dim=1) - 1.0).square().mean()


def critic_cost(networks: Networks, images, labels, noise, alpha, replayed=None):
    """The critic's cost on real images [n, c, 32, 32].

    Args:
      alpha: weights [n, 1, 1, 1] of the generated images in the penalty's points.
      replayed: noise [old classes, m, 128] of JTR.
    """
    generator, critic, replay = networks
    with torch.no_grad():
        batches = [images, generator(noise, labels)]
        points = torch.lerp(*batches, alpha)
        if replayed is not None:
            batches += [_of_classes(network, replayed) for network in (replay, generator)]
    scores, logits = critic(torch.cat(batches))
    sizes = [len(batch) for batch in batches]
    real, fake, *old = scores.split(sizes)
    cost = (fake.mean() - real.mean() + _PENALTY_FACTOR * penalty(critic, points)
            + F.cross_entropy(logits[:len(images)], labels))
    if replayed is not None:
        remembered, new = old
        cost = cost + len(replayed) * (
            new.mean() - remembered.mean() + F.cross_entropy(logits.split(sizes)[2], _old_labels(replayed)))
    return cost


def generator_cost(networks: Networks, labels, noise, replayed=None, aligned=None):
    """The generator's cost; `replayed` and `aligned`: noise [old classes, m, 128] of JTR and of RA."""
    generator, critic, replay = networks
    batches = [generator(noise, labels)]
    if replayed is not None:
        batches.append(_of_classes(generator, replayed))
    scores, logits = critic(torch.cat(batches))
    sizes = [len(batch) for batch in batches]
    score, *old = scores.split(sizes)
    cost = F.cross_entropy(logits[:len(noise)], labels) - score.mean()
    if replayed is not None:
        cost = cost + len(replayed) * (F.cross_entropy(logits.split(sizes)[1], _old_labels(replayed)) - old[0].mean())
    if aligned is not None:
        with torch.no_grad():
            remembered = _of_classes(replay, aligned)
        distance = F.mse_loss(_of_classes(generator, aligned), remembered, reduction="sum")
        cost = cost + _ALIGNMENT_FACTOR * 0.5 * distance / len(aligned)
    return cost


def _old_labels(noise):
    return torch.arange(noise.shape[0]).repeat_interleave(noise.shape[1])


def _of_classes(generator, noise):
    """Images of noise [old classes, m, 128], class i with label i and normalised alone."""
    return generator(noise.flatten(0, 1), _old_labels(noise), groups=noise.shape[0])


def training(about: dict, variant: Variant) -> Callable[[], None]:
    """A call that learns from `ITERATIONS` iterations' random images."""
    channels, past = DATASETS[about["dataset"]].channels, about["past"]
    networks = Networks(*(variant.placed(kind(channels)) for kind in (Generator, Critic, Generator)))
    of_generator, of_critic = (adam(network, 1e-4, (0.0, 0.9)) for network in networks[:2])
    generator_costs, critic_costs = variant.compiled(generator_cost), variant.compiled(critic_cost)
    images = torch.randint(0, 256, (ITERATIONS, _CRITIC_STEPS, _BATCH, channels, 32, 32), dtype=torch.uint8)
    labels = torch.full((_BATCH,), past)

    def replayed(method):
        return torch.randn(past, _BATCH // past, NOISE) if about["method"] == method else None

    def generator_step():
        networks.critic.requires_grad_(False)
        with variant.autocast():
            cost = generator_costs(networks, labels, torch.randn(_BATCH, NOISE), replayed("JTR"), replayed("RA"))
        descend(of_generator, cost)
        networks.critic.requires_grad_(True)

    def critic_step(batch):
        batch = variant.placed(batch / 127.5 - 1.0)
        with variant.autocast():
            cost = critic_costs(networks, batch, labels, torch.randn(_BATCH, NOISE), torch.rand(_BATCH, 1, 1, 1),
                                replayed("JTR"))
        descend(of_critic, cost)

    def iterate():
        for batches in images:
            generator_step()
            for batch in batches:
                critic_step(batch)

    return iterate
