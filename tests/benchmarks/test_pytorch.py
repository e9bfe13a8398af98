"""The PyTorch twins cost what ours do: the same weights, images and noise, and a mirror where paddings differ."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e .[bench]")
import torch  # noqa: E402
from torch import nn  # noqa: E402

from benchmarks.pytorch import lvae as lvae_twin  # noqa: E402
from benchmarks.pytorch import memorygan as memorygan_twin  # noqa: E402
from benchmarks.pytorch import mergan as mergan_twin  # noqa: E402
from benchmarks.pytorch import twins  # noqa: E402
from benchmarks.timing import Case  # noqa: E402
from lib.mergan import losses as mergan_losses  # noqa: E402
from lib.mergan import replay  # noqa: E402
from lib.mergan.config import Config  # noqa: E402
from lib.mergan.networks import build_networks  # noqa: E402
from lib.ops.norm import BatchNorm  # noqa: E402
from lvae import fork, lifelong  # noqa: E402
from lvae.config import make_config as lvae_config  # noqa: E402
from lvae.networks import Latents, Networks  # noqa: E402
from lvae.posterior import LatentNoise  # noqa: E402
from memorygan import losses as memorygan_losses  # noqa: E402
from memorygan import memory, networks  # noqa: E402
from memorygan.config import make_config  # noqa: E402

RANDOM = np.random.default_rng


def close(theirs, ours):
    np.testing.assert_allclose(theirs.detach().numpy(), ours.numpy(), rtol=1e-4, atol=1e-5)


def mirrored(array: np.ndarray) -> np.ndarray:
    """[..., height, width] upside down and back to front."""
    return array[..., ::-1, ::-1]


def tensor(array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def of_images(images: np.ndarray) -> torch.Tensor:
    """NHWC -> mirrored NCHW."""
    return tensor(mirrored(images.transpose(0, 3, 1, 2)))


def of_kernel(kernel, mirror: bool = True) -> np.ndarray:
    """TF's convolution kernel [y, x, in, out] as PyTorch's [out, in, y, x]; transposed ones likewise."""
    kernel = np.transpose(kernel.numpy(), (3, 2, 0, 1))
    return mirrored(kernel) if mirror else kernel


def put(parameter: torch.Tensor, value) -> None:
    with torch.no_grad():
        parameter.copy_(tensor(value))


def shaken(model) -> None:
    """Nothing stays zero or one, which a mistake might leave alone."""
    for number, variable in enumerate(model.trainable_variables):
        variable.assign_add(0.1 * tf.random.stateless_normal(variable.shape, [0, number]) / len(variable.shape) ** 2)


# --- Which steps have twins -----------------------------------------------------------------------------------------


def test_whole_iterations_have_a_twin_in_each_variant_of_their_precision(monkeypatch):
    monkeypatch.setattr(twins, "compiler", lambda: "g++")
    for system in (lvae_twin, memorygan_twin, mergan_twin):
        monkeypatch.setattr(system, "training", lambda about, variant: variant.name)

    def programs(system, dataset, step="iteration", precision="float32", jit=False):
        about = {"system": system, "dataset": dataset, "step": step, "precision": precision, "jit": jit}
        return [twin.call for twin in twins.of([Case(about, None, 1.0), Case(about | {"jit": True}, None, 1.0)])]

    assert programs("MeRGAN", "svhn") == ["eager", "channels last", "compiled"]
    assert programs("memoryGAN", "fashion", precision="mixed_bfloat16") == ["bfloat16"]
    assert programs("Lifelong VAE", "mnist") == ["eager", "channels last", "compiled"]
    assert programs("Lifelong VAE", "fashion_dnn") == ["eager", "compiled"]
    assert programs("MeRGAN", "lsun") == programs("memoryGAN", "cifar10") == []
    assert programs("MeRGAN", "mnist", step="critic") == programs("yardstick", "mnist", step="critic") == []
    assert programs("MeRGAN", "mnist", precision="mixed_float16") == []
    monkeypatch.setattr(twins, "compiler", lambda: None)
    assert programs("MeRGAN", "mnist") == ["eager", "channels last"]


# --- MeRGAN ---------------------------------------------------------------------------------------------------------


def generator_of(ours) -> mergan_twin.Generator:
    shaken(ours)
    twin = mergan_twin.Generator(1)
    put(twin.dense.weight, mirrored(ours.input_linear.kernel.numpy().reshape(128, 128, 4, 4)).reshape(128, 2048).T)
    put(twin.dense.bias, mirrored(ours.input_linear.bias.numpy().reshape(128, 4, 4)).ravel())
    for norm, theirs in zip((ours.norm1, ours.norm2, ours.norm3), twin.norms):
        put(theirs.scale, norm.scale)
        put(theirs.offset, norm.offset)
    for layer, theirs in zip((ours.conv2, ours.conv3, ours.conv5), twin.convolutions):
        put(theirs.weight, of_kernel(layer.kernel))
        put(theirs.bias, layer.bias)
    return twin


def critic_of(ours) -> mergan_twin.Critic:
    shaken(ours)
    twin = mergan_twin.Critic(1)
    for layer, theirs in zip((ours.conv1, ours.conv2, ours.conv3), twin.convolutions):
        put(theirs.weight, of_kernel(layer.kernel))
        put(theirs.bias, layer.bias)
    for layer, theirs in ((ours.score, twin.score), (ours.logits, twin.logits)):
        put(theirs.weight, mirrored(layer.kernel.numpy().T.reshape(-1, 128, 4, 4)).reshape(-1, 2048))
        put(theirs.bias, layer.bias)
    return twin


@pytest.fixture(scope="module")
def mergan():
    """Our networks and their twins."""
    ours = build_networks(Config("mnist", 1).data)
    return ours, mergan_twin.Networks(generator_of(ours.generator), critic_of(ours.critic), generator_of(ours.replay))


def normal(seed: int, *shape: int) -> np.ndarray:
    return RANDOM(seed).normal(size=shape).astype(np.float32)


LABELS, NOISE, REPLAYED = np.array([3, 1, 4, 1, 5, 9]), normal(0, 6, 128), normal(1, 3, 4, 128)


def test_the_critics_cost_with_its_penalty_and_with_joint_replay(mergan):
    ours, theirs = mergan
    config, images = Config("mnist", 1), np.tanh(normal(2, 6, 32, 32, 1))
    alpha = RANDOM(3).random((6, 1), np.float32)
    costs = mergan_losses.critic_costs(ours.generator, ours.critic, images, LABELS, NOISE, alpha)
    old = replay.joint_replay_costs(ours.generator, ours.replay, ours.critic, tf.constant(REPLAYED))
    arguments = of_images(images), tensor(LABELS), tensor(NOISE), tensor(alpha[:, :, None, None])
    close(mergan_twin.penalty(theirs.critic, of_images(images)),
          mergan_losses.losses.gradient_penalty(lambda x: ours.critic(x).score, tf.constant(images)))
    close(mergan_twin.critic_cost(theirs, *arguments), costs.total(config))
    close(mergan_twin.critic_cost(theirs, *arguments, replayed=tensor(REPLAYED)),
          costs.total(config) + old.critic_total(config))


def test_the_generators_cost_with_each_method(mergan):
    ours, theirs = mergan
    config = Config("mnist", 1)
    cost = mergan_losses.generator_costs(ours.generator, ours.critic, LABELS, NOISE).total(config)
    replayed = tf.constant(REPLAYED)
    joint = replay.joint_replay_costs(ours.generator, ours.replay, ours.critic, replayed).generator_total(config)
    aligned = replay.alignment_cost(config, replay.alignment_distances(ours.generator, ours.replay, replayed))
    for more, name in ((0.0, None), (joint, "replayed"), (aligned, "aligned")):
        old = {name: tensor(REPLAYED)} if name else {}
        close(mergan_twin.generator_cost(theirs, tensor(LABELS), tensor(NOISE), **old), cost + more)


# --- memoryGAN ------------------------------------------------------------------------------------------------------


def of_parts(twin: nn.Sequential, ours) -> nn.Sequential:
    """Weights of memoryGAN's layers and norms, one after the other."""
    shaken(ours)
    layers = [layer for layer in twin if list(layer.parameters())]
    for part, theirs in zip(ours.parts(), layers, strict=True):
        if isinstance(part, BatchNorm):
            put(theirs.bias, channels_first(part.offset.numpy()))
            continue
        kernel = part.kernel.numpy()
        put(theirs.weight, channels_first(kernel.T) if kernel.ndim == 2 else of_kernel(part.kernel))
        if part.use_bias:
            put(theirs.bias, part.bias)
    return twin


