"""The original's events: steps counted as its loop counts them, tags as its graph names them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from lvae.config import make_config
from lvae.summaries import Summaries, tags

_EVERY, _BATCHES = 4, 3


class Written(list):
    """Of one directory: (step, {tag: value})."""

    def scalars(self, values, step):
        self.append((step, values))


def summaries(first: int) -> tuple[Summaries, dict[str, Written]]:
    """Of a visit that begins with the run's iteration `first`."""
    directories = {"train": Written(), "test": Written()}
    log = SimpleNamespace(originals_events=lambda path: directories[path.name])
    run = SimpleNamespace(log=log, first_step=first, directory=Path("run"))
    return Summaries(make_config("fashion_dnn", test_interval=_EVERY), run, _BATCHES), directories


@pytest.mark.parametrize("first", [0, 6, 8])
def test_steps_count_the_calls_of_the_present_model(first):
    ours, directories = summaries(first)
    forks = int(first > 0)
    calls, trained, tested = 0, [], []
    for number in range(first, first + 40):  # the original's loop
        if number % _EVERY == 0 and (number > first or first == 0):
            tested += range(calls, calls + _BATCHES)
            calls += _BATCHES
            ours.test(forks, [{"elbo": 1.0}] * 2, number, 0)
            ours.test(forks, [{"elbo": 2.0}], number, 2)  # of another test set
        trained.append(calls)
        calls += 1
        ours.train(forks, {"loss": {number: 3.0}, "elbo": {number: 4.0}})
    assert [step for step, _ in directories["test"]] == tested
    assert [step for step, _ in directories["train"]] == [step for step in trained if step % 10 == 0]
    assert directories["train"][0][1].keys() == {
        tags(forks)[name] for name in ("loss", "elbo", "bits_per_dim")}


def test_a_model_that_does_not_fork_counts_on():
    ours, directories = summaries(first=40)
    ours.train(0, {"loss": {43: 3.0, 44: 3.0}, "elbo": {43: 4.0, 44: 4.0}})
    assert [step for step, _ in directories["train"]] == [44 + 12 * _BATCHES]  # looks before 0, 4, ..., 44


def test_tags_are_numbered_by_model():
    assert tags(0)["elbo"] == "vae_negative_elbo" and tags(2)["elbo"] == "vae_negative_elbo_2"
    assert tags(1)["consistency"] == "vae_kl_distill_mean" and tags(2)["consistency"] == "vae_kl_distill_mean_1"
