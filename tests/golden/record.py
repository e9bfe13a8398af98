"""Records golden files anew, from a checkout of an original program. Runs under Python 2.7 and TensorFlow 1.4 only.

    python2.7 -m tests.golden.record mergan|memorygan|lvae CHECKOUT DIRECTORY

Takes cases, settings and inputs of the figures in golden/figures, runs the original's own modules on them and writes
what comes out to files of the same names and form in DIRECTORY, which `python -m tests.golden` checks the port by.
MeRGAN: `losses_mnist`, in batches of 64. memoryGAN: `losses`. The Lifelong VAE: `vanilla`, and of `training` the steps
before the first fork.

What is done to the original: random numbers of its graphs are fed by key; memoryGAN's queries do not update the memory,
as the topic asks; the VAEs' updates wait for all gradients; MeRGAN's layers, which need a GPU, pass their images in the
other order; of modules that its files import and that are not installed, empty ones stand in.
"""

from __future__ import print_function

import io
import json
import os
import pickle
import sys
import tempfile
import types

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import tensor_util
from tensorflow.python.ops import random_ops

from tests.golden.keys import digest, integers, normal, uniform, weights

FIGURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "figures")
_UNUSED = ("IPython", "IPython.display", "cv2", "matplotlib", "matplotlib.cm", "matplotlib.image", "matplotlib.pyplot",
           "requests", "sklearn", "sklearn.datasets", "sklearn.preprocessing", "tqdm")


class _Empty(types.ModuleType):
    """In place of a module that is not installed."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Empty(name)

    def __call__(self, *arguments, **options):
        return None


def _let_import(checkout):
    """The original's modules can be imported from now on."""
    sys.path.insert(0, checkout)
    sys.setrecursionlimit = lambda limit: None  # the Lifelong VAE's, of 200, is too small for TensorFlow's imports
    for name in _UNUSED:
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = _Empty(name)


class _Noise(object):
    """Stands in for TensorFlow's uniform and normal numbers: placeholders, in the order of their making."""

    def __init__(self):
        self.made = []  # (kind, placeholder)
        for module in (random_ops, tf):
            module.random_uniform, module.random_normal = self._maker("uniform"), self._maker("normal")

    def _maker(self, kind):
        def make(shape, *arguments, **options):
            fixed = tensor_util.constant_value_as_shape(tf.convert_to_tensor(shape, tf.int32))
            self.made.append((kind, tf.placeholder(options.get("dtype", tf.float32), fixed)))
            return self.made[-1][1]
        return make

    def feed(self, kind, value):
        """{placeholder: value} of all of a kind and of the value's shape; distributions have an axis of one before."""
        found = {}
        for shape in (list(value.shape), [1] + list(value.shape)):
            found.update((made, value.reshape(shape)) for known, made in self.made
                         if known == kind and made.dtype.as_numpy_dtype == value.dtype
                         and made.shape.ndims == len(shape) and made.shape.is_compatible_with(shape))
        return found


def _session(values):
    """A session in which the variables of these names have these values, and all others their initial ones."""
    session = tf.Session(config=tf.ConfigProto(allow_soft_placement=True))
    by_name = {variable.op.name: variable for variable in tf.global_variables()}
    session.run([variable.initializer for name, variable in by_name.items() if name not in values])
    for name, value in values.items():
        by_name[name].load(value, session)
    return session


def _digests(tensors, prefix):
    """{name: digest} of {name: array}, whose keys begin with `prefix`."""
    return {name: digest(value, prefix + name) for name, value in tensors.items()}


# --- MeRGAN -----------------------------------------------------------------------------------------------------------


class _Built(Exception):
    """The program has built its graph and asks for data."""