def channels_first(values: np.ndarray) -> np.ndarray:
    """What belongs to each value of the map [7, 7, 128] behind a dense layer, in the twin's order."""
    if len(values) != 7 * 7 * 128:
        return values
    return values.reshape(7, 7, 128, -1)[::-1, ::-1].transpose(2, 0, 1, 3).reshape(values.shape)


def some_memory(slots: int) -> memory.MemoryState:
    """No two ages are equal, since PyTorch does not say which of equals it takes first."""
    random = RANDOM(4)
    return memory.MemoryState(*map(tf.constant, (
        memory.normalise(normal(5, slots, 256)).numpy(), random.integers(0, 2, slots).astype(np.float32),
        random.permutation(slots).astype(np.float32), random.uniform(1.0, 1.05, slots).astype(np.float32))))


@pytest.mark.full
@pytest.mark.parametrize("model", ["MemoryGAN", "GAN"])
def test_memorygans_costs_and_its_memory_afterwards(model):
    config = make_config("fashion", model=model, discriminator="memory_d", mem_size=300)
    ours = networks.build_networks(config)
    copies = memorygan_twin.Networks(of_parts(memorygan_twin.Generator(config.generator_inputs), ours.generator),
                                     of_parts(memorygan_twin.Discriminator(config.has_memory), ours.discriminator))
    state = some_memory(300) if config.has_memory else None
    images, latent, slots = RANDOM(6).random((8, 28, 28, 1), np.float32), normal(7, 8, 2), np.arange(8)
    theirs = memorygan_twin.Memory(*(tensor(part.numpy()) for part in state)) if state else None
    keys, resets = theirs.keys[slots] if state else None, []
    for forward, cost in ((memorygan_losses.discriminator_pass, memorygan_twin.discriminator_cost),
                          (memorygan_losses.generator_pass, memorygan_twin.generator_cost)):
        result = forward(config, ours, state, images, latent, slots)
        value, after = cost(copies, theirs, of_images(images), tensor(latent), keys)
        close(value, result.costs.total(config))
        if state:
            resets += [update.reset for update in result.updates.values()]
            for part, expected in zip(after, result.updates["fake"].state, strict=True):
                close(part, expected)
    if state:
        assert 0 < np.sum(resets) < np.size(resets)


