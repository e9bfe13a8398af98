"""All that a run keeps between iterations, as one value that a resume point can hold whatever its sizes.

A fork changes the shapes of the networks. So a resume point does not list their variables but holds the learner's
arrays, from which it is built again.
"""

import io
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import optimizers
from lib.run import replicas
from lvae import baselines, checkpoint, fork, lifelong, step
from lvae.baselines import Anchor
from lvae.checkpoint import TF1Model
from lvae.config import Config
from lvae.lifelong import Lineage
from lvae.networks import Latents, Networks


class Learner(tf.train.experimental.PythonState):
    """Models, optimiser, annealing, EWC's anchor, and what happened so far.

    Attributes:
      jit: whether XLA compiles the training steps.
      strategy: whose replicas share each batch that trains; None: one device.
      visited: numbers of the distributions visited so far, the present one last.
      results: one dictionary of figures per visit that was completed.
    """

    def __init__(self, config: Config, jit: bool = False, strategy: tf.distribute.Strategy | None = None):
        self.config = config
        self.jit = jit
        self.strategy = strategy
        first = Latents(config.latent_size, 1) if config.is_lifelong else lifelong.vanilla_latents(config)
        self.lineage = Lineage(first)
        student, self.optimizer = self._build_student(self.lineage)
        self.networks = Networks(student, None)
        self.clock = step.start_clock()
        self.anchor: Anchor | None = None
        self.visited = [0]
        self.results = []

    @property
    def visit(self) -> int:
        """Number of the present visit, from 0."""
        return len(self.visited) - 1

    @property
    def variables(self) -> list:
        """What training changes, under names that say where a bad number is."""
        return [*self.networks.student.variables, *self.optimizer.variables, *self.clock]

    def steps(self) -> step.Steps:
        """Of the present visit."""
        return step.make_steps(self.config, self.visit, self.lineage, self.networks, self.optimizer, self.clock,
                               self.anchor, self.jit, self.strategy)

    def temperature(self) -> tf.Tensor:
        """Of the Gumbel-softmax, where annealing stands."""
        return step.current_temperature(self.config, self.clock.read())

    def model(self) -> TF1Model:
        """The student under its TF1 names."""
        return checkpoint.tf1_model(self.config, self.lineage, self.networks.student, self.optimizer)

    def load(self, path: Path, visited: list[int], lineage: Lineage) -> None:
        """Become the student of these distributions that a checkpoint of either program holds.

        Raises:
          UserError: unreadable, or of other settings: names what does not fit.
        """
        student, optimizer = self._build_student(lineage)
        checkpoint.restore(path, checkpoint.tf1_model(self.config, lineage, student, optimizer))
        self.visited = visited
        self.lineage = lineage
        self.networks = Networks(student, None)
        self.optimizer = optimizer

    def fork(self, new_classes: int) -> dict[str, str]:
        """Make the student the teacher of a new student; returns which of its variables come from which."""
        with replicas.scope(self.strategy):
            self.networks, self.optimizer, self.lineage, pairs = fork.fork(
                self.config, self.lineage, self.networks, self.optimizer, new_classes)
        self.clock = step.start_clock()
        return pairs

    def hold(self, importance: list[tf.Tensor]) -> None:
        """EWC: anchor the present weights. What follows starts with a fresh optimiser."""
        self.anchor = baselines.anchored(self.networks.student, importance, self.anchor)
        optimizers.reset(self.optimizer)

    def _build_student(self, lineage: Lineage):
        with replicas.scope(self.strategy):
            return fork.build_student(self.config, lineage)

    def _groups(self) -> dict[str, list]:
        """All variables, by the names that the arrays of a resume point begin with."""
        student, teacher = self.networks
        return {"student": student.variables, "optimizer": self.optimizer.variables,
                "teacher": teacher.variables if teacher else [], "clock": self.clock}

    def serialize(self) -> bytes:
        teacher = self.networks.teacher
        standing = {**self.lineage._asdict(), "teacher_classes": teacher.latents.classes if teacher else None,
                    "entries": self.visited, "results": self.results, "anchored": self.anchor is not None}
        groups = self._groups() | (self.anchor._asdict() if self.anchor else {})
        arrays = {f"{group}/{index}": np.asarray(value) for group, values in groups.items()
                  for index, value in enumerate(values)}
        buffer = io.BytesIO()
        np.savez(buffer, standing=np.array(json.dumps(standing)), **arrays)
        return buffer.getvalue()

    def deserialize(self, string_value: bytes) -> None:
        with np.load(io.BytesIO(string_value), allow_pickle=False) as file:
            arrays = dict(file)
        standing = json.loads(str(arrays["standing"]))
        self.visited = standing["entries"]
        self.results = standing["results"]
        self.lineage = Lineage(Latents(*standing["first"]), standing["forks"], standing["new_classes"])
        student, self.optimizer = self._build_student(self.lineage)
        teacher = None
        if standing["teacher_classes"] is not None:
            added = standing["teacher_classes"] - self.lineage.first.classes
            with replicas.scope(self.strategy):
                teacher = fork.build_model(self.config, Lineage(self.lineage.first, self.lineage.forks - 1, added))
        self.networks = Networks(student, teacher)
        self.clock = step.start_clock()
        self.anchor = None
        if standing["anchored"]:
            self.anchor = Anchor(*([tf.constant(value) for value in _group(arrays, name)] for name in Anchor._fields))
        for name, variables in self._groups().items():
            for variable, value in zip(variables, _group(arrays, name), strict=True):
                variable.assign(value)


def _group(arrays: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{index}"] for index in range(count)]
