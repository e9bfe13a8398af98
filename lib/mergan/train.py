"""Training a MeRGAN run: task after task (`mergan.py`) or all classes at once (`joint.py`)."""

import contextlib
import dataclasses
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lib import device, files, optimizers, pictures, randomness, tf1
from lib.errors import UserError
from lib.mergan import replay
from lib.mergan.config import Config
from lib.mergan.data import ByClass
from lib.mergan.networks import Networks, build_networks, copy_weights, tf1_variables
from lib.mergan.step import (GENERATOR_QUANTITIES, Optimizers, build_fisher, build_optimizers, checkpoint_variables,
                             draw_latent, estimate_fisher, make_steps)
from lib.run import replicas, runner
from lib.run.options import Options
from lib.run.repeat import advancing

_FIXED_SAMPLES = 100  # per class in a picture, always of the same noise
_JOINT_ROWS = 10  # latent vectors in the picture of joint training, a column per class
_CHECKPOINT_EVERY = 4000
_PICTURE_EVERY = 200


def model_prefix(directory: Path, config: Config, task: int, iteration: int) -> Path:
    """Where the original puts the checkpoint of a task: `model/WGAN_GP.model<class>-<iteration>`."""
    name = "" if config.joint else config.data.classes[task]
    return Path(directory) / "model" / f"WGAN_GP.model{name}-{iteration}"


def _draws_at(iteration: int) -> bool:
    """Iterations whose samples are drawn: every 200th, and the powers of two."""
    return iteration % _PICTURE_EVERY == 0 or iteration & (iteration - 1) == 0


def fixed_noise(config: Config) -> tf.Tensor:
    """The latent vectors [100, 128] of all sample pictures; in joint training ten, each once for every class."""
    key = randomness.key(config.seed, "fixed noise")
    if config.joint:
        return tf.repeat(draw_latent(key, _JOINT_ROWS), len(config.data.classes), axis=0)
    return draw_latent(key, _FIXED_SAMPLES)


@tf.function(reduce_retracing=True)
def _sample_classes(generator, noise, classes):
    return replay.generate_classes(generator, tf.repeat(noise[None], classes, axis=0))


class Pictures:
    """Draws a run's sample pictures, under the original's names."""

    def __init__(self, config: Config, networks: Networks, directory: Path, log):
        self._config, self._generator, self._log = config, networks.generator, log
        self._directory = Path(directory) / "samples"
        self._noise = fixed_noise(config)

    def groundtruth(self, name: str, images: np.ndarray) -> None:
        pixels = pictures.groundtruth_pixels(pictures.to_float(images))
        pictures.save_grid(self._directory / f"samples_groundtruth_{name}.png", pixels)

    def of_task(self, task: int, iteration: int, step: int) -> None:
        """One 10x10 grid for every class learned so far, and their first vectors side by side for TensorBoard."""
        images = _sample_classes(self._generator, self._noise, task + 1).numpy()
        by_class = pictures.truncated_pixels(images).reshape(task + 1, _FIXED_SAMPLES, *images.shape[1:])
        for name, pixels in zip(self._config.data.classes, by_class):
            pictures.save_grid(self._directory / f"Task_{task + 1}_Iter_{iteration}_{name}.png", pixels)
        overview = pictures.grid(by_class[:, :10].reshape(-1, *images.shape[1:]), columns=10)
        self._log.picture("samples", overview.astype(np.uint8), step)

    def of_unconditional(self, task: int, iteration: int, step: int) -> None:
        """One 10x10 grid of a generator that knows no classes (deep generative replay)."""
        images = self._generator(self._noise, tf.zeros([_FIXED_SAMPLES], tf.int32)).numpy()
        pixels = pictures.truncated_pixels(images)
        pictures.save_grid(self._directory / f"Task_{task + 1}_Iter_{iteration}.png", pixels)
        self._log.picture("samples", pictures.grid(pixels).astype(np.uint8), step)

    def of_joint(self, iteration: int) -> None:
        """One grid: a row per latent vector, a column per class."""
        classes = len(self._config.data.classes)
        labels = tf.tile(tf.range(classes), [_JOINT_ROWS])
        pixels = pictures.truncated_pixels(self._generator(self._noise, labels).numpy())
        pictures.save_grid(self._directory / f"samples_{iteration}.png", pixels, columns=classes)
        self._log.picture("samples", pictures.grid(pixels, columns=classes).astype(np.uint8), iteration)


