"""`--test --load_model`: what the newest model of a checkpoint is worth, and its pictures, without training.

The checkpoint may be of either program, and its model of any sizes: they follow from the variables' shapes.
"""

import dataclasses
import time
from pathlib import Path

from lib import device, files, tf1
from lib.errors import UserError
from lib.run import provenance
from lvae import distributions, evaluate, interchange, pictures, step
from lvae.checkpoint import TF1Model, models_in
from lvae.config import Command, Config
from lvae.distributions import Course
from lvae.frechet import Distance
from lvae.learner import Learner
from lvae.lifelong import Lineage
from lvae.networks import Networks, build_vae
from lvae.places import run_around

_ANNEALED = 100_000  # iterations, after which the temperature stays where it is


class Found(Learner):
    """The learner of a checkpoint's model: evaluated and drawn, never trained on."""

    def __init__(self, config: Config, model: TF1Model, lineage: Lineage):
        super().__init__(config)
        self._found = model
        self.lineage = lineage
        self.networks = Networks(model.vae, None)
        self.optimizer = model.optimizer

    def model(self) -> TF1Model:
        return self._found


def run(config: Config, command: Command) -> Path:
    """Print test ELBO and its parts, and write them and the pictures; returns the directory.

    Raises:
      UserError: a checkpoint that cannot be read, or that is not of this script's networks.
    """
    began, course = time.time(), distributions.load(config, command.data_dir)
    learner = load(config, command.load_model)
    learner.visited = _visited(learner, command.load_model, len(course.distributions))
    directory = Path(command.base_dir) / f"evaluation_{learner.model().prefix}"
    files.make_directory(directory / "imgs")
    distance = Distance(learner.config, course) if command.frechet else None
    figures = {"load_model": str(command.load_model), "model": learner.model().prefix}
    figures |= measure(course, learner, distance)
    figures |= {"method": learner.config.method, "provenance": provenance.here(device.described(), began),
                "training": provenance.of_run(run_around(Path(command.load_model)))}
    files.write_json(directory / "evaluation.json", figures)
    pictures.draw(directory / "imgs", course, learner)
    print(f"written to {directory}")
    return directory


def load(config: Config, prefix: Path) -> Found:
    """The newest model of a checkpoint, with its optimiser's count of iterations."""
    values = tf1.read(prefix)
    names = models_in(values)
    if not names:
        raise UserError(f"{prefix} holds no model of a Lifelong VAE; `python -m lib.tf1 list {prefix}` shows what it "
                        "holds")
    name = max(names, key=names.get)
    _, model = interchange.model_of(config.architecture.body, name, values)
    _check_images(prefix, config, model)
    tf1.assign(prefix, model.variables(), tuple(f"{other}/" for other in names if other != name))
    lifelong = "_discsize" in name  # so are those named whose first model has one class
    latents = model.vae.latents
    lineage = Lineage(latents._replace(classes=1), names[name], latents.classes - 1) if lifelong else Lineage(latents)
    found = _settings(config, lifelong, model)
    learner = Found(found, model, lineage)
    trained = float(values[f"{name}/Variable"])
    step.wind_clock(found, learner.clock, int(min(max(trained, 0), _ANNEALED)))
    return learner


def _visited(learner: Found, prefix: Path, count: int) -> list[int]:
    """Numbers of the distributions that a model has learned, of `count`, the last one last.

    A lifelong model's follow from its forks, those of another one that learned a sequence from the file beside it.

    Raises:
      UserError: the file does not list them.
    """
    listed = Path(prefix).with_name("class_list.csv")
    if learner.config.is_lifelong or not learner.config.sequential or not listed.is_file():
        return [number % count for number in range(learner.lineage.forks + 1)]
    try:
        numbers = [int(float(line.partition(",")[0])) for line in files.read_plain(listed).decode().splitlines()]
    except (ValueError, OverflowError):
        numbers = []
    if not numbers or not set(numbers) <= set(range(count)):
        raise UserError(f"{listed} does not list some of {count} distributions, as there are here; give the flags that "
                        "the model was trained with, or move it away")
    return numbers


def _check_images(prefix: Path, config: Config, model: TF1Model) -> None:
    """Whether the model reads and gives images as the script has them, whatever its sizes between."""
    ours, theirs = (([*vae.encoder.affine[0].kernel.shape][:-1], vae.decoder.affine[-1].kernel.shape[-1])
                    for vae in (build_vae(config, model.vae.latents), model.vae))
    if ours != theirs:
        raise UserError(f"{prefix} is of other images or of another likelihood than {config.experiment}: its networks "
                        f"begin with {theirs[0]} and end with {theirs[1]}, not {ours[0]} and {ours[1]}; use the script "
                        "that trained it")


def _settings(config: Config, lifelong: bool, model: TF1Model) -> Config:
    """The settings that the model's variables and name tell, the others as asked for."""
    variables = model.weights()
    size, _ = model.vae.latents
    return dataclasses.replace(
        config, latent_size=size or model.vae.latents.classes, sequential=config.sequential or lifelong,
        method="lifelong" if lifelong else config.method, ewc_gamma=0.0 if lifelong else config.ewc_gamma,
        reparam_type="continuous" if size else "discrete",
        use_bn=any("/BatchNorm/" in variable for variable in variables),
        use_ln=any("/LayerNorm/" in variable for variable in variables))


def measure(course: Course, learner: Found, distance: Distance | None) -> dict:
    """{"tests": {test set: means}, "distributions": {name: means}}, with distances if they are wanted. Prints them."""
    steps = learner.steps()
    tests = {}
    for prefix, samples in course.tests.items():
        tests[prefix] = evaluate.test(learner.config, steps, samples)
        print(f"Mean losses [VAE {learner.visit}] = {evaluate.summary(tests[prefix])}")
    learned = dict.fromkeys(learner.visited) if learner.config.sequential else range(len(course.distributions))
    of_each = {}
    for label, number in enumerate(learned):
        part = course.distributions[number]
        means = evaluate.test(learner.config, steps, part.test)
        line = f"{part.name}: {evaluate.summary(means)}"
        if distance:
            of_its_own = learner.config.is_lifelong and len(learned) == learner.lineage.latents.classes
            means |= distance.of_distribution(learner, number, label if of_its_own else None)
            line += "".join(f" | {title}: {means[quantity]:.4f}" for title, quantity in (
                ("Frechet", "frechet_distance"), ("Frechet of reconstructions", "frechet_reconstructions"))
                if quantity in means)
        of_each[part.name] = means
        print(line)
    figures = {"tests": tests, "distributions": of_each}
    if distance:
        figures |= distance.measure(learner)
        print(f"Frechet distance ({figures['frechet_features']}) [VAE {learner.visit}] = "
              f"{figures['frechet_distance']:.4f}")
    return figures
