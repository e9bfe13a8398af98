"""Where and how exactly a run computes: devices, precision, determinism, XLA. Decided once, at the start."""

import dataclasses
import functools
import os

from lib.errors import UserError
from lib.run import output

with output.without_startup_lines():
    import tensorflow as tf


def _compute_capability() -> tuple[int, int] | None:
    """Of the first GPU, None without one."""
    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0]).get("compute_capability") if gpus else None


def prepare(config, options):
    """Set up the devices, say what there is, and settle what `--precision=auto` stands for.

    Args:
      config: a system's `Config`.
      options: `lib.run.options.Options`.
    """
    print(set_up(options.deterministic, options.threads))
    return dataclasses.replace(config, precision=precision(config.precision))


def threads() -> int:
    """With how many threads a step computes on a CPU."""
    asked = tf.config.threading.get_intra_op_parallelism_threads() or os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if str(asked).isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _take_threads(count: int) -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError as error:  # something was computed already
        raise UserError(f"--threads={count}: this process computes with {threads()} threads already; start it anew"
                        ) from error


def set_up(deterministic: bool = False, count: int = 0) -> str:
    """Set up the devices; returns the line that says what there is.

    `deterministic`: only kernels that give the same result each time (slower on a GPU; a CPU needs no asking).
    `count`: of threads; 0: TensorFlow's own choice.
    """
    if count and count != tf.config.threading.get_intra_op_parallelism_threads():
        _take_threads(count)
    gpus = tf.config.list_physical_devices("GPU")
    try:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise UserError(f"the GPUs are already in use by this process: {error}") from error
    # TensorFlow's default on newer GPUs keeps ten bits of the factors: the golden figures ask for all of float32.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return f"device: {described()}"


def described() -> str:
    """What there is to compute on, in words."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return f"CPU, threads: {threads()}"
    return ", ".join(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus)


def precision(name: str) -> str:
    """The Keras dtype policy of `--precision`. `auto` is float32 unless a GPU has matrix units for less."""
    if name != "auto":
        return name
    capability = _compute_capability()
    if capability is None or capability < (7, 0):
        return "float32"
    return "mixed_bfloat16" if capability >= (8, 0) else "mixed_float16"


def _on_gpu() -> bool:
    """Whether computations land on a GPU here."""
    return "GPU" in tf.zeros([]).device


def strategy(name: str) -> tf.distribute.Strategy | None:
    """How `--strategy` spreads the steps; prints over how many devices.

    `mirrored`: all GPUs, without any the CPUs. `multi_worker`: those of several processes, which TF_CONFIG names; to
    be called before anything is computed. Raises `UserError` if it does not.
    """
    if name == "none":
        return None
    if name == "multi_worker":
        return _multi_worker()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    print(f"strategy: {name} over {', '.join(device.name for device in devices)}")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _multi_worker() -> tf.distribute.Strategy:
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    try:
        workers, number = resolver.cluster_spec().num_tasks("worker"), resolver.task_id
    except ValueError as error:
        raise UserError("--strategy=multi_worker: TF_CONFIG does not name the workers; `python -m lib.workers 2 "
                        "mergan.py ...` starts two on this machine") from error
    strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    print(f"strategy: worker {number} of {workers}, {strategy.num_replicas_in_sync} replicas in all", flush=True)
    return strategy


def jit(choice: str, distributed: bool = False) -> bool:
    """Whether XLA compiles the steps, by `--jit`; prints what it decides.

    XLA fuses what a GPU would run as many small kernels. Its convolutions on a CPU, though, are far from oneDNN's: the
    MNIST critic step took six times as long.
    """
    if distributed:  # XLA refuses the variables of other devices
        if choice == "on":
            raise UserError("--jit=on does not go with --strategy; leave one of them out")
        print("jit: off (not with --strategy)")
        return False
    if choice != "auto":
        print(f"jit: {choice}")
        return choice == "on"
    on = _on_gpu()
    print("jit: on (auto: on a GPU)" if on else "jit: off (auto: on a CPU XLA is slower)")
    return on


# `tf.function` without autograph, which would read all the code below, some seconds of each start, to find nothing to
# convert. A loop over tensors is a `tf.while_loop`.
graph = functools.partial(tf.function, autograph=False)


def compiled(function, by_xla: bool):
    """The function compiled by XLA, or as it is: part of whatever graph calls it.

    Random numbers are drawn outside: XLA's differ.
    """
    return graph(function, jit_compile=True) if by_xla else function
