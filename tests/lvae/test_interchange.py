"""The Lifelong VAE's checkpoints and those of the TF1 program are the same files, in both directions."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lib import tf1
from lib.errors import UserError
from lib.tf1 import __main__ as tool
from lib.tf1 import models
from lvae import checkpoint, interchange, step, train
from lvae.config import EXPERIMENTS, Config
from lvae.learner import Learner
from lvae.networks import build_vae
from tests import tf1_program
from tests.golden import records, registry
from tests.golden.lvae import common
from tests.golden.lvae import networks as golden_networks
from tests.lvae.test_train import SHORT, line
from tests.process import refused
from tests.shared import once

FIGURES = Path(__file__).parent.parent / "golden/figures"
TEXT = "learningrate0.001_latentsize4_discsize1_mutintoreg0.0"
DENSE, CNN = f"vae0_elu_enc512_512_dec512_512_{TEXT}", f"vae0_elu_enc4_5x5xn_s2_fc9_deccifar_decoder_{TEXT}"
# Script -> model name, where its variables are listed, recorded outputs of both bodies, flags.
PROGRAMS = {"fashion_dnn": (DENSE, "initialisers", ("dense_enc", "dense_dec"), {}),
            "mnist": (CNN, "fork_map", ("cnn_enc_bn", "cnn_dec_bn"), {"use_bn": True})}
STEPS = 3
SCALARS = {"Variable": np.float32(STEPS), "temperature": np.float32(5.0),
           "loss_optimizer/beta1_power": np.float32(0.9**(STEPS + 1)),
           "loss_optimizer/beta2_power": np.float32(0.999**(STEPS + 1))}


def recorded(topic: str, *cases: str) -> records.Document:
    document = records.read(FIGURES / f"lvae_{topic}.json")
    return document._replace(data=document.data | {"cases": {name: document["cases"][name] for name in cases}})


def resized(name: str, shape: list[int]) -> tuple[int, ...]:
    """A recorded shape, for four latent dimensions in place of its own: 9 columns are encoded, 5 decoded."""
    if re.search(r"/(projection|Conv_6)/(weights|biases)", name) and "/encoder/" in name:
        return (*shape[:-1], 9)
    if re.search(r"decoder/Conv2d_transpose/weights", name):
        return (*shape[:-1], 5)
    return (5, shape[1]) if re.search(r"/decoder/layer/layer_1/weights", name) else tuple(shape)


def table(experiment: str) -> dict[str, tuple[int, ...]]:
    """What the TF1 program's checkpoint of its first model holds, as recorded from it: names and shapes."""
    model, topic, *_ = PROGRAMS[experiment]
    document = records.read(FIGURES / f"lvae_{topic}.json")
    if topic == "initialisers":
        listed = document["models"]["dense_fashion"][0]["variables"]
    else:
        listed = document["cases"]["cnn_bn"]["creation_order_M0"]
    return {re.sub("(P|M0)/", f"{model}/", name): resized(name, shape) for name, shape, *_ in listed}


