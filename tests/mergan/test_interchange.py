"""MeRGAN's checkpoints and those of the TF1 programs are the same files, in both directions."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lib import tf1
from lib.errors import UserError
from lib.mergan import evaluate, networks, train
from lib.mergan.checkpoint import checkpoint_variables
from lib.mergan.config import DATASETS, Config
from lib.mergan.samples import samples_of
from lib.mergan.step import build_optimizers
from lib.run.options import Options
from lib.tf1 import __main__ as tool
from lib.tf1 import models
from tests import tf1_program
from tests.golden import records, registry
from tests.golden.mergan import common
from tests.mergan.tf1_variables import JOINT, TASKS

FIGURES = Path(__file__).parent.parent / "golden/figures"
PROGRAMS = [("mnist", False), ("mnist", True), *(pytest.param(*program, marks=pytest.mark.full) for program in (
    ("svhn", False), ("lsun", False), ("svhn", True)))]

# The recorded beta powers of the joint program after 2 generator and 15 critic steps.
POWERS = records.read(FIGURES / "mergan_training.json")["cases"]["train_joint"]["adam_beta_powers"]


def recorded(dataset: str) -> records.Document:
    """The recorded outputs of one data set's networks."""
    document = records.read(FIGURES / "mergan_networks.json")
    name = f"networks_{dataset}"
    tensors = {key: value for key, value in document["tensors"].items() if key.startswith(name)}
    return document._replace(data=document.data | {"cases": {name: document["cases"][name]}, "tensors": tensors})


def table(dataset: str, joint: bool) -> dict[str, tuple[int, ...]]:
    return (JOINT if joint else TASKS)[dataset]


def checkpoint_values(dataset: str, joint: bool) -> dict[str, np.ndarray]:
    """The weights that the recorded outputs were made with; Adam's slots at random, its powers as recorded."""
    document = recorded(dataset)
    values = records.weights(document["prefix"], document["variables"][dataset])
    values |= {key.removeprefix("end_joint_adam/"): np.float32(power) for key, power in POWERS.items()}
    values |= {name: records.uniform(name, shape) for name, shape in table(dataset, joint).items() if "/Adam" in name}
    return {name: values[name] for name in table(dataset, joint)}


def port(dataset: str, joint: bool, **settings):
    """Networks, optimisers and what of them is in a checkpoint."""
    config = Config(dataset, iterations=0, joint=joint, **settings)
    built = networks.build_networks(config.data, replay=not joint)
    optimizers = build_optimizers(config, built)
    return built, optimizers, checkpoint_variables(config, built, optimizers)


@pytest.mark.parametrize("dataset, joint", PROGRAMS)
def test_a_tf1_programs_checkpoint_gives_its_outputs(tmp_path, monkeypatch, dataset, joint):
    values = checkpoint_values(dataset, joint)
    assert {name: value.shape for name, value in values.items()} == table(dataset, joint)
    tf1_program.save(tmp_path / "WGAN_GP.model3-4000", values)
    built, optimizers, variables = port(dataset, joint)
    tf1.assign(tmp_path / "WGAN_GP.model3-4000", variables)
    if joint:
        assert [int(optimizer.iterations) for optimizer in optimizers[:2]] == [2, 15]
        # The record of the replay generator, which a joint training has not got, is met by its own weights.
        built = built._replace(replay=next(common.cases(recorded(dataset))).networks().replay)
    monkeypatch.setattr(common.Case, "networks", lambda case: built)
    groups = registry.check(recorded(dataset))
    assert not [failure for group in groups for failure in group.failures]
    assert sum(group.count for group in groups) == len(recorded(dataset)["tensors"]) > 6


@pytest.mark.parametrize("dataset, joint", PROGRAMS)
def test_a_tf1_saver_restores_our_checkpoint(tmp_path, dataset, joint):
    values = checkpoint_values(dataset, joint)
    built, optimizers, variables = port(dataset, joint)
    for name, variable in variables.items():
        if not name.startswith("beta"):
            variable.assign(values[name])
    for optimizer, steps in zip(optimizers, (2, 15)):
        optimizer.iterations.assign(steps)
    tf1.write(tmp_path / "WGAN_GP.model-40000", variables)
    assert tf1.read(tmp_path / "WGAN_GP.model-40000").keys() == table(dataset, joint).keys()
    restored = tf1_program.restore(tmp_path / "WGAN_GP.model-40000", table(dataset, joint))
    for name, value in values.items():
        np.testing.assert_array_equal(restored[name], value, err_msg=name)