def mergan(checkout):
    _channels_last()
    noise = _Noise()
    program = _program(checkout)
    document = _read("mergan_losses_mnist")
    document["tensors"] = {}
    document.pop("deviation")
    session = _session(weights(document["prefix"], document["variables"]["mnist"]))
    for name, case in document["cases"].items():
        _batch_of_64(case)
        inputs = {key.rpartition("/")[2]: (normal if "normal" in entry["dist"] else uniform)(key, entry["shape"])
                  for key, entry in case["inputs"].items()}
        feed = {program["all_real_data_conv"]: inputs["real"], program["all_real_labels"]: case["labels"]}
        feed.update(noise.feed("normal", inputs["fake"]))
        feed.update(noise.feed("uniform", inputs["alpha"]))
        tensors, scalars = session.run(_of_mergan(program), feed)
        document["tensors"].update(
            ("{}/{}".format(name, key), digest(value, "{}/{}".format(name, key))) for key, value in tensors.items())
        case["scalars"] = {key: float(value) for key, value in scalars.items()}
        case.pop("scalar_deviation")
    return {"mergan_losses_mnist": document}


def _batch_of_64(case):
    """The program's, which has no smaller one."""
    case["labels"] = (case["labels"] * 64)[:64]
    for entry in case["inputs"].values():
        entry["shape"][0] = 64
    case["batch"] = 64


def _channels_last():
    """Convolutions, biases and batch norms of images [n, c, h, w] as a CPU has them."""
    for name in ("conv2d", "bias_add", "fused_batch_norm", "conv2d_transpose"):
        setattr(tf.nn, name, _turned(getattr(tf.nn, name)))


def _turned(layer):
    def turned(*arguments, **options):
        if options.pop("data_format", "NHWC") != "NCHW":
            return layer(*arguments, **options)
        name = "input" if "input" in options else None
        images, rest = (options.pop(name), arguments) if name else (arguments[0], arguments[1:])
        if "strides" in options:
            options["strides"] = [options["strides"][place] for place in (0, 2, 3, 1)]
        made = layer(tf.transpose(images, [0, 2, 3, 1]), *rest, **options)
        if isinstance(made, tuple):
            return (tf.transpose(made[0], [0, 3, 1, 2]),) + tuple(made[1:])
        return tf.transpose(made, [0, 3, 1, 2])
    return turned


def _program(checkout):
    """The global names of mergan.py, once its graph is built."""
    import tflib.mnist

    def load(*arguments, **options):
        raise _Built()

    def opened(path, *mode):
        # The array that the program's pictures are made of, which its checkout lacks.
        return io.BytesIO(pickle.dumps(np.zeros([100, 128], np.float32), 2)) if "fixed_noise" in path else open(
            path, *mode)

    tflib.mnist.load = load
    path = os.path.join(checkout, "mergan.py")
    sys.argv = [path, "--dataset", "mnist"]
    os.chdir(tempfile.mkdtemp())  # where it writes its pictures
    names = {"__name__": "__main__", "open": opened}
    try:
        with open(path) as source:
            exec(compile(source.read(), path, "exec", dont_inherit=True), names)
    except _Built:
        pass
    return names


def _of_mergan(program):
    """(tensors, costs) of the program's graph under the names of the topic."""
    parameters = program["lib"].params_with_name
    of = {name: parameters(part) for name, part in (("disc_cost", "Discriminator."), ("gen_cost", "New.Generator"),
                                                   ("gradient_penalty", "Discriminator."))}
    tensors = {name: program[name] for name in ("real_data", "fake_data", "interpolates", "slopes", "disc_real",
                                                "disc_fake", "disc_real_acgan", "disc_fake_acgan")}
    tensors["gradients_at_interpolates"] = program["gradients"]
    for cost, variables in of.items():
        tensors.update(("grad_{}/{}".format(cost, variable.op.name), tf.convert_to_tensor(gradient))
                       for variable, gradient in zip(variables, tf.gradients(program[cost], variables))
                       if gradient is not None)
    scalars = {name: program[name] for name in ("disc_cost", "disc_wgan", "disc_wgan_pure", "gradient_penalty",
                                                "gen_cost")}
    scalars.update(acgan_real=program["disc_real_acgan_costs"][0], acgan_fake=program["disc_fake_acgan_costs"][0],
                   acgan_real_acc=program["disc_acgan_real_acc"], acgan_fake_acc=program["disc_acgan_fake_acc"])
    return tensors, scalars


