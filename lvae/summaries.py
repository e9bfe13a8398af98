"""The original's events, `logs/train` and `logs/test`: its scalars, with its tags and its counting of steps."""

from collections.abc import Sequence

from lib.run.runner import Run
from lvae import losses
from lvae.config import Config

_EVERY = 10  # steps between two points of a training
# Quantities of the log and their tags.
_TAGS = {"loss": "vae_loss_mean", "elbo": "vae_negative_elbo", "latent_kl": "vae_latent_loss_mean",
         "log_likelihood": "vae_reconstr_loss_mean", "grad_norm": "vae_grad_norm", "bits_per_dim": "bits_per_dim"}
_STUDENTS = {"consistency": "vae_kl_distill_mean", "consistency_accuracy": "consistency_accuracy"}


def tags(forks: int) -> dict[str, str]:
    """{quantity: tag} of the model after so many forks.

    In one graph TF1 gives a tag that is taken a number: the second model's first one is `vae_loss_mean_1`. Those that
    the first model has not begin with the second.
    """
    numbers = dict.fromkeys(_TAGS, forks) | dict.fromkeys(_STUDENTS, forks - 1)
    return {name: tag + (f"_{numbers[name]}" if numbers[name] > 0 else "")
            for name, tag in (_TAGS | _STUDENTS).items()}


class Summaries:
    """Points of a run. A step is a call of the present model, whether to train on a batch or to test one.

    Args:
      test_batches: of a look at all test sets.
    """

    def __init__(self, config: Config, run: Run, test_batches: int):
        self._config, self._run, self._test_batches = config, run, test_batches
        self._train, self._test = (run.log.originals_events(run.directory / "logs" / part)
                                   for part in ("train", "test"))

    def train(self, forks: int, values: dict[str, dict[int, float]]) -> None:
        """Points of a training after so many forks.

        Args:
          values: {quantity: {the run's iteration: value}}, of a log point.
        """
        names = [name for name in values if name in tags(forks)]
        for number in values["loss"]:
            step = self._step(forks, number, number)
            if step % _EVERY == 0:
                self._write(self._train, forks, {name: values[name][number] for name in names}, step)

    def test(self, forks: int, batches: Sequence[dict[str, float]], number: int, seen: int) -> None:
        """A point per batch of a test set, at a look before the run's iteration `number` that has `seen` other batches
        before."""
        for index, means in enumerate(batches, seen):
            self._write(self._test, forks, means, self._step(forks, number, number - 1) + index)

    def _step(self, forks: int, number: int, last_look: int) -> int:
        """Calls of the model before the run's iteration `number`, with looks at the tests before up to `last_look`."""
        every = self._config.test_interval
        first = self._run.first_step if forks else 0  # what does not fork is one model throughout
        looks = last_look // every - first // every + (first == 0) if every else 0
        return number - first + looks * self._test_batches

    def _write(self, events, forks: int, means: dict[str, float], step: int) -> None:
        means = means | {"bits_per_dim": losses.bits_per_dimension(self._config, means["elbo"])}
        events.scalars({tag: means[name] for name, tag in tags(forks).items() if name in means}, step)
