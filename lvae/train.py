"""Training a run: one distribution after the other, or all at once, with the files and prints of the original."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lib import device, files, randomness, tf1
from lib.errors import UserError
from lib.run import runner
from lib.run.options import Options
from lvae import baselines, checkpoint, distributions, frechet, pictures, scores, step
from lvae.config import Config
from lvae.data import Samples
from lvae.distributions import Course
from lvae.learner import Learner

_AT_ONCE = 50  # iterations whose images lie in memory together
_FISHER_ROWS = 200
_COMPLETE = "complete.json"


def experiment_directory(settings: dict, base: Path, resume: str) -> Path:
    """`<base>/experiment_<n>`: the newest unfinished run of these settings, else the first free number."""
    base = Path(base)
    numbers = sorted(int(path.name.removeprefix("experiment_")) for path in base.glob("experiment_*")
                     if path.name.removeprefix("experiment_").isdigit())
    if resume == "auto":
        for number in reversed(numbers):
            path = base / f"experiment_{number}"
            if not (path / _COMPLETE).exists() and (path / "settings.json").exists():
                if files.read_json(path / "settings.json") == settings:
                    return path
    return base / f"experiment_{next(n for n in range(len(numbers) + 1) if n not in numbers)}"


def settings_of(config: Config, load_model: str = "") -> dict:
    """The settings as JSON gives them back."""
    started = {"load_model": load_model} if load_model else {}
    return json.loads(json.dumps({"system": "Lifelong VAE", **dataclasses.asdict(config), **started}))


def run(config: Config, base: str, data_dir: str, load_model: str = "", options: Options = Options(),
        measures_distance: bool = False) -> Path:
    """Train in a numbered directory under `base`; returns it.

    Args:
      load_model: TF1-form checkpoint to start from. A lifelong run goes on with the distribution after its model's.
      measures_distance: also the Frechet distance at the end of every distribution.
    """
    course = distributions.load(config, data_dir)
    settings = settings_of(config, load_model)
    directory = experiment_directory(settings, base, options.resume)
    print("\n".join(f"{name} = {value}" for name, value in settings.items()))
    print(f"writing to {directory}")
    learner = Learner(config, device.jit(options.jit))
    distance = frechet.Distance(config, course) if measures_distance else None
    if load_model:
        _start_from(load_model, config, course, learner)
    with runner.Run(directory, settings, {"learner": learner}, options) as run:
        while run.phase < len(learner.entries) - 1:
            run.next_phase()  # what a loaded model has learned
        for folder in ("models", "imgs"):
            files.make_directory(directory / folder)
        if config.sequential:
            _train_sequence(run, config, course, learner, distance)
        else:
            _train_all(run, config, course, learner, distance)
    files.write_json(directory / _COMPLETE, {"distributions": len(learner.results)})
    print(f"trained {len(learner.results)} models, exiting")
    return directory


def _start_from(prefix: str, config: Config, course: Course, learner: Learner) -> None:
    """Load the newest model of a checkpoint; a lifelong run then enters the next distribution."""
    number = checkpoint.newest(prefix, learner.model())
    if not config.is_lifelong:
        learner.load(prefix, learner.entries, learner.lineage)
        return
    entries = [entry for entry, _ in distributions.schedule(config, len(course.distributions))]
    if number + 1 >= len(entries):
        raise UserError(f"{prefix} has learned {number + 1} distributions, --max_dist_swaps={config.max_dist_swaps} "
                        "leaves none to go on with; choose a larger number")
    lineage = learner.lineage
    for count in range(2, number + 2):
        lineage = lineage.forked(distributions.new_classes(config, course, entries[:count]))
    learner.load(prefix, entries[:number + 1], lineage)
    _enter(config, course, learner, entries[number + 1])


def training_samples(config: Config, course: Course, entries: list[int]) -> Samples:
    """What the present distribution is trained on, by the run's method."""
    if not config.sequential or config.method == "full_batch":
        chosen = range(len(course.distributions))
    else:
        chosen = dict.fromkeys(entries) if config.method == "progressive" else entries[-1:]
    return distributions.joined([course.distributions[entry].train for entry in chosen])