# --- Lifelong VAE ---------------------------------------------------------------------------------------------------


def vae_of(ours, dense: bool) -> lvae_twin.Vae:
    twin = lvae_twin.Vae(ours.latents.classes, dense)
    for body, theirs in ((ours.encoder, twin.encoder), (ours.decoder, twin.decoder)):
        shaken(body)
        layers = [layer for layer in theirs if list(layer.parameters())]
        norms = [layer for layer in layers if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))]
        for norm, layer in zip(body.norms, norms, strict=True):
            put(layer.weight, norm.scale)
            put(layer.bias, norm.offset)
        for affine, layer in zip(body.affine, [layer for layer in layers if layer not in norms], strict=True):
            put(layer.weight, affine.kernel.numpy().T if dense else of_kernel(affine.kernel, mirror=False))
        put(layers[-1].bias, body.affine[-1].bias)
    return twin


@pytest.mark.parametrize("experiment, forks", [("fashion_dnn", 1), ("fashion_dnn", 5),
                                               pytest.param("mnist", 1, marks=pytest.mark.full)])
def test_the_vaes_cost_with_a_teacher(experiment, forks):
    config = lvae_config(experiment, sequential=True, latent_size=14, use_bn=True)
    dense, batch = experiment == "fashion_dnn", 12
    lineage, before = (lifelong.Lineage(Latents(14, 1), count, count) for count in (forks, forks - 1))
    ours = Networks(fork.build_model(config, lineage), fork.build_model(config, before))
    student, teacher = (vae_of(vae, dense) for vae in ours)
    images = RANDOM(8).random((batch, *config.architecture.input_shape), np.float32)
    normals, uniform = normal(9, 2, batch, 14), RANDOM(10).random((batch, forks + 1), np.float32)
    classes = RANDOM(11).integers(0, forks, batch)
    noise = lifelong.Noise(LatentNoise(*map(tf.constant, (normals[0], uniform))), tf.zeros([batch], tf.int32),
                           lifelong.ReplayNoise(normals[1], tf.constant(classes)))
    current, _ = lifelong.shares(config, lineage, batch)
    outcome = lifelong.student_costs(config, ours, lineage, tf.constant(images), noise, 0.7, training=True)
    assert 0 < current < batch and float(tf.reduce_sum(outcome.costs.consistency)) > 0.0
    value = lvae_twin.cost(student, teacher, tensor(images if dense else images.transpose(0, 3, 1, 2)), current,
                           lvae_twin.Noise(tensor(normals[0]), tensor(uniform), tensor(normals[1]), tensor(classes)),
                           torch.tensor(0.7))
    close(value, outcome.costs.total(config))
