"""Training a run: one distribution after the other, or all at once, with the files and prints of the original."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lib import device, files, systems, tf1
from lib.errors import UserError
from lib.run import place, provenance, replicas
from lib.run.options import Options
from lib.run.repeat import advancing
from lib.run.runner import Event, Run, log_event
from lvae import baselines, checkpoint, distributions, evaluate, pictures, step
from lvae.config import Config
from lvae.distributions import Course, Visit
from lvae.frechet import Distance, circumstances
from lvae.learner import Learner
from lvae.step import Steps
from lvae.summaries import Summaries

_AT_ONCE = 50  # iterations whose images lie in memory together


def run(config: Config, base: str, data_dir: str, load_model: str = "", options: Options = Options(),
        measures_distance: bool = False) -> Path:
    """Train in a numbered directory under `base`; returns it.

    Args:
      load_model: TF1-form checkpoint to start from. A lifelong run goes on with the distribution after its model's.
      measures_distance: also the Frechet distance at the end of every visit.

    Raises:
      TryAgain: another worker of a `multi_worker` strategy is lost.
    """
    strategy = device.strategy(options.strategy)
    with replicas.with_other_workers(strategy):
        return _run(config, Path(base), data_dir, load_model, options, measures_distance, strategy)


def _run(config: Config, base: Path, data_dir: str, load_model: str, options: Options, measures_distance: bool,
         strategy: tf.distribute.Strategy | None) -> Path:
    course = distributions.load(config, data_dir)
    plan = distributions.plan(config, course)
    settings = settings_of(config, load_model) | replicas.settings(strategy)
    if strategy:
        _check_shares(config, strategy.num_replicas_in_sync)
    print("\n".join(f"{name} = {value}" for name, value in settings.items()))
    finished = place.finished_one(_known_runs(base, options.resume), settings, course.origin)
    if finished:
        print(f"{finished} is complete; --resume=never trains again, and this evaluates it: {_test(finished)}")
        return finished
    learner = Learner(config, device.jit(options.jit, distributed=strategy is not None), strategy)
    keeps = replicas.keeps_run(strategy)
    distance = Distance(config, course) if measures_distance and keeps else None
    if load_model:
        start_from(load_model, course, plan, learner)
    whole = f"all {len(plan)} visits" if config.sequential else f"all {config.epochs} epochs"
    with (replicas.directory(strategy, experiment_directory(base, settings, options.resume, keeps)) as directory,
          Run(directory, settings, {"learner": learner}, options, [visit.iterations for visit in plan],
              replicas.stop_together(strategy), whole, course.origin) as run):
        print(f"writing to {directory}")
        for folder in ("models", "imgs"):
            files.make_directory(directory / folder)
        Training(course, plan, learner, run, distance).visit_all()
        print(f"trained {len(learner.results)} models, exiting")
        run.finish(_test(directory))
    return directory


def _check_shares(config: Config, devices: int) -> None:
    """Refuse what cannot be shared among so many replicas."""
    replicas.require_equal_shares(config.batch_size, devices)
    if config.is_lifelong:  # from the second distribution on at least half of a batch is replayed
        fewest = config.batch_size // 2
        replicas.require(fewest >= devices, f"{fewest} replayed images of a batch are fewer than", devices)


def settings_of(config: Config, load_model: str) -> dict:
    """What `settings.json` holds."""
    started = {"load_model": load_model} if load_model else {}
    # Rotated copies came angle by angle before; a run begun so is not gone on with in another order.
    rotated = {"rotations": "class by class"} if config.rotate else {}
    values = {name: value for name, value in dataclasses.asdict(config).items() if name != "classes" or value}
    return place.as_stored({"system": systems.TITLES["lvae"], **values, **started, **rotated})


def experiment_directory(base: Path, settings: dict, resume: str, reserves: bool = True) -> Path | None:
    """`<base>/experiment_<n>`: the newest unfinished run of these settings, else the first number that is free.

    Who reserves none gets None in place of the latter.
    """
    unfinished = place.newest_unfinished(_known_runs(base, resume), settings)
    if unfinished or not reserves:
        return unfinished
    return place.reserved(base / f"experiment_{number}" for number in itertools.count())


def _known_runs(base: Path, resume: str) -> list[Path]:
    """The newest first; none where a new run is asked for."""
    if resume != "auto":
        return []
    numbers = [int(number) for path in base.glob("experiment_*") if (number := path.name.partition("_")[2]).isdigit()]
    return [base / f"experiment_{number}" for number in sorted(numbers, reverse=True)]


def _test(directory: Path) -> str:
    """The command line that evaluates the last model of a run."""
    models = directory.glob("models/*.cpkt.index")
    newest = max(models, key=lambda path: path.stat().st_mtime_ns, default=Path("MODEL.cpkt.index"))
    return provenance.command("--test", f"--load_model={newest.with_suffix('')}")


def start_from(path: str, course: Course, plan: list[Visit], learner: Learner) -> None:
    """Load the newest model of a checkpoint; a lifelong run then enters the next distribution."""
    config = learner.config
    forks = checkpoint.newest(path, learner.model())
    if not config.is_lifelong:
        learner.load(path, learner.visited, learner.lineage)
        return
    numbers = [visit.distribution for visit in plan]
    if forks + 1 >= len(numbers):
        raise UserError(f"{path} has learned {forks + 1} distributions, --max_dist_swaps={config.max_dist_swaps} "
                        "leaves none to go on with; choose a larger number")
    lineage = learner.lineage
    for count in range(2, forks + 2):
        lineage = lineage.forked(distributions.new_classes(config, course, numbers[:count]))
    learner.load(path, numbers[:forks + 1], lineage)
    enter(course, learner, numbers[forks + 1])


def enter(course: Course, learner: Learner, number: int) -> None:
    """Go on to a distribution: EWC holds on to its weights, the Lifelong VAE forks."""
    config = learner.config
    if config.method == "ewc":
        learned = course.distributions[learner.visited[-1]].train
        learner.hold(baselines.fisher_information(config, learner.networks.student, learned, learner.visit))
    learner.visited.append(number)
    if config.is_lifelong:
        pairs = learner.fork(distributions.new_classes(config, course, learner.visited))
        shapes = learner.model().shapes()
        for student, teacher in pairs.items():
            print(f"copying {teacher} {list(shapes[student])} --> {student} {list(shapes[student])}")


class Training:
    """A run at work: what there is to learn, what learns it, and where the results go.

    Args:
      plan: all visits of the run, which are its phases.
      distance: measures every model, if it is wanted.
    """

    def __init__(self, course: Course, plan: list[Visit], learner: Learner, run: Run, distance: Distance | None):
        self.config = learner.config
        self.course = course
        self.plan = plan
        self.learner = learner
        self.run = run
        self.distance = distance
        # Of an epoch, which only a run that is not sequential has.
        self.images = sum(len(part.train) for part in course.distributions)
        self.epoch_length = max(self.images // self.config.batch_size, 1)
        self.summaries = Summaries(self.config, run, sum(
            len(evaluate.batches(self.config, len(samples))) for samples in course.tests.values()))

    def visit_all(self) -> None:
        """The rest of the plan."""
        while self.run.phase < self.learner.visit:
            self.run.next_phase()  # what a loaded model has learned
        while not self.run.is_complete:
            steps = self.learn()
            self.record(steps)
            if self.run.phase + 1 < len(self.plan):
                enter(self.course, self.learner, self.plan[self.run.phase + 1].distribution)
            self.run.next_phase()

    def learn(self) -> Steps:
        """The iterations of the present visit; returns its steps."""
        steps = self.learner.steps()
        first = self.run.first_step
        every = self.config.test_interval
        if every and (self.run.phase, self.run.iteration) == (0, 0):
            self.look_at_tests(steps, 0)
        self.run.train(self.advance_of(steps), [
            log_event(self.run, self.print_means),
            Event(lambda i: not self.config.sequential and (i + 1) % self.epoch_length == 0, self.end_epoch),
            # The original looks at the test set before a training step, an event comes after one.
            Event(lambda i: bool(every) and (first + i + 1) % every == 0,
                  lambda i: self.look_at_tests(steps, first + i + 1)),
        ], label=self.label())
        return steps

    def advance_of(self, steps: Steps):
        """The runner's view of the steps, on images in the visit's order."""
        numbers = distributions.trained_on(self.config, self.learner.visited, len(self.course.distributions))
        samples = self.course.training_images(numbers)
        order = distributions.stream(self.config, self.run.phase, len(samples))
        size = self.config.batch_size
        shape = self.config.architecture.input_shape

        def take(first: int, count: int) -> tuple[np.ndarray]:
            rows = order.rows(first * size, count * size)
            return (samples.take(rows, shape).reshape(count, size, *shape),)

        return advancing(steps.iterate, take, at_once=_AT_ONCE)

    def label(self) -> str:
        """Of the progress bar."""
        name = self.course.distributions[self.learner.visited[-1]].name
        return (f"distribution {self.run.phase + 1}/{len(self.plan)} ({name})" if self.config.sequential
                else "all distributions")

    def print_means(self, number: int, means: dict[str, float]) -> None:
        """A log point, as the original prints it; `number` counts the iterations of all visits."""
        self.summaries.train(self.learner.lineage.forks, self.run.log.latest)
        if self.config.sequential:
            distribution = self.learner.visited[-1]
            tqdm.write(f"loss[total_iter={number}][iter={number - self.run.first_step}][model={distribution}] = "
                       f"{means['loss']:.6f}, elbo loss = {means['elbo']:.6f}, "
                       f"latent loss = {means['latent_kl']:.6f}, reconstr loss = {means['log_likelihood']:.6f}")

    def end_epoch(self, iteration: int) -> None:
        """The original's line of a run that is not sequential: costs of an epoch's last batch, and the epoch's mean."""
        first = iteration + 1 - self.epoch_length
        costs, latent, likelihood = (self.run.log.of_steps(name, first, iteration)
                                     for name in ("loss", "latent_kl", "log_likelihood"))
        mean = sum(costs) * self.config.batch_size / self.images
        tqdm.write(f"[Epoch: {(iteration + 1) // self.epoch_length:04d}] current cost =  {costs[-1]:.4f} |  "
                   f"avg cost =  {mean:.4f} |  latent cost =  {latent[-1]:.4f} |  recon cost =  {-likelihood[-1]:.4f}")

    def look_at_tests(self, steps: Steps, number: int) -> None:
        """The periodic test, whose calls the original's annealing counts, too; the log has it as `test_...`."""
        seen = 0  # batches
        for prefix, samples in self.course.tests.items():
            batches = evaluate.test_batches(self.config, steps, samples, number)
            means = evaluate.over_all(self.config, len(samples), batches)
            self.summaries.test(self.learner.lineage.forks, batches, number, seen)
            seen += len(batches)
            self.run.log.add({f"{prefix}test_{name}": {number: means[quantity]}
                              for name, quantity in evaluate.CSV.items()})
            step.advance_clock(self.config, self.learner.clock, len(batches))
            tqdm.write(f"[Test] avg cost =  {means['loss']:.4f} |  avg latent cost =  {means['latent_kl']:.4f} |  "
                       f"avg elbo loss =  {means['elbo']:.4f} |  avg recon loss =  {means['log_likelihood']:.4f}")

    def record(self, steps: Steps) -> None:
        """Figures, files and pictures at the end of a visit."""
        learner = self.learner
        directory = self.run.directory
        figures = evaluate.figures(self.course, learner, steps)
        for means in figures["tests"].values():
            print(f"Mean losses [VAE {learner.visit}] = {evaluate.summary(means)}")
        self.run.answer_signals()
        if self.distance:
            figures |= self.distance.measure(learner)
            print(f"Frechet distance ({figures['frechet_features']}) [VAE {learner.visit}] = "
                  f"{figures['frechet_distance']:.4f}   ({circumstances(figures['frechet_depends_on'])})")
        self.run.answer_signals()
        learner.results.append(figures)
        evaluate.write_results(directory, self.course, learner)
        model = learner.model()
        tf1.write(directory / "models" / f"{model.prefix}.cpkt", model.variables())
        drawn = pictures.draw(directory / "imgs", self.course, learner)
        self.run.log.picture("samples", pictures.overview(self.course, learner, drawn),
                             self.run.first_step + self.run.lengths[self.run.phase] - 1)
