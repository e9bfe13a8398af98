"""Training a MeRGAN run: task after task (`mergan.py`) or all classes at once (`joint.py`)."""

import math
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lib import device, files, optimizers, pictures, tf1
from lib.mergan.checkpoint import checkpoint_variables, model_prefix, resume_state
from lib.mergan.config import Config
from lib.mergan.data import TrainingImages
from lib.mergan.methods import build_methods
from lib.mergan.networks import Networks, copy_weights, networks_of, tf1_variables
from lib.mergan.samples import GRID, samples_of
from lib.mergan.step import Steps, build_optimizers, graph_of, make_steps
from lib.run import provenance, replicas, runner
from lib.run.options import Options
from lib.run.repeat import advancing

_CHECKPOINT_EVERY = 4000
_PICTURE_EVERY = 200
_DRAWING_SHARE = 20  # curves are drawn at a log point if the last drawing took less than a 20th of the time since


def run(config: Config, directory: Path, data_dir: str, load_model: str = "",
        options: Options = Options()) -> None:
    """Train, writing what the original writes under `directory`.

    Args:
      load_model: TF1-form checkpoint to start from; training then begins with task 1, as in the original.

    Raises:
      UserError: data or a checkpoint that cannot be read, a directory of another run, numbers that are not finite.
      TryAgain: another worker of a `multi_worker` strategy is lost.
    """
    strategy = device.strategy(options.strategy)
    with replicas.with_other_workers(strategy):
        _run(config, Path(directory), data_dir, load_model, options, strategy)


def _run(config: Config, directory: Path, data_dir: str, load_model: str, options: Options,
         strategy: tf.distribute.Strategy | None) -> None:
    images = TrainingImages(config, data_dir)
    training = Training(config, device.jit(options.jit, distributed=strategy is not None), strategy)
    settings = {"system": "MeRGAN", **config.as_settings(), "load_model": load_model}
    if images.limited:
        settings["images_per_class"] = config.images_per_class
    settings |= replicas.settings(strategy)
    _print_settings(settings)
    with (replicas.directory(strategy, directory) as own,
          runner.Run(own, settings, training.state, options, [config.iterations] * config.tasks,
                     replicas.stop_together(strategy), _whole(config), images.origin) as run):
        _make_directories(run.directory)
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

    def learn(self, images: TrainingImages, run: runner.Run) -> None:
        """All tasks from where the run stands."""
        drawing = Pictures(self.config, self.networks, run)
        for task in range(run.phase, self.config.tasks):
            batches = images.batches(task)
            drawing.groundtruth(task, batches.take(0, 1)[0][0])
            if run.iteration == 0:
                self.reset()
            telling = Telling(run)
            run.train(_timed(_advance(self.steps(task), batches, task, self.config.critic_steps), run), [
                runner.log_event(run, telling.log_point),
                runner.Event(self._draws, lambda iteration: drawing.samples(task, iteration)),
                runner.Event(self._keeps, lambda iteration: self._write_checkpoint(task, iteration, run, telling)),
            ], label=_label(self.config, task))
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

    def start_from(self, load_model: str, run: runner.Run) -> None:
        """Take a checkpoint for what the first task has taught."""
        tf1.assign(load_model, tf1_variables(self.networks))
        self.remember(0, run)

    def reset(self) -> None:
        """Adam begins anew in every task."""
        for optimizer in [*self.optimizers, *(one for method in self.methods for one in method.optimizers)]:
            optimizers.reset(optimizer)

    def remember(self, task: int, run: runner.Run) -> None:
        """What the next task needs of the one just learned."""
        if self.networks.replay is not None:
            copy_weights(self.networks.generator, self.networks.replay)
        for method in self.methods:
            method.remember(task)
        run.next_phase()

    def _draws(self, iteration: int) -> bool:
        """Iterations whose samples are drawn: every 200th, the powers of two and the last."""
        return (iteration % _PICTURE_EVERY == 0 or iteration & (iteration - 1) == 0
                or iteration == self.config.iterations - 1)

    def _keeps(self, iteration: int) -> bool:
        return iteration % _CHECKPOINT_EVERY == 0 or iteration == self.config.iterations - 1

    def _write_checkpoint(self, task: int, iteration: int, run: runner.Run, telling: "Telling") -> None:
        tf1.write(model_prefix(run.directory, self.config, task, iteration),
                  checkpoint_variables(self.config, self.networks, self.optimizers), meta=True)
        telling.draw()


