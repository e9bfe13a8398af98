"""Training a memoryGAN run, epoch after epoch, with the files and lines of the original."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lib import device, files, pictures, tf1
from lib.errors import UserError
from lib.run import place, provenance, replicas
from lib.run.options import Options
from lib.run.repeat import advancing
from lib.run.runner import Event, Run
from memorygan import checkpoint, data, memory
from memorygan.config import Command, Config, batches_drawn, ended_epoch, max_iterations
from memorygan.data import TrainingSet
from memorygan.samples import Sampler, sample_picture
from memorygan.step import Model, build_model, make_steps

_SAMPLE_BATCHES = 100  # per file of samples
_FIRST_SAVED_EPOCH = 101
# Every iteration is watched for bad numbers; keeping each would fill the memory over 1500 epochs.
_KEPT_EVERY = 20
_FLUSHED_EVERY = 100
_TEST_BATCH = 500


class Places(NamedTuple):
    """The original's three directories of a run, all below the working directory."""

    logs: Path
    checkpoints: Path
    samples: Path


def find_places(config: Config, exp: str, settings: dict, options: Options) -> Places:
    """Where to train: the newest unfinished run of these settings, or a new one stamped with the time."""
    logs = Path("logs") / exp
    known = _known_runs(exp, options)
    directory = place.newest_unfinished(known, settings) or place.reserved(logs / stamp for stamp in _stamps(config))
    return _places(exp, directory.name)


@contextlib.contextmanager
def _places_of_worker(config: Config, exp: str, settings: dict, options: Options,
                      strategy: tf.distribute.Strategy | None) -> Iterator[Places]:
    """The same of the first or only worker; of every other one directories that are removed at the end."""
    if replicas.keeps_run(strategy):
        yield find_places(config, exp, settings, options)
        return
    there = place.newest_unfinished(_known_runs(exp, options), settings)
    with replicas.directory(strategy, there) as own:
        yield Places(own, own / "checkpoint", own / "samples")


def _known_runs(exp: str, options: Options) -> list[Path]:
    """The newest first; none where a new run is asked for."""
    return sorted(Path("logs", exp).glob("*"), reverse=True) if options.resume == "auto" else []


def _places(exp: str, name: str) -> Places:
    return Places(*(Path(kind) / exp / name for kind in ("logs", "checkpoint", "samples")))


def _test(logs: Path) -> str:
    """The command line that evaluates a run."""
    return provenance.command("--is_train=False", f"--load_cp_dir={Path('checkpoint', *logs.parts[1:])}")


def _stamps(config: Config) -> Iterator[str]:
    """The original's name of a run that starts now; of one that starts in the same second, the next second's."""
    while True:
        yield f"{time.strftime('%Y-%m-%d-%H:%M:%S')}_{config.model}_{config.lr:g}"
        time.sleep(1.0)


def run(config: Config, command: Command, options: Options = Options()) -> Places:
    """Train, writing what the original writes to `logs/`, `checkpoint/` and `samples/` of the working directory.

    A run that starts from a checkpoint (`load_cp_dir`) begins its iterations, epochs and order of data anew, as in the
    original.

    Raises:
      UserError: data that are missing, broken or too few, a checkpoint that does not fit, a NaN or infinity.
      TryAgain: another worker of a `multi_worker` strategy is lost.
    """
    strategy = device.strategy(options.strategy)
    with replicas.with_other_workers(strategy):
        return _run(config, command, options, strategy)