def _advance(config: Config, steps: step.Steps, samples: Samples, stream: distributions.Stream):
    """The runner's view of `steps.iterate` on images in the order of a stream."""
    shape = config.architecture.input_shape

    def some(first: int, count: int) -> dict[str, np.ndarray]:
        rows = stream.rows(first * config.batch_size, count * config.batch_size)
        images = samples.take(rows, shape).reshape(count, config.batch_size, *shape)
        return {name: values.numpy() for name, values in
                steps.iterate(tf.constant(images), tf.constant(first)).items()}

    def advance(first: int, count: int) -> dict[str, dict[int, float]]:
        history = {}
        for start in range(first, first + count, _AT_ONCE):
            values = some(start, min(_AT_ONCE, first + count - start))
            for name, column in values.items():
                history.setdefault(name, {}).update({start + k: float(value) for k, value in enumerate(column)})
        return history

    return advance


def _print_step(first_step: int, model: int):

    def print_means(step_number: int, means: dict[str, float]) -> None:
        tqdm.write(f"loss[total_iter={step_number}][iter={step_number - first_step}][model={model}] = "
                   f"{means['loss']:.6f}, elbo loss = {means['elbo']:.6f}, latent loss = {means['latent_kl']:.6f}, "
                   f"reconstr loss = {means['log_likelihood']:.6f}")

    return print_means


def _test_pass(run, config: Config, course: Course, learner: Learner, steps: step.Steps, number: int) -> None:
    """The periodic look at the test set, which the original's annealing counts, too; the log has it as `test_...`."""
    for prefix, samples in course.tests.items():
        means = scores.test(config, steps, samples, number)
        run.log.add({f"{prefix}test_{name}": {number: means[quantity]} for name, quantity in scores.CSV.items()})
        step.advance_clock(config, learner.clock, len(scores.batches(config, len(samples))))
        tqdm.write(f"[Test] avg cost = {means['loss']:.6f} | avg latent cost = {means['latent_kl']:.6f} | "
                   f"avg elbo loss = {means['elbo']:.6f} | avg recon loss = {means['log_likelihood']:.6f}")


def _train_phase(run, config, course, learner, total, first_step, label) -> step.Steps:
    """All iterations of the present distribution; returns its steps."""
    steps, phase = learner.steps(), run.phase
    samples = training_samples(config, course, learner.entries)
    stream = distributions.stream(config, phase, len(samples))
    if config.test_interval and (run.phase, run.iteration) == (0, 0):
        _test_pass(run, config, course, learner, steps, 0)
    every = config.test_interval

    def tests(iteration: int) -> bool:
        # The original looks at the test set before a training step, the events here come after one.
        return bool(every) and (first_step + iteration + 1) % every == 0

    run.train(total, _advance(config, steps, samples, stream), [
        runner.log_event(run, total, first_step, _print_step(first_step, phase)),
        runner.Event(tests, lambda i: _test_pass(run, config, course, learner, steps, first_step + i + 1)),
    ], label=label, first_step=first_step)
    return steps


def _train_sequence(run, config: Config, course: Course, learner: Learner, distance: frechet.Distance | None) -> None:
    plan = distributions.schedule(config, len(course.distributions))
    starts = np.concatenate([[0], np.cumsum([length for _, length in plan])]).tolist()
    if run.phase >= len(plan):
        return
    run.open_log(starts[run.phase] + run.iteration)
    for phase in range(run.phase, len(plan)):
        number, length = plan[phase]
        name = course.distributions[number].name
        steps = _train_phase(run, config, course, learner, length, starts[phase],
                             f"distribution {phase + 1}/{len(plan)} ({name})")
        _complete(run.directory, config, course, learner, steps, distance)
        if phase + 1 < len(plan):
            _enter(config, course, learner, plan[phase + 1][0])
        run.next_phase()


