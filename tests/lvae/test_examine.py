"""`--test --load_model`: a checkpoint of either program is evaluated and drawn."""

import json

import numpy as np
import pytest

from lib import tf1
from lvae import examine
from lvae.config import Command
from tests import tf1_program
from tests.lvae.test_interchange import checkpoint_values, config, whole  # noqa: F401 (a fixture)
from tests.lvae.test_train import SHORT, line
from tests.process import passed, refused


@pytest.mark.full
def test_a_tf1_programs_checkpoint_is_evaluated_and_drawn(here, fashion):
    """Of four latent dimensions, which no flag says."""
    tf1_program.save(here.path / "vae0.cpkt", checkpoint_values("fashion_dnn"))
    printed = passed(here.call(line("fashion_dnn", fashion, "--test --load_model=vae0.cpkt --batch_size=20")))
    assert "Mean losses [VAE 0] = Loss: " in printed and "fashion 0: Loss: " in printed
    directory, = here.path.glob("evaluation_vae0_*")
    figures = json.loads((directory / "evaluation.json").read_text())
    assert figures["tests"]["mnist_"]["elbo"] > 0 and list(figures["distributions"]) == ["fashion 0"]
    names = {path.name.split("_vae0")[0] for path in (directory / "imgs").iterdir()}
    assert "20d_reconstr" in names and "vae_0_consistency_discrete_index0_num2.png" in names
    assert not list(here.path.glob("experiment_*"))


def test_what_cannot_be_evaluated_is_refused_in_one_line(here, fashion):
    tf1_program.save(here.path / "vae0.cpkt", checkpoint_values("fashion_dnn"))
    tf1_program.save(here.path / "other", {"kernel": np.zeros([2], np.float32)})
    for flags, message in (("--test", "--load_model"), ("--test --load_model=other", "no model of a Lifelong VAE"),
                           ("--test --load_model=nowhere", "cannot read the checkpoint nowhere")):
        assert message in refused(here.call(line("fashion_dnn", fashion, flags)))


@pytest.mark.full
def test_a_trained_model_is_worth_what_its_run_said(tmp_path, fashion, whole):  # noqa: F811
    """All models of the run in one file, as TF1's program writes them: the last one counts, with its three classes."""
    settings, three = whole
    together = {name: value for prefix in three.values() for name, value in tf1.read(prefix).items()}
    tf1_program.save(tmp_path / "all.cpkt", together)
    results = json.loads((three[0].parent.parent / "results.json").read_text())
    command = Command(load_model=str(tmp_path / "all.cpkt"), base_dir=str(tmp_path), data_dir=str(fashion), test=True)
    # Networks of other sizes than the flags say.
    directory = examine.run(config(**settings, latent_size=7), command)
    figures = json.loads((directory / "evaluation.json").read_text())
    assert figures["model"].startswith("vae2_") and list(figures["distributions"]) == [f"fashion {n}" for n in range(3)]
    assert {path.name for path in (directory / "imgs").iterdir()} >= {"interpolation_discrete2.png"}
    if settings["tf1_exact"]:
        return  # the run's tests hold the teacher's samples, too
    assert figures["tests"]["mnist_"] == pytest.approx(results[2]["tests"]["mnist_"], rel=1e-6)
    elbos = {name: means["elbo"] for name, means in figures["distributions"].items()}
    assert elbos == pytest.approx(results[2]["elbo_by_distribution"], rel=1e-6)


@pytest.mark.full
@pytest.mark.parametrize("method", ["vanilla", "progressive"])
def test_a_model_that_does_not_fork_is_evaluated_on_all_that_it_has_visited(here, fashion, method):
    passed(here.call(line("fashion_dnn", fashion, f"{SHORT} --test_interval=0 --method={method}")))
    prefix, = (path.with_suffix("") for path in here.path.glob("experiment_0/models/*.cpkt.index"))
    result = json.loads((here.path / "experiment_0/results.json").read_text())[-1]
    test = line("fashion_dnn", fashion, f"--test --load_model={prefix}")
    passed(here.call(test))
    figures = json.loads(next(here.path.glob("evaluation_*/evaluation.json")).read_text())
    assert list(figures["distributions"]) == [f"fashion {number}" for number in range(3)]
    assert figures["tests"]["mnist_"] == pytest.approx(result["tests"]["mnist_"], rel=1e-6)
    prefix.with_name("class_list.csv").write_text("10,10\n")  # of ten
    assert "class_list.csv does not list some of 10 distributions" in refused(here.call(test))


@pytest.mark.full
def test_distances_of_each_distribution(here, fashion):
    tf1_program.save(here.path / "vae0.cpkt", checkpoint_values("fashion_dnn"))
    printed = passed(here.call(line("fashion_dnn", fashion, "--test --frechet --load_model=vae0.cpkt --batch_size=20")))
    assert " | Frechet: " in printed and "Frechet of reconstructions: " in printed
    directory, = here.path.glob("evaluation_vae0_*")
    figures = json.loads((directory / "evaluation.json").read_text())
    assert figures["distributions"]["fashion 0"]["frechet_distance"] >= 0 and figures["frechet_distance"] >= 0
