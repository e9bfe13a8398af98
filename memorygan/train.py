"""Training a memoryGAN run, epoch after epoch, with the files and lines of the original."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import device, files
from lib.errors import UserError
from lib.run import place, replicas
from lib.run.options import Options
from lib.run.repeat import advancing
from lib.run.runner import Run
from memorygan import checkpoint, data, places
from memorygan.config import Command, Config, batches_drawn, ended_epoch, max_iterations
from memorygan.data import TrainingSet
from memorygan.places import Places, Space
from memorygan.record import Record
from memorygan.step import Model, build_model, make_steps

# Every iteration is watched for bad numbers; keeping each would fill the memory over 1500 epochs.
_KEPT_EVERY = 20


def run(config: Config, command: Command, options: Options = Options()) -> Places:
    """Train, writing what the original writes to `logs/`, `checkpoint/` and `samples/` of the working directory.

    A run that starts from a checkpoint (`load_cp_dir`) begins its iterations, epochs and order of data anew, as in the
    original.

    Raises:
      UserError: data that are missing, broken or too few, a checkpoint that does not fit, a NaN or infinity.
      TryAgain: another worker of a `multi_worker` strategy is lost.
    """
    with replicas.started(options) as strategy:
        images = data.open_training(config, command.data_dir)
        limit = _limit(config, images)
        settings = {"system": "memoryGAN", **config.as_settings(), "load_cp_dir": command.load_cp_dir,
                    **replicas.settings(strategy)}
        if strategy:
            replicas.require_equal_shares(config.batch_size, strategy.num_replicas_in_sync)
        finished = place.finished_one(places.known(command.exp, options), settings, images.origin, places.test_of)
        if finished:
            return places.of_logs(finished)
        jit = device.jit(options.jit, distributed=strategy is not None)
        with replicas.scope(strategy):
            model = build_model(config)
        keeps = replicas.keeps_run(strategy)
        command = command if keeps else dataclasses.replace(command, keep=1)  # of what is removed at the end anyway
        space = Space(config, command, model)
        logs = places.found(config, command.exp, settings, options, keeps)
        # Iterations 1 to limit - 1 of the original, which the runner counts from 0.
        with Run(logs, settings, checkpoint.state(model), options, [limit - 1], space.whole, images.origin,
                 strategy) as run:
            there = places.of_logs(logs) if keeps else places.below(run.directory)
            _begin(command, model, run)
            for directory in (*there, there.logs / "prior"):
                files.make_directory(directory)
                files.remove_temporaries(directory)
            for path in data.paths(config, command.data_dir):
                print(f"Extracting {path}")
            print(f"[*] Traing Start : N={images.examples}, Batch={config.batch_size}, epoch={config.epoch}, "
                  f"max_iter={limit}", flush=True)
            if not run.is_complete:
                space.require(there.checkpoints)
                test_images = data.load_test_images(config, command.data_dir)
                record = Record(config, command, model, test_images, there, run)
                Training(config, model, images, jit, strategy).learn(run, record)
            run.finish(places.test_of(there.logs))
    return there


def _limit(config: Config, images: TrainingSet) -> int:
    """The original's `max_iter`, one more than there are iterations."""
    limit = max_iterations(config, images.examples)
    if limit < 2:
        raise UserError(f"{images.examples} images in batches of {config.batch_size} make no iteration in "
                        f"{config.epoch} epoch(s); use a smaller --batch_size or more epochs")
    return limit


def _begin(command: Command, model: Model, run: Run) -> None:
    """As the original, which looks for a checkpoint of the run itself first, and says so either way."""
    print(" [*] Reading checkpoints...")
    print(" [*] Load SUCCESS" if run.iteration or run.is_complete else " [!] Load failed...")
    if command.load_cp_dir and not run.is_complete and run.iteration == 0:
        print(" [*] Reading checkpoints...")
        checkpoint.restore(checkpoint.latest(Path(command.load_cp_dir)), model)


class Training:
    """What is trained, and how: one stream of batches, which ends epoch after epoch."""

    def __init__(self, config: Config, model: Model, images: TrainingSet, jit: bool,
                 strategy: tf.distribute.Strategy | None = None):
        self.config, self.images = config, images
        self._steps = make_steps(config, model, max_iterations(config, images.examples), jit, strategy)
        self._iterate = advancing(self._steps.iterate, self._batches)
        self._last: dict[str, float] = {}  # {quantity: value} of the last iteration

    def learn(self, run: Run, record: Record) -> None:
        """All iterations that are left."""

        def end_epoch(iteration: int) -> None:
            drawn = batches_drawn(self.config, self.images.examples, iteration + 1)
            real = self.images.batches.take(drawn - 1, 1)[0][0]
            record.epoch(self.ended_epoch(iteration), iteration, self._last, real)
            if self.config.tf1_exact:
                self._steps.summarise(tf.constant(real), tf.constant(iteration, tf.int32))

        run.train(self.advance, record.events(self.ended_epoch, end_epoch),
                  label=f"{self.config.dataset} {self.config.model}")
        run.next_phase()

    def ended_epoch(self, iteration: int) -> int | None:
        return ended_epoch(self.config, self.images.examples, iteration + 1)

    def _batches(self, first: int, count: int) -> tuple[np.ndarray]:
        """Of `count` iterations: uint8 [count, batch, h, w, c]."""
        drawn = batches_drawn(self.config, self.images.examples, first)
        return self.images.batches.take(drawn, count)[:1]

    def advance(self, first: int, count: int) -> dict[str, dict[int, float]]:
        """The runner's view of iterations: bad numbers of every one, other values of every 20th."""
        history = self._iterate(first, count)
        self._last = {name: by_iteration[first + count - 1] for name, by_iteration in history.items()}
        return {name: {iteration: value for iteration, value in by_iteration.items()
                       if iteration % _KEPT_EVERY == 0 or not math.isfinite(value)}
                for name, by_iteration in history.items()}
