"""A GPU, as far as a CPU can tell: every operation of every iteration has a GPU kernel for its types.

TensorFlow's own registry says so, which its Linux packages fill whether there is a GPU or not.
"""

import functools

import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

from lib.mergan import networks as mergan_networks
from lib.mergan import step as mergan_step
from lib.mergan.config import Config as MerganConfig
from lib.ops import strided
from lvae import config as lvae_config
from lvae.learner import Learner
from memorygan import step as memorygan_step
from memorygan.config import make_config

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# What a graph is given and gives back.
NO_KERNEL = {"Placeholder"}


@functools.cache
def gpu_kernels(operation: str) -> list:
    """Those for GPUs, and those for any device, as of shapes, which the host looks after."""
    return [kernel for kernel in kernels.get_registered_kernels_for_op(operation).kernel
            if kernel.device_type in ("GPU", "DEFAULT")]


def has_kernel(node) -> bool:
    """Whether some GPU kernel takes an operation (NodeDef) with its types."""
    def types(name):
        return node.attr[name].list.type or [node.attr[name].type]

    return any(all(constraint.name not in node.attr
                   or set(types(constraint.name)) <= set(constraint.allowed_values.list.type)
                   for constraint in kernel.constraint) for kernel in gpu_kernels(node.op))


def missing(graph: tf.Graph) -> set[str]:
    """Operations of a graph, and of all functions that it calls, without a kernel."""
    definition = graph.as_graph_def()
    functions = {function.signature.name for function in definition.library.function}
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return {node.op for node in nodes if node.op not in functions | NO_KERNEL and not has_kernel(node)}


def mergan(precision, **settings):
    config = MerganConfig(iterations=2, precision=precision, batch_size=4, critic_steps=1, **settings)
    networks = mergan_networks.networks_of(config)
    return mergan_step.make_steps(config, networks, mergan_step.build_optimizers(config, networks), 1).iterate


def memorygan(precision, **settings):
    config = make_config(precision=precision, batch_size=4, f_dim=4, mem_size=16, key_dim=8, choose_k=4, **settings)
    return memorygan_step.make_steps(config, memorygan_step.build_model(config), 10).iterate


def lvae(precision, experiment):
    learner = Learner(lvae_config.make_config(experiment, precision=precision, batch_size=4, sequential=True))
    learner.visited.append(1)
    learner.fork(1)
    return learner.steps().iterate


ITERATIONS = {
    "MeRGAN, 32x32": lambda precision: mergan(precision, dataset="svhn", replay_alignment=True, joint_replay=True),
    "MeRGAN, 64x64": lambda precision: mergan(precision, dataset="lsun", replay_alignment=True),
    "memoryGAN, 28x28": lambda precision: memorygan(precision, dataset="fashion", fc_dim=8),
    "memoryGAN, residual": lambda precision: memorygan(precision, dataset="cifar10", use_augmentation=True),
    "Lifelong VAE, dense": lambda precision: lvae(precision, "fashion_dnn"),
    "Lifelong VAE, convolutional": lambda precision: lvae(precision, "cifar"),
}


@pytest.mark.full
@pytest.mark.skipif(not gpu_kernels("Conv2D"), reason="this TensorFlow knows no GPU kernels")
@pytest.mark.parametrize("name, precision", [
    pytest.param(name, precision, marks=[pytest.mark.slow] * ("64x64" in name and precision != PRECISIONS[0]))
    for name in ITERATIONS for precision in PRECISIONS])
def test_every_operation_has_a_gpu_kernel(name, precision, monkeypatch):
    monkeypatch.setattr(strided, "_on_cpu", lambda: False)
    assert missing(ITERATIONS[name](precision).get_concrete_function().graph) == set()


@pytest.mark.skipif(not gpu_kernels("Conv2D"), reason="this TensorFlow knows no GPU kernels")
def test_a_missing_kernel_is_seen():
    """No GPU kernel looks into strings, nor adds them."""
    graph = tf.function(lambda x: tf.strings.length(x) + 1, input_signature=[tf.TensorSpec([], tf.string)])
    assert missing(graph.get_concrete_function().graph) == {"StringLength"}
