"""Training a run: one distribution after the other, or all at once, with the files and prints of the original."""

from pathlib import Path

import numpy as np

from lib import device, files
from lib.errors import UserError
from lib.run import place, replicas
from lib.run.options import Options
from lib.run.repeat import advancing
from lib.run.runner import Run
from lvae import baselines, checkpoint, distributions, places
from lvae.config import Config
from lvae.distributions import Course, Visit
from lvae.frechet import Distance
from lvae.learner import Learner
from lvae.record import Record
from lvae.step import Steps

_AT_ONCE = 50  # iterations whose images lie in memory together


def run(config: Config, base: str, data_dir: str, load_model: str = "", options: Options = Options(),
        measures_distance: bool = False) -> Path:
    """Train in a numbered directory under `base`; returns it.

    Args:
      load_model: TF1-form checkpoint to start from. A lifelong run goes on with the distribution after its model's.
      measures_distance: also the Frechet distance at the end of every visit.

    Raises:
      UserError: data or a checkpoint that cannot be read, a plan that leaves nothing to learn, a NaN or infinity.
      TryAgain: another worker of a `multi_worker` strategy is lost.
    """
    with replicas.started(options) as strategy:
        course = distributions.load(config, data_dir)
        plan = distributions.plan(config, course)
        settings = places.settings_of(config, load_model) | replicas.settings(strategy)
        if strategy:
            _check_shares(config, strategy.num_replicas_in_sync)
        print("\n".join(f"{name} = {value}" for name, value in settings.items()))
        known = places.known(Path(base), options.resume)
        finished = place.finished_one(known, settings, course.origin, places.test_of)
        if finished:
            return finished
        learner = Learner(config, device.jit(options.jit, distributed=strategy is not None), strategy)
        keeps = replicas.keeps_run(strategy)
        distance = Distance(config, course) if measures_distance and keeps else None
        if load_model:
            start_from(load_model, course, plan, learner)
        whole = f"all {len(plan)} visits" if config.sequential else f"all {config.epochs} epochs"
        directory = places.found(Path(base), settings, options.resume, keeps)
        with Run(directory, settings, {"learner": learner}, options, [visit.iterations for visit in plan], whole,
                 course.origin, strategy) as run:
            print(f"writing to {run.directory}")
            for folder in ("models", "imgs"):
                files.make_directory(run.directory / folder)
            Training(course, plan, learner).learn(run, Record(course, learner, run, distance))
            print(f"trained {len(learner.results)} models, exiting")
            run.finish(places.test_of(run.directory))
        return run.directory


def _check_shares(config: Config, devices: int) -> None:
    """Refuse what cannot be shared among so many replicas."""
    replicas.require_equal_shares(config.batch_size, devices)
    if config.is_lifelong:  # from the second distribution on at least half of a batch is replayed
        fewest = config.batch_size // 2
        replicas.require(fewest >= devices, f"{fewest} replayed images of a batch are fewer than", devices)


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
    """What is trained, and how: visit after visit, of which a run that is not sequential has one.

    Args:
      plan: all visits of the run, which are its phases.
    """

    def __init__(self, course: Course, plan: list[Visit], learner: Learner):
        self.config, self.course, self.plan, self.learner = learner.config, course, plan, learner

    def learn(self, run: Run, record: Record) -> None:
        """All visits from where the run stands."""
        while run.phase < self.learner.visit:
            run.next_phase()  # what a loaded model has learned
        for phase in range(run.phase, len(self.plan)):
            steps = self.learner.steps()
            record.begin(steps)
            run.train(self.advance_of(steps, phase), record.events(steps), label=self.label(phase))
            record.visit(steps)
            if phase + 1 < len(self.plan):
                enter(self.course, self.learner, self.plan[phase + 1].distribution)
            run.next_phase()

    def advance_of(self, steps: Steps, phase: int):
        """The runner's view of the steps, on images in the visit's order."""
        numbers = distributions.trained_on(self.config, self.learner.visited, len(self.course.distributions))
        samples = self.course.training_images(numbers)
        order = distributions.stream(self.config, phase, len(samples))
        size = self.config.batch_size
        shape = self.config.architecture.input_shape

        def take(first: int, count: int) -> tuple[np.ndarray]:
            rows = order.rows(first * size, count * size)
            return (samples.take(rows, shape).reshape(count, size, *shape),)

        return advancing(steps.iterate, take, at_once=_AT_ONCE)

    def label(self, phase: int) -> str:
        """Of the progress bar."""
        name = self.course.distributions[self.learner.visited[-1]].name
        return f"distribution {phase + 1}/{len(self.plan)} ({name})" if self.config.sequential else "all distributions"