# --- memoryGAN --------------------------------------------------------------------------------------------------------


class _Flags(object):
    """The command line of a case."""

    exp, load_cp_dir, lr_decay, use_augmentation, epoch = "0", "", False, False, 1

    def __init__(self, given):
        self.model, self.dataset, self.loss = given["model"], given["dataset"], given["loss"]
        self.generator = "base_g"
        self.discriminator = "memory_d" if given["model"] == "MemoryGAN" else "base_d"


def memorygan(checkout):
    from models import gan, memory_gan

    for module in (gan, memory_gan):
        module.batch_to_grid = lambda images: images[:1]  # a picture of 64 images, which a case has not
    document = _read("memorygan_losses")
    for name, case in document["cases"].items():
        tf.reset_default_graph()
        tensors, scalars = _run_memorygan(document["prefix"], case, gan, memory_gan)
        case["records"] = {"{}/{}".format(name, key): digest(value, "{}/{}".format(name, key))
                           for key, value in tensors.items()}
        case["scalars"] = {"{}/{}".format(name, key): float(value) for key, value in scalars.items()}
    return {"memorygan_losses": document}


def _run_memorygan(prefix, case, gan, memory_gan):
    """(tensors, costs) of a case, under the names of the topic."""
    from models.config import Config

    given = case["config"]
    config = Config(_Flags(given))
    config.batch_size = given["batch"]
    for name in ("f_dim", "fc_dim", "key_dim", "z_dim", "mem_size", "choose_k", "lamb"):
        if given.get(name) is not None:
            setattr(config, name, given[name])
    has_memory = given["model"] == "MemoryGAN"
    model = (memory_gan.MemoryGAN if has_memory else gan.GAN)(config)
    slots = tf.placeholder(tf.int32, [given["batch"]])
    results = _hold_memory(model, slots) if has_memory else []
    queries = []
    discriminate = model.discriminator
    model.discriminator = lambda *arguments, **options: queries.append(
        discriminate(*arguments, **options)) or queries[-1]
    costs = []
    memory_gan.slim.learning.create_train_op = lambda loss, optimizer, variables_to_train, **options: costs.append(
        (loss, variables_to_train))
    try:
        model.build_model(True)
    except TypeError:  # the plain GAN's last line, which comes after all that is recorded
        assert not has_memory
    judged = "q_" if has_memory else "logit_"
    tensors = {"gen_image": model.gen_image, judged + "real": queries[0], judged + "fake": queries[1]}
    for kind, (loss, variables) in zip("dg", costs):
        tensors.update(("grad_{}/{}".format(kind, variable.op.name), gradient)
                       for variable, gradient in zip(variables, tf.gradients(loss, variables)))
    scalars = {"d_loss": costs[0][0], "g_loss": costs[1][0], "d_real": model.d_real, "d_fake": model.d_fake}
    feed = {model.image: integers(given["KP"] + "/img", model.image.shape.as_list(), 0, 256),
            model.z: uniform(given["KP"] + "/z", model.z.shape.as_list(), -1, 1)}
    values = weights(prefix, case["variables"])
    if has_memory:
        tensors.update(q_sample=model.q_sample, p_real=results[0], p_fake=results[1])
        scalars["mi"] = tf.losses.get_losses()[0]
        both, minus_fake = model.get_loss(results[0], results[1], "jsd")[:2]
        scalars.update(loss_real=both + minus_fake, loss_fake=-minus_fake,
                       loss_fake_=model.get_loss(results[0], results[1], "alternative")[1])
        feed[slots] = next(value for name, value in case["ints"].items() if name.endswith("/idx"))
        values.update(_memory(given))
    known = {name.partition("/")[2] for name in case["records"]}
    return _session(values).run(({name: tensor for name, tensor in tensors.items() if name in known}, scalars), feed)


