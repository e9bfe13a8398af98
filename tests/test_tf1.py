"""TF1 checkpoints: what a TF1 `Saver` writes is read, what we write it restores; Adam's state; the tool."""

import os
import resource
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib import optimizers, tf1
from lib.errors import UserError
from lib.tf1 import __main__ as tool
from lib.tf1 import models
from tests import tf1_program
from tests.process import passed, refused


def some_values() -> dict[str, np.ndarray]:
    random = np.random.RandomState(0)
    return {"a/kernel": random.standard_normal([5, 5, 3, 2]).astype(np.float32),
            "a/bias": random.standard_normal([2]).astype(np.float32),
            "scale": np.float32(0.25), "global_step": np.int64(7)}


def shapes(values: dict) -> dict[str, tuple]:
    return {name: np.shape(value) for name, value in values.items()}


def assert_equal(ours: dict, theirs: dict) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def files_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_tf1_saver_restores_what_we_write(tmp_path):
    values = some_values()
    tf1.write(tmp_path / "model3-4000", {name: tf.Variable(value) for name, value in values.items()})
    assert_equal(tf1_program.restore(tmp_path / "model3-4000", shapes(values), {"global_step": tf.int64}), values)
    assert files_in(tmp_path) == {"checkpoint", "model3-4000.index", "model3-4000.data-00000-of-00001"}


def test_we_read_what_a_tf1_saver_writes(tmp_path):
    tf1_program.save(tmp_path / "model", some_values())
    assert_equal(tf1.read(tmp_path / "model"), some_values())


def test_the_directory_lists_its_checkpoints_for_tf1(tmp_path):
    for number in (9, 10):
        tf1.write(tmp_path / f"model-{number}", some_values())
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model-10")
    assert tf.train.get_checkpoint_state(str(tmp_path)).all_model_checkpoint_paths == [
        str(tmp_path / "model-9"), str(tmp_path / "model-10")]


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    tf1.write(tmp_path / "model", some_values())
    before = files_in(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(UserError, match="cannot write .*model"):
            tf1.write(tmp_path / "model", {name: 0 * value for name, value in some_values().items()})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files_in(tmp_path) == before
    assert_equal(tf1.read(tmp_path / "model"), some_values())


def test_what_a_killed_process_left_is_no_obstacle(tmp_path):
    left = tmp_path / f".{os.getpid()}.model"
    left.mkdir()
    (left / "model.data-00000-of-00001.tempstate1").write_bytes(b"half")
    tf1.write(tmp_path / "model", some_values())
    assert files_in(tmp_path) == {"checkpoint", "model.index", "model.data-00000-of-00001"}


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="cannot write"):
        tf1.write(tmp_path / "none/model", some_values())


