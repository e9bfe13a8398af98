"""Settings of how a run is kept and where it computes, as opposed to what it computes: flags that all scripts share."""

import dataclasses

from absl import flags

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class Options:
    resume: str = "auto"  # auto: go on where the directory's run stopped; never: refuse to
    checkpoint_every: float = 300.0  # seconds between resume points
    jit: str = "auto"  # on, off or auto: whether XLA compiles the steps, see `device.jit`
    strategy: str = "none"  # none or mirrored: over how many devices a step is spread, see `device.strategy`


def define_flags() -> None:
    """`--seed`, `--resume`, `--checkpoint_every`, `--deterministic` and `--jit`."""
    flags.DEFINE_integer("seed", 0, "Same seed, same run.", lower_bound=0)
    flags.DEFINE_enum("resume", "auto", ["auto", "never"], "auto: go on with the unfinished run of the same settings.")
    flags.DEFINE_float("checkpoint_every", 300.0, "Seconds between resume points.", lower_bound=0.0)
    flags.DEFINE_boolean("deterministic", False, "Same numbers in every run on a GPU too (slower).")
    flags.DEFINE_enum("jit", "auto", ["auto", "on", "off"], "Compile the steps with XLA. auto: on a GPU; on a CPU its "
                      "convolutions are several times slower.")


def define_precision_flag() -> None:
    flags.DEFINE_enum("precision", "auto", ["auto", "float32", "mixed_bfloat16", "mixed_float16"],
                      "What the layers compute in. auto: float32 on a CPU, mixed on a GPU that is made for it.")


def options(**more) -> Options:
    """How the flags ask for the run to be kept; `more`: what only some scripts have flags for."""
    return Options(FLAGS.resume, FLAGS.checkpoint_every, FLAGS.jit, **more)