class Telling:
    """What the original tells at each log point: printed means, `log.pkl` and the curves."""

    def __init__(self, run: runner.Run):
        self._run = run
        self._told = run.first_step + run.iteration - 1  # the last step told of
        self._drawn, self._took = -math.inf, 0.0  # when the curves were drawn last, and the seconds that it took
        self._shown: int | None = None  # up to which step they were

    def log_point(self, step: int, means: dict[str, float]) -> None:
        seconds = [taken for number, taken in self._run.log.seconds.items() if number > self._told]
        self._told = step
        _print_means(step, means | ({"time": float(np.mean(seconds))} if seconds else {}))
        self._run.log.write_pickle(self._run.directory / "log.pkl")
        if time.monotonic() - self._drawn > _DRAWING_SHARE * self._took:
            self.draw()

    def draw(self) -> None:
        """The curves, which take longer than many iterations: not at every log point, but with every checkpoint."""
        if self._shown == self._told:
            return
        self._shown, started = self._told, time.monotonic()
        self._run.log.draw_curves()
        self._drawn = time.monotonic()
        self._took = self._drawn - started


class Pictures:
    """Draws a run's sample pictures, under the original's names."""

    def __init__(self, config: Config, networks: Networks, run: runner.Run):
        self._config, self._run = config, run
        self._samples = samples_of(config, networks)
        self._noise = self._samples.fixed_noise(config.seed)

    def groundtruth(self, task: int, images: np.ndarray) -> None:
        """A grid of real images uint8 [n, h, w, c]."""
        # The original names joint training's after a task that joint training does not have.
        name = "4" if self._config.joint else self._config.data.classes[task]
        pixels = pictures.groundtruth_pixels(pictures.to_float(images))
        pictures.save_grid(self._directory / f"samples_groundtruth_{name}.png", pixels)

    def samples(self, task: int, iteration: int) -> None:
        """A grid for every file of this moment, and their first rows together for TensorBoard."""
        samples, learned = self._samples, self._samples.learned(task)
        pixels = pictures.truncated_pixels(samples.pictures(learned, self._noise))
        for name, images in zip(samples.files(learned, iteration), pixels):
            pictures.save_grid(self._directory / name, images, samples.columns)
        parts = map(samples.row, range(samples.rows(learned)))
        rows = [[*pixels[file][part][:GRID].astype(np.uint8)] for file, part in parts]
        names = self._config.data.classes[:learned] if samples.conditional else ()
        self._run.log.picture("samples", pictures.labelled_grid(rows, names), self._run.first_step + iteration)

    @property
    def _directory(self) -> Path:
        return Path(self._run.directory) / "samples"


def _advance(steps: Steps, batches, task: int, critic_steps: int):
    """The runner's view of `steps.iterate` over a task's stream of batches."""

    def take(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batches.take(first * critic_steps, count * critic_steps)
        return images.reshape(count, critic_steps, *images.shape[1:]), labels.reshape(count, critic_steps, -1)

    everything = advancing(steps.iterate, take, task)

    def advance(first: int, count: int) -> dict[str, dict[int, float]]:
        history = everything(first, count)
        for name in steps.of_generator:
            history[name].pop(0, None)  # the generator sits out iteration 0
        return history

    return advance


def _timed(advance, run: runner.Run):
    """`advance` that also notes the seconds of each iteration, those of one call in equal shares."""
    first_step = run.first_step

    def timed(first: int, count: int) -> dict[str, dict[int, float]]:
        started = time.monotonic()
        values = advance(first, count)
        share = (time.monotonic() - started) / count
        run.log.seconds |= {first_step + iteration: share for iteration in range(first, first + count)}
        return values

    return timed


def _label(config: Config, task: int) -> str:
    """Of the progress bar."""
    return "joint training" if config.joint else f"task {task + 1}/{config.tasks} ({config.data.classes[task]})"


def _whole(config: Config) -> str:
    """All that there is to train, in words."""
    return "the joint training" if config.joint else f"all {config.tasks} tasks"


def _print_means(step: int, means: dict[str, float]) -> None:
    tqdm.write("\n".join([f"iter {step}", *(f"{name}\t{mean:.6f}" for name, mean in means.items())]))
    sys.stdout.flush()  # a log file should grow while the run does


def _check_shares(config: Config, devices: int) -> None:
    """Refuse what cannot be shared among so many replicas."""
    replicas.require_equal_shares(config.batch_size, devices)
    if config.tasks > 1 and (config.replay_alignment or config.joint_replay):
        fewest = config.replay_samples(config.tasks - 1)
        replicas.require(fewest >= devices, f"{fewest} replayed images of a class are fewer than", devices)


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