def _hold_memory(model, slots):
    """Queries read without writing, keys are those of given slots; returns the list that results are put in."""
    results = []
    query = model.mem.query
    model.mem.query = lambda queries, labels: results.append(
        query(queries, labels, update_memory=tf.constant(False))) or results[-1]
    model.mem.sample_histogram = lambda count: tf.gather(model.mem.mem_keys, slots)
    return results


def _memory(given):
    """The memory that a case's recipe describes."""
    def unit(rows):
        rows = rows.astype(np.float64)
        return rows / np.linalg.norm(rows, axis=1)[:, None]

    slots, size, prefix, number = given["mem_size"], given["key_dim"], given["KP"], np.arange(given["mem_size"])
    centres = unit(normal(prefix + "/centers", (given["C"], size)))
    keys = unit(centres[number * given["C"] // slots] + given["s"] * normal(prefix + "/keynoise", (slots, size)))
    real = number % 2 == 0 if given["vals"] == "alternate" else number < given["n_real"]
    return {"memkeys": keys.astype(np.float32), "memvals": real.astype(np.float32),
            "memory_hist": uniform(prefix + "/hist", [slots], given["hist_lo"], given["hist_hi"])}


# --- Lifelong VAE -----------------------------------------------------------------------------------------------------


def lvae(checkout):
    optimizer = tf.train.AdamOptimizer
    apply_gradients = optimizer.apply_gradients

    def apply_at_once(self, pairs, *arguments, **options):
        gradients, variables = zip(*pairs)
        gradients = tf.tuple(gradients)
        self.gradients = {variable.op.name: gradient for variable, gradient in zip(variables, gradients)}
        made.append(self)
        return apply_gradients(self, zip(gradients, variables), *arguments, **options)

    made = []
    optimizer.apply_gradients = apply_at_once
    vanilla, training = _read("lvae_vanilla"), _read("lvae_training")
    for document, record in ((vanilla, _record_vanilla), (training, _record_training)):
        for name, case in document["cases"].items():
            tf.reset_default_graph()
            del made[:]
            record(document["prefix"], name, case, made)
    return {"lvae_vanilla": vanilla, "lvae_training": training}


def _build_vae(prefix, kind, given, table, size, **options):
    """(session, model, noise, the case's values) of a model that was not forked yet."""
    import encoders

    noise = _Noise()
    values = weights(prefix, table)
    latent, batch = given["L"], given["B"]
    is_training = tf.placeholder(tf.bool)
    bodies = [encoders.DenseEncoder(None, outputs, is_training, sizes=sizes, scope=scope,
                                    use_bn=given.get("use_bn", False), use_ln=given.get("use_ln", False))
              for scope, outputs, sizes in (
                  ("encoder", options.pop("outputs"), given["sizes"]),
                  ("decoder", size, given.get("dec_sizes", given["sizes"])))]
    session = tf.Session()
    model = kind(session, input_size=size, batch_size=batch, latent_size=latent, encoder=bodies[0], decoder=bodies[1],
                 is_training=is_training, learning_rate=given["lr"], base_dir=tempfile.mkdtemp(), **options)
    session.close()
    return _session(values), model, noise


def _step(session, model, noise, event, fetched):
    """Run a training step on an event's images and noise; returns what is fetched."""
    feed = {model.x: uniform(event["x"]["key"], event["x"]["shape"]), model.is_training: True, model.tau: 1.0}
    for label, entry in event["noise"].items():
        key, shape, label = entry["key"], entry["shape"], label.rpartition("/")[2]
        value = normal(key, shape) if label == "gauss" else uniform(key, shape)
        if label == "mi_class":
            value = np.zeros(shape, np.int32)  # of one class, before the first fork
        feed.update(noise.feed("normal" if label == "gauss" else "uniform", value))
    return session.run(fetched, feed)


def _weights(session, model, short):
    """The model's weights and moving statistics; its name becomes `short`."""
    variables = {variable.op.name: variable for variable in tf.global_variables() if "/loss_optimizer/" not in
                 variable.op.name and ("/encoder/" in variable.op.name or "/generator/" in variable.op.name)}
    return {name.replace(model.get_name(), short): value for name, value in session.run(variables).items()}


def _record_vanilla(prefix, name, case, made):
    from vanilla_vae import VanillaVAE

    given = case["config"]
    size = case["first_step"]["x"]["shape"][1]
    session, model, noise = _build_vae(
        prefix, VanillaVAE, given, case["variables"], size, reparam_type=given["reparam"],
        outputs=2 * given["L"] if given["reparam"] == "continuous" else given["L"],
        reconstr_loss_type=given.get("rl", "binary_cross_entropy"))
    for number, part in enumerate(("first_step", "second_step")):
        event, key = case[part], "{}/train{}/".format(name, number)
        rows = {"z": model.z, "latent_kl": model.latent_kl, "reconstr_loss": model.reconstr_loss, "cost": model.cost,
                "p_mean": model.x_reconstr_mean_activ}
        means = {"cost": model.cost_mean, "reconstr_loss_mean": model.reconstr_loss_mean,
                 "latent_kl_mean": model.latent_loss_mean}
        rows = {quantity: tf.convert_to_tensor(value) for quantity, value in rows.items()}
        rows, gradients, means, _ = _step(session, model, noise, event, (
            rows, made[0].gradients, means, model.optimizer))
        event.update((quantity, float(value)) for quantity, value in means.items())
        if "records" in event:
            event["records"] = _digests({quantity: rows[quantity] for quantity in event["records"]}, key)
        if "gradients" in event:
            event["gradients"] = _digests({variable.replace(model.get_name(), "V"): value
                                           for variable, value in gradients.items()}, key + "grad/")
        event["after_step"] = _digests(_weights(session, model, "V"), key)
    case["model_name"] = model.get_name()
    case["all_variables"] = [[variable.op.name.replace(model.get_name(), "V"), variable.shape.as_list()]
                             for variable in tf.global_variables()]


def _record_training(prefix, name, case, made):
    from lifelong_vae import VAE

    given, size = case["config"], int(np.prod(case["config"]["x_shape"]))
    x = tf.placeholder(tf.float32, [given["B"], size])
    distribution = getattr(tf.contrib.distributions, given["dist"].capitalize())
    session, model, noise = _build_vae(
        prefix, VAE, given, case["variables_M0"], size, outputs=2 * given["L"] + 1, x=x, discrete_size=1,
        p_x_given_z_func=distribution, mutual_info_reg=given.get("reg", 0.0), img_shape=given["img_shape"])
    first = [event["event"] for event in case["events"]].index("fork")
    case["events"] = case["events"][:first]
    for event in case["events"]:
        means, _ = _step(session, model, noise, event, ({
            "cost": model.cost_mean, "elbo": model.elbo_mean, "log_likelihood": model.reconstr_loss_mean,
            "latent_kl": model.latent_loss_mean}, model.optimizer))
        event.update((quantity, float(value)) for quantity, value in means.items())
        event["weights"] = _digests(_weights(session, model, "M0"), event["tag"] + "/")
        event.pop("adam_end", None)
        event.pop("powers_end", None)
    case["model_names"] = [model.get_name()]
    case.pop("all_variable_names_of_last_model", None)


# --- files ------------------------------------------------------------------------------------------------------------


def _read(name):
    with open(os.path.join(FIGURES, name + ".json")) as file:
        return json.load(file)


def main(system, checkout, directory):
    directory = os.path.abspath(directory)
    if not os.path.isdir(directory):
        os.makedirs(directory)
    checkout = os.path.abspath(checkout)
    _let_import(checkout)
    for name, document in {"mergan": mergan, "memorygan": memorygan, "lvae": lvae}[system](checkout).items():
        document["backend"] = "recorded from a checkout by record.py, TensorFlow " + tf.__version__
        document.pop("verification", None)
        with open(os.path.join(directory, name + ".json"), "w") as file:
            json.dump(document, file)
        print("written: {}.json".format(os.path.join(directory, name)))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("mergan", "memorygan", "lvae"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