def completed(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rest of a model's variables: Adam's after some steps, its slots at random."""
    model, = {name.partition("/")[0] for name in weights}
    values = {f"{model}/{name}": value for name, value in SCALARS.items()} | weights
    for name, value in weights.items():
        if "/moving_" not in name:
            values |= {slot: records.uniform(slot, value.shape) for slot in (
                f"{model}/loss_optimizer/{name}/Adam", f"{model}/loss_optimizer/{name}/Adam_1")}
    return values


def checkpoint_values(experiment: str) -> dict[str, np.ndarray]:
    """The weights that the recorded outputs were made with, and the optimiser's state."""
    model, _, cases, _ = PROGRAMS[experiment]
    document = recorded("networks", *cases)
    weights = {f"{model}/{part}/{name}": value for part, case in zip(("encoder", "generator"), cases)
               for name, value in records.weights(document["prefix"], document["cases"][case]["variables"]).items()}
    return completed(weights)


def port(experiment: str) -> Learner:
    flags = PROGRAMS[experiment][-1]
    return Learner(Config(experiment, EXPERIMENTS[experiment].architecture, sequential=True, latent_size=4, **flags))


@pytest.mark.parametrize("experiment", ["fashion_dnn", pytest.param("mnist", marks=pytest.mark.full)])
def test_the_tf1_programs_checkpoint_gives_its_outputs(tmp_path, monkeypatch, experiment):
    values = checkpoint_values(experiment)
    assert {name: value.shape for name, value in values.items()} == table(experiment)
    tf1_program.save(tmp_path / "model.cpkt", values)
    learner = port(experiment)
    assert checkpoint.newest(tmp_path / "model.cpkt", learner.model()) == 0
    learner.load(tmp_path / "model.cpkt", [0], learner.lineage)
    assert int(learner.optimizer.iterations) == STEPS
    for name, slot in learner.model().slots().items():
        np.testing.assert_array_equal(slot, values[name], err_msg=name)

    def body(case, weights):
        scope = next(iter(weights)).partition("/")[0]
        return getattr(learner.networks.student, scope.removeprefix("cnn_")), scope

    monkeypatch.setattr(golden_networks, "_body", body)
    monkeypatch.setattr(common, "inject", lambda variables, values: None)
    groups = registry.check(recorded("networks", *PROGRAMS[experiment][2]))
    assert not [failure for group in groups for failure in group.failures]
    assert sum(group.count for group in groups) > 15


@pytest.mark.parametrize("experiment", PROGRAMS)
def test_a_tf1_saver_restores_our_checkpoint(tmp_path, experiment):
    values, learner = checkpoint_values(experiment), port(experiment)
    model = learner.model()
    for name, variable in (model.weights() | model.slots()).items():
        variable.assign(values[name])
    learner.optimizer.iterations.assign(STEPS)
    tf1.write(tmp_path / "model.cpkt", model.variables())
    assert tf1.read(tmp_path / "model.cpkt").keys() == table(experiment).keys()
    restored = tf1_program.restore(tmp_path / "model.cpkt", table(experiment))
    for name, value in values.items():
        np.testing.assert_allclose(restored[name], value, rtol=1e-6 if "_power" in name else 0.0, err_msg=name)


@pytest.mark.parametrize("topic, case", [
    ("losses", "plain_m3"), *(pytest.param(*case, marks=pytest.mark.full) for case in (
        ("losses", "bn_m1"), ("losses_cnn", "cnn_m1")))])
def test_a_forked_models_checkpoint_gives_its_costs(tmp_path, monkeypatch, topic, case):
    """The file holds all models of the run; student and teacher come from it, each by its own name."""
    document = recorded(topic, case)
    models = {}
    for name, value in records.weights(document["prefix"], document["cases"][case]["variables"]).items():
        models.setdefault(name.partition("/")[0], {})[name] = value

    def build(settings, latents, values, name):
        model_name, = {key.partition("/")[0] for key in values}
        scopes = tuple(dict.fromkeys(key.split("/")[2] for key in values))
        path = tmp_path / f"{model_name}.cpkt"
        tf1_program.save(path, {key: value for other, weights in models.items() if other <= model_name
                                for key, value in completed(weights).items()})
        vae = build_vae(settings, latents, name=name)
        optimizer = step.build_optimizer(settings, vae.trainable_variables)
        model = checkpoint.TF1Model(vae, optimizer, model_name, scopes)
        assert checkpoint.newest(path, model) == int(model_name[3])
        checkpoint.restore(path, model)
        assert int(optimizer.iterations) == STEPS
        return vae, model.weights()

    monkeypatch.setattr(common, "build", build)
    groups = registry.check(document)
    assert len(models) == 2 and not [failure for group in groups for failure in group.failures]
    assert sum(group.count for group in groups) > 30


def damaged(values: dict, what: str) -> tuple[dict, list[str]]:
    """Checkpoint values that do not fit, and what has to be said of them."""
    values, name = dict(values), f"{DENSE}/generator/decoder/projection/biases"
    if what == "missing":
        del values[name], values[f"{DENSE}/loss_optimizer/{name}/Adam_1"]
        return values, [f"missing {name}", f"missing {DENSE}/loss_optimizer/{name}/Adam_1"]
    if what == "extra":
        return values | {"Solver.b": np.zeros([2], np.float32)}, ["unknown Solver.b"]
    values[name] = np.zeros([785], np.float32)
    return values, [f"{name} is [785] there, [784] here"]


@pytest.mark.parametrize("what", ["missing", "extra", "misshaped"])
def test_what_does_not_fit_is_refused_with_the_list(tmp_path, what):
    values, said = damaged(checkpoint_values("fashion_dnn"), what)
    tf1_program.save(tmp_path / "model.cpkt", values)
    learner = port("fashion_dnn")
    before, student = learner.serialize(), learner.networks.student
    with pytest.raises(UserError) as refusal:
        learner.load(tmp_path / "model.cpkt", [0], learner.lineage)
    assert all(part in str(refusal.value) for part in said) and "\n" not in str(refusal.value)
    assert learner.networks.student is student and learner.serialize() == before


def test_a_layer_without_inputs_is_refused():
    values = checkpoint_values("fashion_dnn")
    values[f"{DENSE}/encoder/encoder/layer/layer_1/weights"] = np.zeros([0, 512], np.float32)
    with pytest.raises(UserError, match="is no complete model with dense bodies"):
        interchange.build("dense", values)


# --- the programs -----------------------------------------------------------------------------------------------------


def config(**settings) -> Config:
    return Config("fashion_dnn", EXPERIMENTS["fashion_dnn"].architecture, **{
        "sequential": True, "latent_size": 2, "batch_size": 2, "min_interval": 3, "max_dist_swaps": 3,
        "test_interval": 0} | settings)


@pytest.fixture(scope="session", params=[False, True], ids=["default", "tf1_exact"])
def whole(request, tmp_path_factory, fashion):
    """A run's settings and its models of three distributions, by number."""
    settings = {"tf1_exact": request.param}
    directory = once(tmp_path_factory, f"lvae three {request.param}",
                     lambda path: train.run(config(**settings), path, fashion)) / "experiment_0"
    return settings, {int(path.name[3]): path.with_suffix("") for path in (directory / "models").glob("*.cpkt.index")}


@pytest.mark.full
def test_a_loaded_run_ends_as_the_whole_one(tmp_path, fashion, whole):
    settings, three = whole
    # As TF1's program writes it: all models of a run in one file.
    together = tf1.read(three[0]) | tf1.read(three[1])
    tf1_program.save(tmp_path / three[1].name, together)
    directory = train.run(config(**settings), tmp_path / "run", fashion, str(tmp_path / three[1].name))
    last, = (directory / "models").glob("*.cpkt.index")
    assert last.stem == three[2].name
    ours, theirs = tf1.read(last.with_suffix("")), tf1.read(three[2])
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)
    assert np.loadtxt(directory / "models/class_list.csv", delimiter=",").tolist() == [[0, 0], [1, 1], [2, 2]]
    result, = json.loads((directory / "results.json").read_text())
    assert (result["transition"], result["distribution"]) == (3, "fashion 2")
    elbos = np.loadtxt(directory / "models/mnist_test_elbo.csv")
    assert np.isnan(elbos[:2]).all() and elbos[2] == pytest.approx(result["tests"]["mnist_"]["elbo"])