def _train_all(run, config: Config, course: Course, learner: Learner, distance: frechet.Distance | None) -> None:
    if run.phase:
        return
    count = len(training_samples(config, course, learner.entries))
    run.open_log(run.iteration)
    steps = _train_phase(run, config, course, learner, config.epochs * max(count // config.batch_size, 1), 0,
                         "all distributions")
    _complete(run.directory, config, course, learner, steps, distance)
    run.next_phase()


def _complete(directory: Path, config: Config, course: Course, learner: Learner, steps: step.Steps,
              distance: frechet.Distance | None) -> None:
    """Figures, files and pictures at the end of a distribution."""
    phase = len(learner.entries) - 1
    tests = {prefix: scores.test(config, steps, samples, -1) for prefix, samples in course.tests.items()}
    for means in tests.values():
        print(f"Mean losses [VAE {phase}] = Loss: {means['loss']:.6f} | ELBO: {means['elbo']:.6f} | "
              f"Reconstruction: {means['log_likelihood']:.6f} | LatentKL: {means['latent_kl']:.6f}")
    current = learner.entries[-1]
    result = {"distribution": course.distributions[current].name, "tests": tests}
    if config.sequential:
        seen = list(dict.fromkeys(learner.entries))
        by_distribution = {course.distributions[entry].name: scores.test(
            config, steps, course.distributions[entry].test, -1) for entry in seen}
        result["seen_elbo"] = float(np.mean([means["elbo"] for means in by_distribution.values()]))
        result["elbo_by_distribution"] = {name: means["elbo"] for name, means in by_distribution.items()}
        if learner.networks.teacher and learner.entries[:-1]:
            before = distributions.joined([course.distributions[entry].test
                                           for entry in dict.fromkeys(learner.entries[:-1])])
            result["consistency_accuracy"] = scores.consistency_accuracy(config, learner.networks, before)
    if distance:
        result |= distance.measure(learner)
        print(f"Frechet distance ({result['frechet_features']}) [VAE {phase}] = {result['frechet_distance']:.4f}")
    learner.results.append(result)
    scores.write_results(directory, course, learner)
    model = learner.model()
    tf1.write(directory / "models" / f"{model.prefix}.cpkt", model.variables())
    pictures.draw(directory / "imgs", config, course, learner)


def _enter(config: Config, course: Course, learner: Learner, number: int) -> None:
    """Go on to the next distribution."""
    if config.method == "ewc":
        learner.hold(_fisher(config, course, learner))
    learner.entries.append(number)
    if config.is_lifelong:
        pairs = learner.fork(distributions.new_classes(config, course, learner.entries))
        shapes = learner.model().shapes()
        for student, teacher in pairs.items():
            print(f"copying {teacher} {list(shapes[student])} --> {student} {list(shapes[student])}")


def _fisher(config: Config, course: Course, learner: Learner) -> list[tf.Tensor]:
    """Mean squared gradient over images of the present distribution."""
    samples, vae = course.distributions[learner.entries[-1]].train, learner.networks.student
    count = min(config.ewc_samples, len(samples))
    phase = len(learner.entries) - 1
    rows = randomness.host_generator(config.seed, "fisher", phase).permutation(len(samples))[:count]
    squared = tf.function(lambda images, uniform: baselines.squared_gradients(config, vae, images, uniform))
    total = None
    for number, start in enumerate(range(0, count, _FISHER_ROWS)):
        images = tf.constant(samples.take(rows[start:start + _FISHER_ROWS], config.architecture.input_shape))
        uniform = tf.random.stateless_uniform([len(images), vae.latents.classes],
                                              randomness.key(config.seed, "fisher", phase, number))
        sums = squared(images, uniform)
        total = sums if total is None else [old + new for old, new in zip(total, sums, strict=True)]
    return [sums / count for sums in total]