def test_the_joint_programs_adam_goes_on_here(tmp_path):
    """TF1's own graph of the joint program's variables: two optimisers name the slots, and take one more step."""
    values = checkpoint_values("mnist", joint=True)
    program = tf.compat.v1
    with tf.Graph().as_default(), program.Session() as session:
        variables = {name: program.get_variable(name, initializer=tf.constant(value), use_resource=False,
                                                trainable=".moving_" not in name)
                     for name, value in values.items() if "/Adam" not in name and not name.startswith("beta")}
        steps = [program.train.AdamOptimizer(1e-4, beta1=0.0, beta2=0.9).minimize(
            tf.add_n([tf.nn.l2_loss(variable) for name, variable in variables.items() if name.startswith(scope)]),
            var_list=[variable for variable in program.trainable_variables() if variable.op.name.startswith(scope)])
            for scope in ("New.Generator", "Discriminator")]
        session.run(program.global_variables_initializer())
        session.run(steps[0])
        for _ in range(3):
            session.run(steps[1])
        program.train.Saver().save(session, str(tmp_path / "WGAN_GP.model-0"))
        session.run(steps)
        expected = session.run({variable.op.name: variable for variable in program.global_variables()})
    assert {name: value.shape for name, value in expected.items()} == JOINT["mnist"]
    built, optimizers, ours = port("mnist", joint=True)
    tf1.assign(tmp_path / "WGAN_GP.model-0", ours)
    for optimizer, network in zip(optimizers, (built.generator, built.critic)):
        weights = network.trainable_variables
        optimizer.apply([weight.value + 0.0 for weight in weights], weights)  # of half the sum of squares
    for name, value in expected.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("dataset, joint", PROGRAMS)
def test_the_tool_recognises_the_programs_checkpoints(dataset, joint):
    name = models.recognise({name: np.broadcast_to(np.float32(0), shape)
                                  for name, shape in table(dataset, joint).items()})
    assert name == f"{'joint' if joint else 'mergan'}-{dataset}"


@pytest.mark.parametrize("name, dataset, joint", [("mergan-mnist", "mnist", False), ("joint-svhn", "svhn", True)])
def test_the_tools_models_are_the_programs(name, dataset, joint):
    model = models.build(name)
    assert {key: tuple(variable.shape) for key, variable in model.variables.items()} == table(dataset, joint)
    assert set(model.networks) == {"generator", "critic"} | ({"replay"} if not joint else set())