def _run(config: Config, command: Command, options: Options, strategy: tf.distribute.Strategy | None) -> Places:
    images = data.open_training(config, command.data_dir)
    limit = max_iterations(config, images.examples)
    if limit < 2:
        raise UserError(f"{images.examples} images in batches of {config.batch_size} make no iteration in "
                        f"{config.epoch} epoch(s); use a smaller --batch_size or more epochs")
    settings = {"system": "memoryGAN", **config.as_settings(), "load_cp_dir": command.load_cp_dir,
                **replicas.settings(strategy)}
    if strategy:
        replicas.require_equal_shares(config.batch_size, strategy.num_replicas_in_sync)
    if not replicas.keeps_run(strategy):
        command = dataclasses.replace(command, keep=1)  # of what is removed at the end anyway
    finished = place.finished_one(_known_runs(command.exp, options), settings, images.origin)
    if finished:
        print(f"{finished} is complete; --resume=never trains again, and this evaluates it: {_test(finished)}")
        return _places(command.exp, finished.name)
    jit = device.jit(options.jit, distributed=strategy is not None)
    with replicas.scope(strategy):
        model = build_model(config)
    space = Space(config, command, model)
    # Iterations 1 to limit - 1 of the original, which the runner counts from 0.
    with (_places_of_worker(config, command.exp, settings, options, strategy) as places,
          Run(places.logs, settings, checkpoint.state(model), options, [limit - 1], replicas.stop_together(strategy),
              space.whole, images.origin) as run):
        # As the original, which looks for a checkpoint of the run itself first, and says so either way.
        print(" [*] Reading checkpoints...")
        print(" [*] Load SUCCESS" if run.iteration or run.is_complete else " [!] Load failed...")
        if command.load_cp_dir and not run.is_complete and run.iteration == 0:
            print(" [*] Reading checkpoints...")
            checkpoint.restore(checkpoint.latest(Path(command.load_cp_dir)), model)
        for directory in (*places, places.logs / "prior"):
            files.make_directory(directory)
            files.remove_temporaries(directory)
        for path in data.paths(config, command.data_dir):
            print(f"Extracting {path}")
        print(f"[*] Traing Start : N={images.examples}, Batch={config.batch_size}, epoch={config.epoch}, "
              f"max_iter={limit}", flush=True)
        if not run.is_complete:
            test_images = data.load_test_images(config, command.data_dir)
            space.require(places.checkpoints)
            Training(config, model, images, test_images, places, run, jit, strategy).epochs(command)
            run.next_phase()
        run.finish(_test(places.logs))
    return places


class Space:
    """What a run's checkpoints and samples take on the disk."""

    def __init__(self, config: Config, command: Command, model: Model):
        periodic = [epoch for epoch in range(_FIRST_SAVED_EPOCH, config.epoch) if epoch % command.save_every == 0]
        saves = len(periodic) + 1  # the last is written in any case
        self.kept = min(saves, command.keep) if command.keep else saves
        self.most = min(saves, self.kept + 1)  # the new one is there before the old one goes
        drawn = _SAMPLE_BATCHES * config.batch_size * (config.data.side**2 * config.data.channels + config.z_dim)
        self.of_save = _bytes(checkpoint.variables(model).values()) + drawn * 4
        self._epochs = config.epoch

    @property
    def whole(self) -> str:
        """The run and its size, in words."""
        return (f"all {self._epochs} epochs, with {files.size(self.kept * self.of_save)} of checkpoints and samples "
                f"({self.kept} of {files.size(self.of_save)})")

    def require(self, checkpoints: Path) -> None:
        """Raise `UserError` where the disk cannot hold what is still to come."""
        there = len(list(checkpoints.glob("model-*.index")))
        files.require_space(checkpoints, max(self.most - there, 0) * self.of_save, "checkpoints and samples",
                            "free some space, or write fewer with --save_every, or keep the newest N with --keep N")


def _bytes(variables) -> int:
    """Of the values, which are all of 4 bytes."""
    return 4 * sum(int(np.prod(variable.shape)) for variable in variables)