def cut(data: bytes) -> bytes:
    return data[:len(data) // 2]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("damage", [cut, flip, lambda data: b"", lambda data: b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_refused_in_one_line(tmp_path, ending, damage):
    tf1_program.save(tmp_path / "model", some_values())
    path = tmp_path / f"model.{ending}"
    path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
    with pytest.raises(UserError, match="cannot read the checkpoint .*model") as refusal:
        tf1.read(tmp_path / "model")
    assert "\n" not in str(refusal.value)


def test_a_misfit_is_refused_with_the_whole_list_and_changes_nothing(tmp_path):
    values = some_values()
    tf1_program.save(tmp_path / "model", {"a/kernel": values["a/kernel"], "a/bias": np.zeros([3], np.float32),
                                          "b/kernel": np.float32(1.0), "scale": np.float32(2.0),
                                          "a/kernel/Adam": values["a/kernel"]})
    variables = {name: tf.Variable(value) for name, value in values.items()}
    with pytest.raises(UserError) as refusal:
        tf1.assign(tmp_path / "model", variables)
    message = str(refusal.value)
    assert message.startswith(f"{tmp_path}/model does not fit") and "\n" not in message
    for said in ("missing global_step", "unknown b/kernel", "unknown a/kernel/Adam", "a/bias is [3] there, [2] here"):
        assert said in message
    assert "scale" not in message
    assert_equal({name: variable.numpy() for name, variable in variables.items()}, values)


# --- Adam -------------------------------------------------------------------------------------------------------------

BETAS = [(0.0, 0.9), (0.5, 0.999)]


def tf1_adams(steps: list[int], prefix: Path) -> dict[str, np.ndarray]:
    """Two TF1 Adams pull a variable each, with gradients 2w, so many steps; saved, then one more step of each."""
    program = tf.compat.v1
    with tf.Graph().as_default(), program.Session() as session:
        variables = [program.get_variable(name, initializer=tf.constant([[0.5, -2.0, 3.0]]), use_resource=False)
                     for name in ("first/w", "second/w")]
        adams = [program.train.AdamOptimizer(1e-2, beta_1, beta_2).minimize(
            tf.reduce_sum(variable**2), var_list=[variable]) for variable, (beta_1, beta_2) in zip(variables, BETAS)]
        session.run(program.global_variables_initializer())
        for adam, count in zip(adams, steps):
            for _ in range(count):
                session.run(adam)
        program.train.Saver().save(session, str(prefix))
        session.run(adams)
        return session.run({variable.op.name: variable for variable in program.global_variables()})


def our_adams(precision: str = "float32") -> tuple[list, dict]:
    """The same two with Keras: (variable, optimiser) pairs, and all their variables by TF1 name."""
    pairs, names = [], {}
    for number, (name, (beta_1, beta_2)) in enumerate(zip(("first/w", "second/w"), BETAS)):
        variable = keras.Variable(np.zeros([1, 3], np.float32), name="w")
        optimizer = optimizers.adam(1e-2, beta_1, beta_2, [variable], precision)
        pairs.append((variable, optimizer))
        names |= {name: variable} | tf1.adam_variables(optimizer, {name: variable}, number)
    return pairs, names


@pytest.mark.parametrize("steps", [[0, 0], [3, 8], [850, 200]])  # beta_2's power of the first vanishes at 829
def test_adam_goes_on_where_tf1s_stopped(tmp_path, steps):
    expected = tf1_adams(steps, tmp_path / "model")
    pairs, names = our_adams()
    tf1.assign(tmp_path / "model", names)
    tf1.write(tmp_path / "ours", names)
    assert_equal(tf1.read(tmp_path / "ours"), tf1.read(tmp_path / "model"))
    for variable, optimizer in pairs:
        optimizer.apply([2 * variable.value], [variable])
    tf1.write(tmp_path / "ours", names)
    after = tf1.read(tmp_path / "ours")
    assert after.keys() == expected.keys()
    for name, value in expected.items():
        # TF1 takes 1 - beta_2 of the float32 that 0.999 becomes, which is 1.3e-5 away from what Keras takes.
        np.testing.assert_allclose(after[name], value, rtol=2e-5 if "Adam_1" in name else 1e-6, err_msg=name)


def test_adam_inside_a_loss_scaling(tmp_path):
    tf1_adams([3, 8], tmp_path / "model")
    pairs, names = our_adams("mixed_float16")
    tf1.assign(tmp_path / "model", names)
    assert [int(optimizer.inner_optimizer.iterations) for _, optimizer in pairs] == [3, 8]
    tf1.write(tmp_path / "ours", names)
    assert_equal(tf1.read(tmp_path / "ours"), tf1.read(tmp_path / "model"))


# --- tool -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_model(monkeypatch):
    """A model of two small networks in the table, under the name `small`."""
    def build():
        networks = {name: keras.Sequential([keras.Input([3]), keras.layers.Dense(2, name="out")], name=name)
                    for name in ("coder", "decoder")}
        return models.Interchange(networks, {
            f"{name}/{kind}": variable for name, network in networks.items()
            for kind, variable in zip(("w", "b"), network.layers[-1].weights)})

    monkeypatch.setattr(models, "known", lambda: {"small": models.Model(build, "coder/w", (3, 2))})


def small_values() -> dict[str, np.ndarray]:
    random = np.random.RandomState(1)
    return {f"{name}/{kind}": random.standard_normal(shape).astype(np.float32) for name in ("coder", "decoder")
            for kind, shape in (("w", [3, 2]), ("b", [2]))}


def test_list_names_each_variable_as_it_is_here(tmp_path, small_model, capsys):
    tf1_program.save(tmp_path / "model", small_values() | {"global_step": np.int64(3)})
    assert tool.main(["list", str(tmp_path / "model")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1:-1] == [["coder/b", "2", "coder/out/bias"], ["coder/w", "3x2", "coder/out/kernel"],
                          ["decoder/b", "2", "decoder/out/bias"], ["decoder/w", "3x2", "decoder/out/kernel"],
                          ["global_step", "scalar", "-"]]
    assert rows[-1][:4] == ["5", "variables", "of", "small"]


def test_list_of_an_unknown_model(tmp_path, capsys):
    tf1_program.save(tmp_path / "model", some_values())
    assert tool.main(["list", str(tmp_path / "model")]) == 0
    out = capsys.readouterr().out
    assert "a/kernel     5x5x3x2  -\n" in out and "4 variables of a model that is not known here" in out


def compared(tmp_path, first: dict, second: dict, capsys) -> tuple[int, dict[str, str]]:
    """Exit code, and what is printed of each variable, the last line under the name "all"."""
    tf1_program.save(tmp_path / "first", first)
    tf1_program.save(tmp_path / "second", second)
    code = tool.main(["compare", str(tmp_path / "first"), str(tmp_path / "second")])
    *rows, last = capsys.readouterr().out.splitlines()
    return code, {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in rows} | {"all": last}


def test_compare_equal_checkpoints(tmp_path, capsys):
    code, printed = compared(tmp_path, some_values(), some_values(), capsys)
    assert code == 0
    assert printed["all"] == ("4 variables, largest difference 0.000e+00 absolute, 0.000e+00 relative; "
                              "0 differ in name or shape")


def test_compare_gives_the_largest_difference_of_each_variable(tmp_path, capsys):
    other = some_values()
    other["a/bias"] = other["a/bias"] + np.array([0.0, 0.5], np.float32)
    other["scale"] = np.float32(0.2)
    other["global_step"] = np.int64(8)
    code, printed = compared(tmp_path, some_values(), other, capsys)
    bias = some_values()["a/bias"][1]
    assert code == 0
    assert printed["a/kernel"].split() == ["0.000e+00", "0.000e+00"]
    assert printed["scale"].split() == ["5.000e-02", "2.000e-01"]  # |a - b| / max(|a|, |b|)
    assert printed["global_step"].split() == ["1.000e+00", "1.250e-01"]
    np.testing.assert_allclose([float(word) for word in printed["a/bias"].split()],
                               [0.5, 0.5 / max(abs(bias), abs(bias + 0.5))], rtol=1e-3)
    assert "largest difference 1.000e+00 absolute" in printed["all"]


def test_compare_tells_bad_numbers(tmp_path, capsys):
    first, second = (dict.fromkeys(("both", "one", "infinite"), np.zeros([3], np.float32)) for _ in range(2))
    first["both"] = second["both"] = second["one"] = np.array([np.nan, 1, 2], np.float32)
    second["infinite"] = np.array([np.inf, 0, 0], np.float32)
    code, printed = compared(tmp_path, first, second, capsys)
    assert code == 0 and printed["both"].split() == ["0.000e+00", "0.000e+00"]
    assert printed["one"].split()[0] == "nan" and printed["infinite"].split()[0] == "inf" and "nan" in printed["all"]


def test_compare_of_different_names_and_shapes(tmp_path, capsys):
    other = some_values()
    other["b/bias"] = other.pop("a/bias")
    other["scale"] = np.zeros([2, 1], np.float32)
    code, printed = compared(tmp_path, some_values(), other, capsys)
    assert code == 1
    assert printed["a/bias"].strip() == f"only in {tmp_path}/first"
    assert printed["b/bias"].strip() == f"only in {tmp_path}/second"
    assert printed["scale"].strip() == f"scalar in {tmp_path}/first, 2x1 in {tmp_path}/second"
    assert printed["all"].startswith("5 variables") and "3 differ in name or shape" in printed["all"]


def test_convert_to_keras_and_back(tmp_path, small_model):
    tf1_program.save(tmp_path / "model", small_values())
    assert tool.main(["convert", str(tmp_path / "model"), str(tmp_path / "new/keras"), "--model", "small"]) == 0
    assert files_in(tmp_path / "new/keras") == {"coder.weights.h5", "decoder.weights.h5"}
    network = models.build("small").networks["decoder"]
    network.load_weights(tmp_path / "new/keras/decoder.weights.h5")
    assert_equal(dict(zip(("w", "b"), (weight.numpy() for weight in network.weights))),
                 {kind: small_values()[f"decoder/{kind}"] for kind in ("w", "b")})
    assert tool.main(["convert", str(tmp_path / "new/keras"), str(tmp_path / "back"), "--model=small"]) == 0
    assert_equal(tf1_program.restore(tmp_path / "back", shapes(small_values())), small_values())


@pytest.fixture
def place(tmp_path, small_model, monkeypatch):
    """A directory with a checkpoint of `small`, one of something else, and converted weights, one of them damaged."""
    monkeypatch.chdir(tmp_path)
    tf1_program.save(tmp_path / "model", small_values())
    tf1_program.save(tmp_path / "other", some_values())
    assert tool.main(["convert", "model", "keras", "--model", "small"]) == 0
    for name, wrong in (("partial", None), ("damaged", b"\x89HDF\r\n"), ("swapped", "foreign")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "coder.weights.h5").write_bytes((tmp_path / "keras/coder.weights.h5").read_bytes())
        if wrong == "foreign":
            keras.Sequential([keras.Input([4]), keras.layers.Dense(2)]).save_weights(
                tmp_path / name / "decoder.weights.h5")
        elif wrong:
            (tmp_path / name / "decoder.weights.h5").write_bytes(wrong)
    return tmp_path


@pytest.mark.parametrize("arguments, said", [
    ("", "list|compare|convert"),
    ("show model", "show"),
    ("list", "prefix"),
    ("list none", "cannot read the checkpoint none"),
    ("list model --model small", "--model"),
    ("compare model", "second"),
    ("compare model none", "cannot read the checkpoint none"),
    ("convert model new", "--model"),
    ("convert model new --model huge", "'huge'"),
    ("convert none new --model small", "none is neither the prefix of a checkpoint"),
    ("convert other new --model small", "missing coder/b; missing coder/w"),
    ("convert model keras --model small", "keras is there already"),
    ("convert keras other --model small", "other is there already"),
    ("convert partial new --model small", "no partial/decoder.weights.h5"),
    ("convert damaged new --model small", "damaged/decoder.weights.h5 does not hold the decoder of small"),
    ("convert swapped new --model small", "swapped/decoder.weights.h5 does not hold the decoder of small"),
])
def test_misuse_is_one_line_and_leaves_nothing(place, capsys, arguments, said):
    before = files_in(place)
    assert tool.main(arguments.split()) == 2
    out, error = capsys.readouterr()
    assert not out and error.startswith("error: ") and error.count("\n") == 1 and said in error
    assert files_in(place) == before


def test_a_full_disk_leaves_no_half_of_a_conversion(place, monkeypatch, capsys):
    before = files_in(place)

    def full(network, path):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Sequential, "save_weights", full)
    assert tool.main(["convert", "model", "new", "--model", "small"]) == 2
    assert "cannot write new: No space left on device" in capsys.readouterr().err
    assert files_in(place) == before


def test_the_command_itself(launch, tmp_path):
    place = launch(tmp_path)
    tf1_program.save(tmp_path / "model", some_values())
    assert "5x5x3x2" in passed(place.run("-m lib.tf1 list model"))
    assert refused(place.run("-m lib.tf1 list none")).startswith("error: cannot read the checkpoint")