@pytest.mark.full
def test_list_and_convert_a_checkpoint_of_the_joint_program(tmp_path, capsys):
    values = checkpoint_values("mnist", joint=True)
    tf1_program.save(tmp_path / "model", values)
    assert tool.main(["list", str(tmp_path / "model")]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert rows["New.Generator.5/New.Generator.5.Filters"] == ["5x5x1x32", "generator/5/kernel"]
    shape, ours = rows["Discriminator.Output/Discriminator.Output.W/Adam_1"]
    assert shape == "2048x1" and ours.endswith("/critic_Output_kernel_velocity")
    assert not [name for name, columns in rows.items() if columns[-1] == "-"]
    assert tool.main(["convert", str(tmp_path / "model"), str(tmp_path / "keras"), "--model", "joint-mnist"]) == 0
    assert tool.main(["convert", str(tmp_path / "keras"), str(tmp_path / "back"), "--model", "joint-mnist"]) == 0
    back = tf1_program.restore(tmp_path / "back", JOINT["mnist"])
    for name, value in back.items():
        # Keras weights hold no optimiser: it stands before its first step.
        fresh = {"beta1": 0.0, "beta2": np.float32(0.9)}.get(name[:5], 0.0)
        expected = fresh if "/Adam" in name or name.startswith("beta") else values[name]
        np.testing.assert_array_equal(value, np.broadcast_to(expected, value.shape), err_msg=name)


# --- the programs -----------------------------------------------------------------------------------------------------


def judge(images):
    """In place of the evaluation classifier: ten logits that change with every pixel."""
    pixels = tf.reshape(images, [tf.shape(images)[0], -1])
    return tf.cos(pixels @ tf.random.stateless_uniform([pixels.shape[1], 10], [1, 2], -1.0, 1.0))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(evaluate.pretrained, "evaluation_classifier", lambda dataset, data_dir: judge)


@pytest.mark.full
def test_testing_reads_what_the_task_program_wrote(tmp_path, quick):
    config = Config("mnist", iterations=4001, batch_size=2)
    values = checkpoint_values("mnist", joint=False)
    for task in (4, 9):
        tf1_program.save(tmp_path / f"model/WGAN_GP.model{task}-4000", values)
    metrics = evaluate.run(config, tmp_path, "data")
    generator = networks.build_generator(DATASETS["mnist"])
    for name, variable in networks.tf1_names(generator, "New.Generator").items():
        variable.assign(values[name])
    samples = samples_of(config, networks.Networks(generator, None))
    expected = evaluate.class_accuracies(*evaluate.recognised(samples, judge, task=4), 5)
    assert list(metrics["tasks"][0]["accuracy"].values()) == expected and len(set(expected)) > 1


def test_testing_reads_what_the_joint_program_wrote(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(evaluate, "recognised", lambda samples, classifier, task: (
        None, samples.generator.conv5.bias.numpy()[None]))
    values = checkpoint_values("mnist", joint=True)
    tf1_program.save(tmp_path / "model/WGAN_GP.model-40000", values)
    metrics = evaluate.run(Config("mnist", iterations=40001, joint=True), tmp_path, "data")
    bias = float(values["New.Generator.5/New.Generator.5.Biases"][0])
    assert [task["average_accuracy"] for task in metrics["tasks"]] == [bias, bias]


def damaged(values: dict, what: str) -> tuple[dict, list[str]]:
    """Checkpoint values that do not fit, and what has to be said of them."""
    values, name = dict(values), "Discriminator.1/Discriminator.1.Biases"
    if what == "missing":
        del values[name], values["New.Generator.BN1.scale"]
        return values, [f"missing {name}", "missing New.Generator.BN1.scale"]
    if what == "extra":
        return values | {"Solver.b": np.zeros([2], np.float32)}, ["unknown Solver.b"]
    values[name] = np.zeros([33], np.float32)
    return values, [f"{name} is [33] there, [32] here"]


@pytest.mark.parametrize("joint, what", [
    (False, "missing"), (False, "extra"), (False, "misshaped"),
    *(pytest.param(True, what, marks=pytest.mark.full) for what in ("missing", "extra", "misshaped"))])
def test_testing_refuses_what_does_not_fit(tmp_path, quick, joint, what):
    config = Config("mnist", iterations=1, joint=joint)
    values, said = damaged(checkpoint_values("mnist", joint), what)
    tf1_program.save(tmp_path / f"model/WGAN_GP.model{'' if joint else 4}-0", values)
    with pytest.raises(UserError) as refusal:
        evaluate.run(config, tmp_path, "data")
    assert all(part in str(refusal.value) for part in said) and "\n" not in str(refusal.value)
    assert not (tmp_path / "metrics.json").exists()


def test_joint_testing_refuses_a_checkpoint_without_adams_state(tmp_path, quick):
    values = {name: value for name, value in checkpoint_values("mnist", joint=True).items()
              if "/Adam" not in name and not name.startswith("beta")}
    tf1_program.save(tmp_path / "model/WGAN_GP.model-0", values)
    with pytest.raises(UserError, match="missing beta1_power"):
        evaluate.run(Config("mnist", iterations=1, joint=True), tmp_path, "data")


def test_training_starts_from_what_the_task_program_wrote(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(train.Training, "learn",
                        lambda training, images, run: started.append((training.networks, run.phase)))
    values = checkpoint_values("mnist", joint=False)
    tf1_program.save(tmp_path / "tf1/WGAN_GP.model2-4000", values)
    # The same networks as for mnist, of data that are there without a download.
    train.run(Config("digits", iterations=1), tmp_path / "run", "data", str(tmp_path / "tf1/WGAN_GP.model2-4000"))
    (built, phase), = started
    assert phase == 1
    for name, variable in networks.tf1_variables(built).items():
        # As the original does: the replay generator becomes the restored generator, not what the file calls Old.
        np.testing.assert_array_equal(variable, values[name.replace("Old.", "New.")], err_msg=name)


@pytest.mark.full
def test_a_joint_trainings_checkpoint_is_the_joint_programs(tmp_path):
    config = Config("digits", iterations=2, joint=True, batch_size=10)
    train.run(config, tmp_path / "run", "data", options=Options())
    restored = tf1_program.restore(tmp_path / "run/model/WGAN_GP.model-1", JOINT["mnist"])
    assert tf1.read(tmp_path / "run/model/WGAN_GP.model-1").keys() == JOINT["mnist"].keys()
    powers = {name: value for name, value in restored.items() if name.startswith("beta")}
    # One generator step, which iteration 0 does not have, and ten critic steps.
    expected = {"beta1_power": 0.0, "beta2_power": 0.9**2, "beta1_power_1": 0.0, "beta2_power_1": 0.9**11}
    assert powers == pytest.approx(expected, rel=1e-6)
    assert np.any(restored["New.Generator.Input/New.Generator.Input.W/Adam"])
    assert np.all(restored["Discriminator.1/Discriminator.1.Filters/Adam_1"] > 0)
    tf1.assign(tmp_path / "run/model/WGAN_GP.model-1", port("digits", joint=True)[2])
