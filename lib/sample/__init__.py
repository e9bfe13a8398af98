"""Images from what was trained, for all systems alike: `load` in Python, `python -m lib.sample` on a command line.

    from lib import load
    model = load("result/mnist_RA")
    images = model.sample(classes=[3], count=64).images
"""

from pathlib import Path

from lib import files, systems
from lib.errors import UserError


def load(path: str | Path, task: int | None = None, model: str | None = None):
    """A trained generator: a `lib.sample.model.Model`, whose `sample` gives images.

    Args:
      path: the directory of a run (`result/<run>`, `memorygan/logs/<exp>/<stamp>`, `lvae/experiment_<n>`), or the
        prefix of a checkpoint of this or the TF1 program (without .index).
      task: the state of a run's directory after so many tasks (memoryGAN: epochs); None: the newest.
      model: what the checkpoint is of, by its name in `python -m lib.tf1 list`; None: what the run around it or its
        variables say.

    Raises:
      UserError: no run or checkpoint there, no such task, or one that is not what it should be.
    """
    path = Path(path)
    if not path.is_dir():
        return _checkpoint(path, task, model)
    if model:
        raise UserError(f"{path}: --model says what a checkpoint is; what a run is, its settings.json says")
    settings = files.read_json(path / "settings.json", dict) if (path / "settings.json").exists() else {}
    system = systems.system_of(settings)
    if system is None:
        raise UserError(f"{path} holds no run of these systems (by settings.json); give the directory that training "
                        "wrote, or the prefix of a checkpoint")
    sampler = systems.part(system, "sampler")
    states = sampler.states(path, settings)
    if not states:
        raise UserError(f"{path} has no checkpoint of a finished task yet; train on, or give a checkpoint's prefix")
    if task is not None and task not in states:
        raise UserError(f"{path} has no state after {task}: there are those after {_listed(states)}")
    return sampler.of_run(states[max(states) if task is None else task], settings)


def _checkpoint(prefix: Path, task: int | None, name: str | None):
    # TensorFlow takes seconds to import: a wrong path should not wait for it.
    from lib import tf1
    from lib.tf1 import models

    if task is not None:
        raise UserError(f"--task={task} chooses among the checkpoints of a run's directory; {prefix} is none")
    if not tf1.exists(prefix):
        raise UserError(f"{prefix} is neither a run's directory nor the prefix of a checkpoint (there is no "
                        f"{prefix}.index)")
    if name is None:
        for system in systems.SYSTEMS:
            sampler = systems.part(system, "sampler")
            stored = sampler.run_around(prefix) / "settings.json"
            settings = files.read_json(stored, dict) if stored.is_file() else {}
            if systems.system_of(settings) == system:
                return sampler.of_run(prefix, settings)
        name = models.recognise(tf1.read(prefix))
    known = {one: system for system in systems.SYSTEMS for one in systems.part(system, "interchange").MODELS}
    if name not in known:
        raise UserError(f"--model={name}: it is one of {', '.join(known)}" if name else
                        f"{prefix} is of no model that is known here; say which by --model ({', '.join(known)})")
    return systems.part(known[name], "sampler").of_checkpoint(prefix, name)


def _listed(numbers) -> str:
    """In order; only the ends of a long list."""
    texts = list(map(str, sorted(numbers)))
    return ", ".join(texts if len(texts) <= 20 else [*texts[:3], "...", *texts[-3:]])
