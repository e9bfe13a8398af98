"""Topics `pytorch_*`: what the authors' PyTorch version has beyond the TF1 code."""

import functools

import keras
import numpy as np
import tensorflow as tf

from lib.metrics import frechet
from lvae import baselines, distributions, lifelong, losses
from lvae import posterior as q
from lvae import step
from lvae.config import Architecture, Config
from lvae.losses import InformationNoise, Pass
from lvae.networks import Latents, Networks, Vae, build_vae
from lvae.posterior import LatentNoise, Posterior
from tests.golden import records, registry
from tests.golden.lvae import common
from tests.golden.records import Comparison

SETTINGS = common.SETTINGS | {
    "logits", "noise_in_order", "variables_[name,shape,kind,lo,hi]", "forks", "gamma", "C", "K_student", "K_teacher",
    "from_index", "perm", "discrete_mut_info", "continuous_mut_info", "text", "batches", "keys", "shape",
    "distribution", "generated_keys", "test_keys_(values 1.5*n+0.3, float32 then float64)", "student_keys",
    "teacher_keys", "student_shape", "teacher_shape", "source", "lr", "parameter", "key"}


_DTYPE = "float64"  # of whole losses: their KLs divide by numbers near zero


def _config(shape: Architecture | None = None, **options) -> Config:
    return common.config(shape, formulas="pytorch", **options)


def _noise(case, dtype="float32") -> list[tf.Tensor]:
    return [tf.constant(array if array.dtype == np.int32 else array.astype(dtype))
            for array in map(common.draw, case["noise_in_order"])]


