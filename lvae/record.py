"""What a run leaves behind as the original does: printed lines, tests, figures, models and pictures."""

from tqdm import tqdm

from lib import tf1
from lib.run.runner import Event, Run, log_event
from lvae import evaluate, pictures, step
from lvae.distributions import Course
from lvae.frechet import Distance, circumstances
from lvae.learner import Learner
from lvae.step import Steps
from lvae.summaries import Summaries


class Record:
    """Of a run at work.

    Args:
      distance: measures every model, if it is wanted.
    """

    def __init__(self, course: Course, learner: Learner, run: Run, distance: Distance | None):
        self._config, self._course, self._learner, self._run = learner.config, course, learner, run
        self._distance = distance
        # Of an epoch, which only a run that is not sequential has.
        self._images = sum(len(part.train) for part in course.distributions)
        self._epoch_length = max(self._images // self._config.batch_size, 1)
        self._summaries = Summaries(self._config, run, sum(
            len(evaluate.batches(self._config, len(samples))) for samples in course.tests.values()))

    def events(self, steps: Steps) -> list[Event]:
        """What is told and tested in a visit."""
        first, every = self._run.first_step, self._config.test_interval
        return [log_event(self._run, self.log_point),
                Event(lambda i: not self._config.sequential and (i + 1) % self._epoch_length == 0, self.epoch),
                # The original looks at the test set before a training step, an event comes after one.
                Event(lambda i: bool(every) and (first + i + 1) % every == 0,
                      lambda i: self.look_at_tests(steps, first + i + 1))]

    def begin(self, steps: Steps) -> None:
        """The test before the run's first iteration."""
        if self._config.test_interval and (self._run.phase, self._run.iteration) == (0, 0):
            self.look_at_tests(steps, 0)

    def log_point(self, number: int, means: dict[str, float]) -> None:
        """As the original prints it; `number` counts the iterations of all visits."""
        self._summaries.train(self._learner.lineage.forks, self._run.log.latest)
        if self._config.sequential:
            distribution = self._learner.visited[-1]
            tqdm.write(f"loss[total_iter={number}][iter={number - self._run.first_step}][model={distribution}] = "
                       f"{means['loss']:.6f}, elbo loss = {means['elbo']:.6f}, "
                       f"latent loss = {means['latent_kl']:.6f}, reconstr loss = {means['log_likelihood']:.6f}")

    def epoch(self, iteration: int) -> None:
        """The original's line of a run that is not sequential: costs of an epoch's last batch, and the epoch's mean."""
        first = iteration + 1 - self._epoch_length
        costs, latent, likelihood = (self._run.log.of_steps(name, first, iteration)
                                     for name in ("loss", "latent_kl", "log_likelihood"))
        mean = sum(costs) * self._config.batch_size / self._images
        tqdm.write(f"[Epoch: {(iteration + 1) // self._epoch_length:04d}] current cost =  {costs[-1]:.4f} |  "
                   f"avg cost =  {mean:.4f} |  latent cost =  {latent[-1]:.4f} |  recon cost =  {-likelihood[-1]:.4f}")

    def look_at_tests(self, steps: Steps, number: int) -> None:
        """The periodic test, whose calls the original's annealing counts, too; the log has it as `test_...`."""
        seen = 0  # batches
        for prefix, samples in self._course.tests.items():
            batches = evaluate.test_batches(self._config, steps, samples, number)
            means = evaluate.over_all(self._config, len(samples), batches)
            self._summaries.test(self._learner.lineage.forks, batches, number, seen)
            seen += len(batches)
            self._run.log.add({f"{prefix}test_{name}": {number: means[quantity]}
                               for name, quantity in evaluate.CSV.items()})
            step.advance_clock(self._config, self._learner.clock, len(batches))
            tqdm.write(f"[Test] avg cost =  {means['loss']:.4f} |  avg latent cost =  {means['latent_kl']:.4f} |  "
                       f"avg elbo loss =  {means['elbo']:.4f} |  avg recon loss =  {means['log_likelihood']:.4f}")

    def visit(self, steps: Steps) -> None:
        """Figures, files and pictures at the end of one."""
        learner, directory = self._learner, self._run.directory
        figures = evaluate.figures(self._course, learner, steps)
        for means in figures["tests"].values():
            print(f"Mean losses [VAE {learner.visit}] = {evaluate.summary(means)}")
        self._run.answer_signals()
        if self._distance:
            figures |= self._distance.measure(learner)
            print(f"Frechet distance ({figures['frechet_features']}) [VAE {learner.visit}] = "
                  f"{figures['frechet_distance']:.4f}   ({circumstances(figures['frechet_depends_on'])})")
        self._run.answer_signals()
        learner.results.append(figures)
        evaluate.write_results(directory, self._course, learner)
        model = learner.model()
        tf1.write(directory / "models" / f"{model.prefix}.cpkt", model.variables())
        drawn = pictures.draw(directory / "imgs", self._course, learner)
        self._run.log.picture("samples", pictures.overview(self._course, learner, drawn),
                              self._run.first_step + self._run.lengths[self._run.phase] - 1)
