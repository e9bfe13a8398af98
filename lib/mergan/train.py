"""Training a MeRGAN run: task after task (`mergan.py`) or all classes at once (`joint.py`)."""

import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import device, optimizers, tf1
from lib.mergan.checkpoint import resume_state
from lib.mergan.config import Config
from lib.mergan.data import TrainingImages
from lib.mergan.methods import build_methods
from lib.mergan.networks import copy_weights, networks_of, tf1_variables
from lib.mergan.record import Record, make_directories, print_settings
from lib.mergan.step import Steps, build_optimizers, graph_of, make_steps
from lib.run import provenance, replicas
from lib.run.options import Options
from lib.run.repeat import advancing
from lib.run.runner import Run


def run(config: Config, directory: Path, data_dir: str, load_model: str = "",
        options: Options = Options()) -> None:
    """Train, writing what the original writes under `directory`.

    Args:
      load_model: TF1-form checkpoint to start from; training then begins with task 1, as in the original.

    Raises:
      UserError: data or a checkpoint that cannot be read, a directory of another run, numbers that are not finite.
      TryAgain: another worker of a `multi_worker` strategy is lost.
    """
    with replicas.started(options) as strategy:
        images = TrainingImages(config, data_dir)
        training = Training(config, device.jit(options.jit, distributed=strategy is not None), strategy)
        settings = {"system": "MeRGAN", **config.as_settings(), "load_model": load_model}
        if images.limited:
            settings["images_per_class"] = config.images_per_class
        settings |= replicas.settings(strategy)
        print_settings(settings)
        whole = "the joint training" if config.joint else f"all {config.tasks} tasks"
        with Run(directory, settings, training.state, options, [config.iterations] * config.tasks, whole,
                 images.origin, strategy) as run:
            make_directories(run.directory)
            if run.is_complete:
                print(f"{directory} is complete; --test evaluates it, another --result_path trains again")
                return
            if load_model and (run.phase, run.iteration) == (0, 0):
                training.start_from(load_model, run)
            training.learn(images, run)


class Training:
    """What is trained, and how: task after task, of which a joint training has one.

    Raises:
      UserError: a strategy whose replicas cannot share the batches.
    """

    def __init__(self, config: Config, jit: bool, strategy: tf.distribute.Strategy | None):
        if strategy:
            _check_shares(config, strategy.num_replicas_in_sync)
        self.config, self.jit, self.strategy = config, jit, strategy
        with replicas.scope(strategy):
            self.networks = networks_of(config)
            self.optimizers = build_optimizers(config, self.networks)
            self.methods = build_methods(config, self.networks)
        self.state = resume_state(self.networks, self.optimizers, self.methods)
        self._graph, self._steps = None, None  # made last

    def learn(self, images: TrainingImages, run: Run) -> None:
        """All tasks from where the run stands."""
        record = Record(self.config, self.networks, self.optimizers, run)
        for task in range(run.phase, self.config.tasks):
            batches = images.batches(task)
            record.pictures.groundtruth(task, batches.take(0, 1)[0][0])
            if run.iteration == 0:
                self.reset()
            run.train(_advance(self.steps(task), batches, task, self.config.critic_steps, run), record.events(task),
                      label=_label(self.config, task))
            self.remember(task, run)
        run.finish(provenance.command("--test", "--result_path", run.directory))

    def steps(self, task: int) -> Steps:
        """Of a task: those of the one before, if they serve both, since graphs take seconds and memory to make."""
        graph = graph_of(self.methods, task)
        if graph != self._graph:
            self._graph = graph
            self._steps = make_steps(self.config, self.networks, self.optimizers, task, self.methods, self.jit,
                                     self.strategy)
        return self._steps

    def start_from(self, load_model: str, run: Run) -> None:
        """Take a checkpoint for what the first task has taught."""
        tf1.assign(load_model, tf1_variables(self.networks))
        self.remember(0, run)

    def reset(self) -> None:
        """Adam begins anew in every task."""
        for optimizer in [*self.optimizers, *(one for method in self.methods for one in method.optimizers)]:
            optimizers.reset(optimizer)

    def remember(self, task: int, run: Run) -> None:
        """What the next task needs of the one just learned."""
        if self.networks.replay is not None:
            copy_weights(self.networks.generator, self.networks.replay)
        for method in self.methods:
            method.remember(task)
        run.next_phase()


def _advance(steps: Steps, batches, task: int, critic_steps: int, run: Run):
    """The runner's view of `steps.iterate` over a task's stream of batches; notes the seconds of each iteration."""
    first_step = run.first_step

    def take(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batches.take(first * critic_steps, count * critic_steps)
        return images.reshape(count, critic_steps, *images.shape[1:]), labels.reshape(count, critic_steps, -1)

    iterate = advancing(steps.iterate, take, task)

    def advance(first: int, count: int) -> dict[str, dict[int, float]]:
        started = time.monotonic()
        history = iterate(first, count)
        share = (time.monotonic() - started) / count  # those of one call have equal shares
        run.log.seconds |= {first_step + iteration: share for iteration in range(first, first + count)}
        for name in steps.of_generator:
            history[name].pop(0, None)  # the generator sits out iteration 0
        return history

    return advance


def _label(config: Config, task: int) -> str:
    """Of the progress bar."""
    return "joint training" if config.joint else f"task {task + 1}/{config.tasks} ({config.data.classes[task]})"


def _check_shares(config: Config, devices: int) -> None:
    """Refuse what cannot be shared among so many replicas."""
    replicas.require_equal_shares(config.batch_size, devices)
    if config.tasks > 1 and (config.replay_alignment or config.joint_replay):
        fewest = config.replay_samples(config.tasks - 1)
        replicas.require(fewest >= devices, f"{fewest} replayed images of a class are fewer than", devices)