def _latents(continuous: int, classes: int) -> Latents:
    """`continuous` counts means and scales."""
    return Latents(continuous // 2, classes)


# --- dense networks by their PyTorch names --------------------------------------------------------------------------


def _names(vae: Vae) -> dict[str, keras.Variable]:
    """PyTorch's names, which number all modules of a body; its matrices are [out, in]."""
    names = {}
    for part, body in (("encoder", vae.encoder), ("decoder", vae.decoder)):
        for index, layer in enumerate(body.affine):
            names |= {f"{part}.{3 * index + 1}.weight": layer.kernel, f"{part}.{3 * index + 1}.bias": layer.bias}
    return names


def _build(config, latents, values: dict, name: str, dtype="float32") -> Vae:
    vae = build_vae(config, latents, name=name, dtype=dtype)
    common.inject(_names(vae), {key.removeprefix(f"{name}/"): value.T for key, value in values.items()
                                if key.startswith(f"{name}/")})
    return vae


def _by_name(vae: Vae, tensors) -> dict[str, np.ndarray]:
    """Tensors in the order of the trainable variables, by name and in PyTorch's layout."""
    order = {id(variable): np.asarray(tensor).T for variable, tensor in zip(vae.trainable_variables, tensors,
                                                                            strict=True)}
    return {name: order[id(variable)] for name, variable in _names(vae).items()}


def _values(document, case) -> dict:
    return records.weights(document["prefix"], case["variables_[name,shape,kind,lo,hi]"])


def _architecture(values: dict) -> Architecture:
    widths = {part: [values[name].shape[0] for name in values if name.startswith(f"student/{part}.")
                     and name.endswith("weight")] for part in ("encoder", "decoder")}
    return Architecture("dense", (1, 1, widths["decoder"][-1]), "bernoulli", tuple(widths["encoder"][:-1]),
                        tuple(widths["decoder"][:-1]))


def _flat(entry, dtype="float32") -> tf.Tensor:
    images = common.draw(entry)
    return tf.constant(images.reshape(len(images), -1), dtype)


# --- mutual information ---------------------------------------------------------------------------------------------


def information_cases(document):
    parts = {"clamp": _clamps, "tau_by_forward_call": _temperatures}
    return registry.by_name(_compare_information)(document) | {
        name: functools.partial(compare, document) for name, compare in parts.items()}


def _compare_information(document, name):
    ours = _information(document, name)
    stored = {key: value for key, value in document["cases"][name]["records"].items() if value is not None}
    for record in stored:
        tolerance = records.GRADIENTS if record.startswith("grad") else records.OUTPUTS
        yield from common.tensors(name, ("cases", name, "records"), {record: stored[record]}, ours, tolerance, name)


def _temperatures(document):
    path = ("tau_by_forward_call", "values_0_to_44")
    calls = range(len(records.look_up(document.data, path)))
    yield Comparison("temperature", path, [float(q.temperature_by_forward_call(tf.constant(call))) for call in calls],
                     records.OUTPUTS)


def _information(document, name):
    case = document["cases"][name]
    config = _config(discrete_mut_info=case["discrete_mut_info"], continuous_mut_info=case["continuous_mut_info"],
                     monte_carlo_infogain=name == "monte_carlo")
    first, second = (tf.constant(common.draw(case["logits"][name])) for name in ("first", "second"))
    latents, drawn = _latents(case["C"], case["K"]), _noise(case)
    noise = InformationNoise(None, None, None)
    if config.monte_carlo_infogain:
        # The file's own records of the two terms, then those of the mixture, each with noise of its own.
        noise = InformationNoise(tf.reshape(drawn[4], [-1]), drawn[5], drawn[6])
        again = InformationNoise(tf.reshape(drawn[7], [-1]), drawn[8], drawn[9])
    else:
        again = noise
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([first, second])
        original = q.log_variance_posterior(first, latents)
        reconstructed = q.log_variance_posterior(second, latents)
        latent = losses.sample(config, original, LatentNoise(drawn[0], drawn[1]), 1.0)
        seen = Pass(original, latent, tf.zeros([case["B"], 1]))
        mixture = losses.information(config, seen, reconstructed, again)
        total = tf.reduce_sum(mixture)
    only_discrete, only_continuous = (
        losses.information(_only(config, **weights), seen, reconstructed, noise)
        for weights in ({"discrete_mut_info": 1.0}, {"continuous_mut_info": -1.0}))
    return {"z": latent.z, "z_hard": q.harden(latent.discrete), "I_discrete": only_discrete,
            "I_continuous": only_continuous, "mixture": mixture, "kl_gaussian": q.kl_to_standard_normal(original),
            "kl_discrete": q.kl_to_uniform(original.logits),
            "grad_first": tape.gradient(total, first, unconnected_gradients="zero"),
            "grad_second": tape.gradient(total, second, unconnected_gradients="zero")}


def _only(config, **weights) -> Config:
    return _config(monte_carlo_infogain=config.monte_carlo_infogain, **weights)


def _clamps(document):
    """Every listed strategy, applied to the mixture that the unclamped values are those of."""
    unclamped = next(value for name, value in document["clamp"].items() if name.startswith("none"))
    mixtures = [_information(document, name)["mixture"] for name in document["cases"]]
    mixture = min(mixtures, key=lambda row: (
        np.abs(np.asarray(row) - unclamped).max() if len(row) == len(unclamped) else np.inf))
    for name in document["clamp"]:
        strategy, _, value = name.partition("_")
        config = _config(mut_clamp_strategy=strategy, mut_clamp_value=float(value))
        yield Comparison("clamp", ("clamp", name), losses.clamp(config, mixture), records.OUTPUTS)


# --- posterior regulariser ------------------------------------------------------------------------------------------


def consistency_cases(document):
    return registry.by_name(_consistency)(document) | {"gaussian": functools.partial(_gaussian_consistency, document)}


def _gaussian_consistency(document):
    gaussian, arrays = document["gaussian"], {}
    for name, key in gaussian["keys"].items():
        arrays[name] = tf.constant(records.normal(key, gaussian["shape"]))[gaussian["from_index"]:]
    student, teacher = (Posterior(arrays[f"mu_{side}"], arrays[f"s_{side}"], arrays[f"s_{side}"], None)
                        for side in ("s", "t"))
    yield Comparison("gaussian", ("gaussian", "value"), losses.gaussian_consistency(student, teacher),
                     records.OUTPUTS)


def _consistency(document, name):
    """A permuted mini-batch holds the same rows in another order; the regulariser looks at the order before."""
    case = document["cases"][name]
    order = np.arange(case["B"]) if case["perm"] is None else np.argsort(case["perm"])
    student, teacher = (tf.constant(common.draw(case["logits"][side])) for side in ("student", "teacher"))
    with tf.GradientTape() as tape:
        tape.watch(student)
        rows = slice(case["from_index"], None)
        value = losses.consistency(_config(), tf.gather(student, order)[rows], tf.gather(teacher, order)[rows])
        total = tf.reduce_sum(value)
    padded = np.concatenate([np.zeros(case["from_index"], np.float32), value])
    permuted = padded if case["perm"] is None else padded[case["perm"]]
    path = ("cases", name)
    yield Comparison(name, (*path, "value"), value, records.OUTPUTS)
    yield Comparison(name, (*path, "padded_and_repermuted"), permuted, records.OUTPUTS)
    gradient = tf.convert_to_tensor(tape.gradient(total, student))
    yield Comparison(name, (*path, "grad_student_logits"), gradient, records.GRADIENTS, key=f"{name}/grad")


# --- student and teacher --------------------------------------------------------------------------------------------


_SHARES = "ratio_[B,forks,num_teacher,num_student]"


def student_teacher_cases(document):
    return registry.by_name(_student_teacher)(document) | {_SHARES: functools.partial(_shares, document)}


def _shares(document):
    listed = [[batch, forks, *lifelong.shares(_config(), lifelong.Lineage(Latents(1, 1), forks), batch)[::-1]]
              for batch, forks, *_ in document[_SHARES]]
    yield Comparison("shares", (_SHARES,), listed, records.EXACT)


def _student_teacher(document, name):
    case, path = document["cases"][name], ("cases", name)
    given, values = case["config"], _values(document, case)
    options = {key: value for key, value in given.items() if key not in ("discrete_size", "continuous_size")}
    config = _config(_architecture(values), **options)
    first = _latents(given["continuous_size"], given["discrete_size"])
    lineage = lifelong.Lineage(first)
    for _ in range(case["forks"]):
        lineage = lineage.forked(first.classes)
    student, teacher = _build(config, lineage.latents, values, "student", _DTYPE), None
    if case["forks"]:
        classes = {"student_classes": lineage.latents.classes, "teacher_classes": lineage.latents.classes
                   - first.classes}
        teacher = _build(config, first._replace(classes=classes["teacher_classes"]), values, "teacher",
                         _DTYPE)
    else:
        classes = {"student_classes": first.classes}
    drawn, noise = _noise(case, _DTYPE), {}
    if teacher:
        current, replayed = lifelong.shares(config, lineage, case["B"])
        classes |= {"num_student": current, "num_teacher": replayed}
        noise = {"replay": lifelong.ReplayNoise(drawn[1], tf.reshape(drawn[0], [-1])),
                 "teacher_uniform": drawn[6][current:]}
        drawn = drawn[2:]
    noise = lifelong.Noise(LatentNoise(drawn[0], drawn[1]), tf.zeros([case["B"]], tf.int32), **noise)
    for field, value in classes.items():
        yield Comparison(name, (*path, field), value, records.EXACT)
    with tf.GradientTape() as tape:
        outcome = lifelong.student_costs(config, Networks(student, teacher), lineage, _flat(case["x"], _DTYPE), noise,
                                         1.0, training=True)
        total = outcome.costs.total(config)
    gradients = tape.gradient(total, [variable.value for variable in student.trainable_variables])
    yield from _compare_outcome(name, case, config, outcome)
    yield from common.tensors(f"{name} gradients", (*path, "gradients"), case["gradients"],
                              _by_name(student, gradients), records.GRADIENTS, f"{name}/grad")


def _compare_outcome(name, case, config, outcome):
    costs, mean = outcome.costs, tf.reduce_mean
    kl = config.kl_reg * costs.latent_kl
    scalars = {
        "loss_mean": costs.total(config), "elbo_mean": mean(kl - costs.log_likelihood),
        "nll_mean": -mean(costs.log_likelihood), "kld_mean": mean(kl), "mut_info_mean": mean(costs.information),
        "posterior_regularizer_mean": config.consistency_gamma * mean(costs.consistency),
        "likelihood_regularizer_mean": config.likelihood_gamma * mean(costs.teacher_likelihood)}
    for scalar in case["scalars"]:
        yield Comparison(f"{name} costs", ("cases", name, "scalars", scalar), scalars[scalar], records.OUTPUTS)
    shape = case["x"]["shape"]
    reconstruction = losses.likelihood(config).mean(outcome.student.output)
    rows = "loss_rows_before_regularisers"
    yield Comparison(f"{name} outputs", ("cases", name, "records", rows),
                     kl - costs.log_likelihood - costs.information, records.OUTPUTS, key=f"{name}/loss")
    ours = {"batch": tf.reshape(outcome.images, shape), "x_reconstr": tf.reshape(reconstruction, shape)}
    yield from common.tensors(f"{name} outputs", ("cases", name, "records"), case["records"], ours, records.OUTPUTS,
                              name)


# --- EWC ------------------------------------------------------------------------------------------------------------


def ewc_cases(document):
    compare = {"penalty": _penalty, "gradients": _penalty_gradients, "fisher_estimate": _fisher,
               "sample_losses_of_batch_0": _sample_losses}
    return {name: functools.partial(function, document) for name, function in compare.items()}


def _ewc_model(document, name: str) -> tuple[Config, Vae]:
    """The settings of the file's two models, and one of them by its name."""
    values = _values(document, document)
    config, latents = _config(_architecture(values)), _latents(document["C"], document["K"])
    return config, _build(config, latents, values, name)


def _penalty(document):
    yield Comparison("penalty", ("penalty",), _penalty_of_student(document)[0], records.OUTPUTS)


def _penalty_gradients(document):
    _, gradients = _penalty_of_student(document)
    yield from common.tensors("penalty gradients", ("gradients",), document["gradients"], gradients,
                              records.GRADIENTS, "ewc")


def _penalty_of_student(document) -> tuple[tf.Tensor, dict]:
    """The student's penalty for being away from the teacher, and its gradients by PyTorch's names."""
    (_, student), (_, teacher) = (_ewc_model(document, name) for name in ("student", "teacher"))
    importance = {name: records.uniform(f"{document['prefix']}/in/fisher/{name}", variable.shape[::-1]).T
                  for name, variable in _names(student).items()}
    by_id = {id(variable): importance[name] for name, variable in _names(student).items()}
    anchor = baselines.Anchor([by_id[id(variable)] for variable in student.trainable_variables],
                              [variable.value for variable in teacher.trainable_variables])
    weights = [variable.value for variable in student.trainable_variables]
    with tf.GradientTape() as tape:
        penalty = baselines.penalty(document["gamma"], weights, anchor)
    return penalty, _by_name(student, tape.gradient(penalty, weights))


def _fisher(document):
    stored, (config, vae) = document["fisher_estimate"], _ewc_model(document, "student")
    batches = [_flat(entry) for entry in stored["batches"]]
    sums = [baselines.squared_gradients(config, vae, images, uniform)
            for images, uniform in zip(batches, _noise(stored), strict=True)]
    count = sum(len(images) for images in batches)
    means = [functools.reduce(tf.add, parts) / count for parts in zip(*sums)]
    yield from common.tensors("Fisher estimate", ("fisher_estimate", "records"), stored["records"],
                              _by_name(vae, means), records.GRADIENTS, "fisher")


def _sample_losses(document):
    stored, (config, vae) = document["sample_losses_of_batch_0"], _ewc_model(document, "student")
    costs = baselines.settled_costs(config, vae, _flat(document["fisher_estimate"]["batches"][0]), _noise(stored)[0])
    ours = {"loss": costs.rows(config), "nll_mean": -tf.reduce_mean(costs.log_likelihood),
            "kld_mean": tf.reduce_mean(costs.latent_kl)}
    for name, value in ours.items():
        yield Comparison("losses", ("sample_losses_of_batch_0", name), value, records.OUTPUTS)


# --- metrics and small parts ----------------------------------------------------------------------------------------


def metrics_cases(document):
    compare = {"frechet": _frechet, "consistency": _agreement, "adamnormgrad": _adam_of_normalised_gradients,
               "permutations": _permutations}
    return {name: functools.partial(function, document[name]) for name, function in compare.items()}


def _agreement(stored):
    shares = [float(lifelong.agreement(*(tf.constant(records.normal(key, stored[f"{side}_shape"]))
                                         for side, key in (("student", student), ("teacher", teacher)))))
              for student, teacher in zip(stored["student_keys"], stored["teacher_keys"], strict=True)]
    yield Comparison("consistency", ("consistency", "per_batch"), shares, records.OUTPUTS)
    yield Comparison("consistency", ("consistency", "value"), float(np.mean(shares)), records.OUTPUTS)


def _permutations(stored):
    for number in stored:
        yield Comparison("permutations", ("permutations", number),
                         distributions.pixel_permutation(int(number)).tolist(), records.EXACT)


def _frechet(stored):
    test_keys = stored["test_keys_(values 1.5*n+0.3, float32 then float64)"]
    distances = []
    for generated, test in zip(stored["generated_keys"], test_keys, strict=True):
        features = (records.normal(generated, stored["shape"]),
                    np.float32(1.5) * records.normal(test, stored["shape"]) + np.float32(0.3))
        distances.append(frechet.frechet_distance(*(frechet.update(None, array) for array in features)))
    yield Comparison("Frechet distance", ("frechet", "values"), distances, records.OUTPUTS)
    yield Comparison("Frechet distance", ("frechet", "mean"), float(np.mean(distances)), records.OUTPUTS)


def _adam_of_normalised_gradients(stored):
    variable = keras.Variable(common.draw(stored["parameter"]))
    config = _config(optimizer="adamnorm", learning_rate=stored["lr"])
    optimizer = step.build_optimizer(config, [variable])
    after = []
    for text in stored["gradients"]:
        gradient = records.normal(text.partition(" ")[0], stored["parameter"]["shape"])
        step.descend(config, optimizer, [tf.constant(gradient)], [variable])
        after.append(variable.numpy().ravel().tolist())
    yield Comparison("adamnorm", ("adamnormgrad", "after_each_step"), after, records.OUTPUTS)