def _print_means(step: int, means: dict[str, float]) -> None:
    tqdm.write("\n".join([f"iter {step}", *(f"{name}\t{mean:.6f}" for name, mean in means.items())]))
    sys.stdout.flush()  # a log file should grow while the run does


def _advance(steps, batches, critic_steps: int):
    """The runner's view of `steps.iterate` over a stream of batches."""

    def take(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batches.take(first * critic_steps, count * critic_steps)
        return images.reshape(count, critic_steps, *images.shape[1:]), labels.reshape(count, critic_steps, -1)

    everything = advancing(steps.iterate, take)

    def advance(first: int, count: int) -> dict[str, dict[int, float]]:
        history = everything(first, count)
        for name in GENERATOR_QUANTITIES:  # iteration 0 has no generator step
            history.get(name, {}).pop(0, None)
        return history

    return advance


class Training:
    """What the phases of a run share: its networks, their optimisers and where the results go."""

    def __init__(self, config: Config, networks: Networks, run: runner.Run, optimizers_: Optimizers, fisher,
                 jit: bool, strategy: tf.distribute.Strategy | None):
        self.config, self.networks, self.run, self.optimizers = config, networks, run, optimizers_
        self.fisher, self.jit, self.strategy = fisher, jit, strategy
        self.pictures = Pictures(config, networks, run.directory, run.log)

    def tasks(self, data: ByClass) -> None:
        """Class after class; after each the replay generator becomes a copy of the generator."""
        draw = self.pictures.of_unconditional if self.config.generative_replay else self.pictures.of_task
        for task in range(self.run.phase, self.config.tasks):
            name, batches = self.config.data.classes[task], data.of(task)
            self.pictures.groundtruth(name, batches.take(0, 1)[0][0])
            self._phase(batches, lambda i: draw(task, i, task * self.config.iterations + i),
                        label=f"task {task + 1}/{self.config.tasks} ({name})")
            self.remember(task)

    def remember(self, task: int) -> None:
        """What the next task needs of the one just learned."""
        copy_weights(self.networks.generator, self.networks.replay)
        if self.config.generative_replay:
            copy_weights(self.networks.solver, self.networks.replay_solver)
        if self.config.consolidation:
            estimate_fisher(self.config, self.networks, self.fisher, task)
        self.run.next_phase()

    def joint(self, data: ByClass) -> None:
        """All classes at once."""
        batches = data.mixed()
        # The original names this picture after a task that joint training does not have.
        self.pictures.groundtruth("4", batches.take(0, 1)[0][0])
        self._phase(batches, self.pictures.of_joint, label="joint training")
        self.run.next_phase()

    def _phase(self, batches, draw, label: str) -> None:
        """The iterations of one task, or of a joint training; `draw(iteration)` makes the sample pictures."""
        if self.run.iteration == 0:
            for optimizer in filter(None, self.optimizers):
                optimizers.reset(optimizer)
        total, task = self.config.iterations, self.run.phase
        steps = make_steps(self.config, self.networks, self.optimizers, task, self.fisher, self.jit,
                           self.strategy)

        def save(iteration):
            tf1.write(model_prefix(self.run.directory, self.config, task, iteration),
                      checkpoint_variables(self.config, self.networks, self.optimizers))
            self.run.log.write_pickle(self.run.directory / "log.pkl")
            self.run.log.draw_curves()

        self.run.train(_advance(steps, batches, self.config.critic_steps), [
            runner.log_event(self.run, _print_means),
            runner.Event(lambda i: _draws_at(i) or i == total - 1, draw),
            runner.Event(lambda i: i % _CHECKPOINT_EVERY == 0 or i == total - 1, save),
        ], label=label)


def run(config: Config, directory: Path, data_dir: str, load_model: str = "",
        options: Options = Options()) -> None:
    """Train, writing what the original writes under `directory`.

    Args:
      load_model: TF1-form checkpoint to start from; training then begins with task 1, as in the original.

    Raises:
      TryAgain: another worker of a `multi_worker` strategy is lost.
    """
    strategy = device.strategy(options.strategy)
    with replicas.with_other_workers(strategy):
        _run(config, Path(directory), data_dir, load_model, options, strategy)


def _run(config: Config, directory: Path, data_dir: str, load_model: str, options: Options,
         strategy: tf.distribute.Strategy | None) -> None:
    data = ByClass(config.dataset, config.data.classes, config.data.side, data_dir, config.batch_size, config.seed,
                   config.tf1_exact)
    jit = device.jit(options.jit, distributed=strategy is not None)
    if strategy:
        _check_shares(config, strategy.num_replicas_in_sync)
    with strategy.scope() if strategy else contextlib.nullcontext():
        networks = build_networks(config.data, replay=not config.joint, solver=config.generative_replay,
                                  seed=config.seed, dtype=config.precision)
        optimizers_ = build_optimizers(config, networks)
    fisher = build_fisher(networks) if config.consolidation else []
    state = {**_present("network", networks), **_present("optimizer", optimizers_), "fisher": fisher}
    settings = {"system": "MeRGAN", **dataclasses.asdict(config), "load_model": load_model}
    if strategy:  # batch statistics, and so the run, depend on it
        settings["replicas"] = strategy.num_replicas_in_sync
    _print_settings(settings)
    with (replicas.directory(strategy, directory) as own,
          runner.Run(own, settings, state, options, [config.iterations] * config.tasks,
                     replicas.stop_together(strategy)) as run):
        _make_directories(run.directory)
        if run.is_complete:
            print(f"{directory} is complete; --test evaluates it, another --result_path trains again")
            return
        training = Training(config, networks, run, optimizers_, fisher, jit, strategy)
        if load_model and (run.phase, run.iteration) == (0, 0):
            tf1.assign(load_model, tf1_variables(networks))
            training.remember(0)
        training.joint(data) if config.joint else training.tasks(data)


def _check_shares(config: Config, devices: int) -> None:
    """Refuse what cannot be shared among so many replicas."""
    if config.consolidation or config.generative_replay:
        raise UserError("--strategy does not go with --EWC and --DGR; leave it out")
    if config.batch_size % devices:
        raise UserError(f"--strategy: {config.batch_size} images cannot be shared by {devices} devices; hide some of "
                        "them with CUDA_VISIBLE_DEVICES or take fewer workers")
    replays = config.tasks > 1 and (config.replay_alignment or config.joint_replay)
    if replays and config.replay_samples(config.tasks - 1) < devices:
        raise UserError(f"--strategy: {config.replay_samples(config.tasks - 1)} replayed images of a class are fewer "
                        f"than {devices} devices; hide some of them with CUDA_VISIBLE_DEVICES or take fewer workers")


def _present(kind: str, named: tuple) -> dict:
    """The fields of a NamedTuple that are there, under names for the resume points."""
    return {f"{name}_{kind}": value for name, value in named._asdict().items() if value is not None}


def _make_directories(directory: Path) -> None:
    for kind, folder in (("sample", "samples"), ("checkpoint", "model")):
        path = directory / folder
        if not path.exists():
            print(f"*** create {kind} dir {path}")
            files.make_directory(path)


def _print_settings(settings: dict) -> None:
    print("Uppercase local vars:")
    for name, value in sorted(settings.items()):
        print(f"\t{name.upper()}: {value}")