class Training:
    """The iterations of a run, and what it tells, draws and saves at the end of epochs.

    Args:
      test_images: uint8 [n, h, w, c], whose likelihood is tracked; None for none.
    """

    def __init__(self, config: Config, model: Model, images: TrainingSet, test_images: np.ndarray | None,
                 places: Places, run: Run, jit: bool, strategy: tf.distribute.Strategy | None = None):
        self._config = config
        self._model = model
        self._images = images
        self._places = places
        self._run = run
        self._steps = make_steps(config, model, max_iterations(config, images.examples), jit, strategy)
        self._iterate = advancing(self._steps.iterate, self._batches)
        self._sampler = Sampler(config, model, training=True)
        self._tracker = Tracker(config, model, test_images) if config.has_memory else None
        self._summaries = run.log.originals_events(places.logs)
        self._started = time.monotonic()
        self._last: dict[str, float] = {}  # {quantity: value} of the last iteration

    def epochs(self, command: Command) -> None:
        """All iterations that are left. A checkpoint is written after every `save_every`th epoch from 101 on, and at
        the end; the newest `keep` stay."""
        last = self._run.lengths[0] - 1

        def saved(iteration: int) -> bool:
            epoch = self._ended_epoch(iteration) or 0
            return iteration == last or epoch >= _FIRST_SAVED_EPOCH and epoch % command.save_every == 0

        self._run.train(self.advance, [
            Event(lambda i: i % _FLUSHED_EVERY == 0 and not self._ended_epoch(i), self._run.log_point),
            Event(lambda i: self._ended_epoch(i) is not None, self.end_epoch),
            Event(saved, lambda i: self.save(self._ended_epoch(i) or self._config.epoch, command.keep)),
        ], label=f"{self._config.dataset} {self._config.model}")

    def _ended_epoch(self, iteration: int) -> int | None:
        return ended_epoch(self._config, self._images.examples, iteration + 1)

    def _batches(self, first: int, count: int) -> tuple[np.ndarray]:
        """Of `count` iterations: uint8 [count, batch, h, w, c]."""
        drawn = batches_drawn(self._config, self._images.examples, first)
        return self._images.batches.take(drawn, count)[:1]

    def advance(self, first: int, count: int) -> dict[str, dict[int, float]]:
        """The runner's view of iterations: bad numbers of every one, other values of every 20th."""
        history = self._iterate(first, count)
        self._last = {name: by_iteration[first + count - 1] for name, by_iteration in history.items()}
        return {name: {iteration: value for iteration, value in by_iteration.items()
                       if iteration % _KEPT_EVERY == 0 or not math.isfinite(value)}
                for name, by_iteration in history.items()}

    def end_epoch(self, iteration: int) -> None:
        """The line, the log point and the pictures of an epoch."""
        epoch, now = self._ended_epoch(iteration), time.monotonic()
        tqdm.write(f"[Epoch {epoch}] time: {now - self._started:.4f}, d_real: {self._last['d_real']:.8f}, "
                   f"d_fake: {self._last['d_fake']:.8f}, sec_per_epoch: {(now - self._started) / epoch:.4f}")
        if self._tracker:
            self._track(epoch, iteration)
        self._run.log_point(iteration)
        drawn = batches_drawn(self._config, self._images.examples, iteration + 1)
        real = self._images.batches.take(drawn - 1, 1)[0][0]
        _, fake = self._sampler.draw("summary", iteration)
        # As the original's summaries: a point per epoch, with the values of one batch.
        self._summaries.scalars(self._last, epoch)
        for name, images in (("fake_images", fake), ("real_images", real)):
            picture = sample_picture(images)
            self._run.log.picture(name, picture, iteration)
            self._summaries.picture(f"{name}/image/0", picture, epoch)
        if self._config.tf1_exact:
            self._steps.summarise(tf.constant(real), tf.constant(iteration, tf.int32))

    def _track(self, epoch: int, iteration: int) -> None:
        likelihood, prior = self._tracker.measure()
        _save_array(self._places.logs / "prior" / f"epoch_{epoch}.npy", prior)
        if likelihood is not None:
            self._run.log.add({"test_log_likelihood": {iteration: likelihood}})

    def save(self, epoch: int, keep: int = 0) -> None:
        """The original's checkpoint, samples, their noise and their picture; the newest `keep` stay, 0: all."""
        checkpoint.write(self._places.checkpoints / f"model-{epoch}", self._model)
        drawn = [self._sampler.draw("samples", epoch, batch) for batch in range(_SAMPLE_BATCHES)]
        noises, samples = (np.concatenate(parts) for parts in zip(*drawn))
        path = self._places.samples / f"samples_{epoch}.png"
        tqdm.write(f"Save Samples at {path.with_suffix('')}")
        pictures.save_png(path, sample_picture(samples))
        _save_array(path.with_suffix(".npy"), samples)
        _save_array(self._places.samples / f"noises_{epoch}.npy", noises)
        if keep:
            for name in tf1.keep_newest(self._places.checkpoints, keep):
                for kind in ("samples", "noises"):
                    (self._places.samples / f"{kind}_{name.removeprefix('model-')}.npy").unlink(missing_ok=True)


class Tracker:
    """Measures what the paper's figure 3 shows over training: likelihood of test images and use of the slots."""

    def __init__(self, config: Config, model: Model, test_images: np.ndarray | None):
        self._images, self._memory = test_images, model.memory

        @device.graph(reduce_retracing=True)
        def likelihood(images):
            queries = model.networks.discriminator(data.preprocess(config.data, images), training=False).values
            return memory.log_likelihood(model.memory.state(), queries)

        self._likelihood = likelihood

    def measure(self) -> tuple[float | None, np.ndarray]:
        """(mean biased log-likelihood of the test images, or None without any; p(c) float32 [N])."""
        prior = memory.categorical_prior(self._memory.state()).numpy()
        if self._images is None:
            return None, prior
        values = [self._likelihood(self._images[start:start + _TEST_BATCH]).numpy()
                  for start in range(0, len(self._images), _TEST_BATCH)]
        return float(np.mean(np.concatenate(values))), prior


def _save_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file, complete or not at all."""
    with files.atomic(path) as temporary, open(temporary, "wb") as handle:
        np.save(handle, array)