@pytest.mark.full
def test_a_run_that_is_not_lifelong_starts_with_the_loaded_weights(tmp_path, fashion):
    settings = {"sequential": False, "epochs": 1, "batch_size": 20}
    first = train.run(config(**settings), tmp_path, fashion)
    prefix, = (path.with_suffix("") for path in (first / "models").glob("*.cpkt.index"))
    second = train.run(config(**settings), tmp_path, fashion, str(prefix))
    name = f"{prefix.name.removesuffix('.cpkt')}/Variable"
    assert tf1.read(second / "models" / prefix.name)[name] == 2 * tf1.read(prefix)[name] > 0


@pytest.mark.parametrize("flags, message", [
    ("--latent_size=3", "does not fit these networks: it holds vae0_elu_enc512_512_dec512_512_"),
    ("--use_bn=True", "missing "),
    ("--max_dist_swaps=1", "has learned 1 distributions"),
    ("--load_model=nowhere", "cannot read the checkpoint nowhere"),
])
def test_the_script_refuses_in_one_line(here, fashion, flags, message):
    weights = {name.replace(TEXT, TEXT.replace("size4", "size2")): value
               for name, value in checkpoint_values("fashion_dnn").items()}
    tf1_program.save(here.path / "vae0.cpkt", weights)
    assert message in refused(here.call(line("fashion_dnn", fashion, f"{SHORT} --load_model=vae0.cpkt {flags}")))
    assert not (here.path / "experiment_0").exists()


@pytest.mark.parametrize("group, name", [("dense_fashion", "lvae-dense"), ("dense_ln", "lvae-dense"),
                                         ("cnn_bernoulli", "lvae-cnn"), ("cnn_logistic_svhn", "lvae-cnn")])
def test_the_tool_knows_the_recorded_models(group, name):
    values = {}
    for model in records.read(FIGURES / "lvae_initialisers.json")["models"][group]:
        values |= {entry[0].replace("P/", f"{model['model_name']}/"): np.broadcast_to(np.float32(0), entry[1])
                   for entry in model["variables"]}
    assert models.recognise(values) == name
    built = models.build(name, values)
    assert ({key: tuple(variable.shape) for key, variable in built.variables.items()}
            == {key: value.shape for key, value in values.items()})


def test_list_and_convert_there_and_back(tmp_path, capsys):
    values = checkpoint_values("fashion_dnn")
    tf1_program.save(tmp_path / "model", values)
    assert tool.main(["list", str(tmp_path / "model")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "40 variables of lvae-dense"
    rows = {line.split()[0]: line.split()[1:] for line in printed}
    assert rows[f"{DENSE}/encoder/encoder/projection/weights"] == ["512x9", "vae0_encoder/layer_2/kernel"]
    assert not [name for name, columns in rows.items() if columns[-1] == "-"]
    keras, back = str(tmp_path / "keras"), str(tmp_path / "back")
    assert tool.main(["convert", str(tmp_path / "model"), keras, "--model", "lvae-dense"]) == 0
    assert tool.main(["convert", keras, back, "--model", "lvae-dense"]) == 2
    assert "--like" in capsys.readouterr().err
    assert tool.main(["convert", keras, back, "--model", "lvae-dense", "--like", str(tmp_path / "model")]) == 0
    restored = tf1_program.restore(tmp_path / "back", table("fashion_dnn"))
    for name, value in values.items():
        if "loss_optimizer" not in name and not name.endswith("/Variable"):
            np.testing.assert_array_equal(restored[name], value, err_msg=name)
