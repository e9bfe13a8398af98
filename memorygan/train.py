"""Training a memoryGAN run, with the files and lines of the original."""

import dataclasses
import math
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lib import device, files, pictures, randomness
from lib.errors import UserError
from lib.run import runner
from lib.run.options import Options
from memorygan import checkpoint, data, losses, memory
from memorygan.config import Config, batches_drawn, ended_epoch, max_iterations
from memorygan.step import Model, build_model, draw_latent, draw_slots, make_steps

_GRID = 8  # samples per row and column of a picture
_SAMPLE_BATCHES = 100  # per file of samples
_FIRST_SAVED_EPOCH = 101
# Every iteration is watched for bad numbers; keeping each would fill the memory over 1500 epochs.
_KEPT_EVERY = 20
_FLUSHED_EVERY = 100
_TEST_BATCH = 500


@dataclasses.dataclass(frozen=True)
class Places:
    """The original's three directories of a run, all below the working directory."""

    exp: str
    stamp: str

    def _of(self, kind: str) -> Path:
        return Path(kind) / self.exp / self.stamp

    @property
    def logs(self) -> Path:
        return self._of("logs")

    @property
    def checkpoints(self) -> Path:
        return self._of("checkpoint")

    @property
    def samples(self) -> Path:
        return self._of("samples")

    def make(self) -> None:
        for directory in (self.logs, self.checkpoints, self.samples):
            files.make_directory(directory)
            files.remove_temporaries(directory)


def new_stamp(config: Config) -> str:
    return f"{time.strftime('%Y-%m-%d-%H:%M:%S')}_{config.model}_{config.lr:g}"


def find_places(config: Config, exp: str, settings: dict, options: Options) -> Places:
    """Where to train: the newest unfinished run of these settings, or a new one stamped with the time."""
    logs = Path("logs") / exp
    if options.resume == "auto" and logs.is_dir():
        for directory in sorted(logs.iterdir(), reverse=True):
            stored = directory / "settings.json"
            if stored.exists() and not (directory / "finished").exists() and files.read_json(stored) == settings:
                return Places(exp, directory.name)
    return Places(exp, new_stamp(config))


def sample_picture(samples: np.ndarray) -> np.ndarray:
    """The first 64 of the generator's images [n, h, w, c] as one uint8 picture, stretched to its own extremes.

    The original maps (x + 1) / 2 for every data set, also where images are in [0, 1]; stretching undoes it. It needs
    64 images; ours leaves the places of missing ones black.
    """
    shown = (samples[:_GRID**2] + 1.0) / 2.0
    missing = -len(shown) % _GRID
    shown = np.pad(shown, ((0, missing), (0, 0), (0, 0), (0, 0)), constant_values=shown.min())
    return pictures.stretch(pictures.grid(shown, columns=_GRID))


class Sampler:
    """Generates images of a model: (latent [n, z_dim], slots int32 [n]) -> float32 [n, h, w, c].

    Args:
      training: batch norm uses the batch's statistics, as in the original's samples during training.
    """

    def __init__(self, config: Config, model: Model, training: bool):
        self._config, self._model = config, model

        @tf.function(reduce_retracing=True)
        def generate(latent, slots):
            state = model.memory.state() if model.memory else None
            return model.networks.generator(
                losses.generator_input(config, state, latent, slots), training=training).values

        self._generate = generate

    def draw(self, stream: str, *counters: int) -> tuple[np.ndarray, np.ndarray]:
        """A batch of noise and its images, of a stream of their own."""
        config = self._config
        state = self._model.memory.state() if self._model.memory else None
        latent = draw_latent(config, randomness.key(config.seed, f"{stream}/latent", *counters))
        slots = draw_slots(config, state, randomness.key(config.seed, f"{stream}/slots", *counters))
        return latent.numpy(), self._generate(latent, slots).numpy()


def save_array(path: Path, array: np.ndarray) -> None:
    with files.atomic(path) as temporary, open(temporary, "wb") as handle:
        np.save(handle, array)


class Reporter:
    """What a run tells, draws and saves at the end of epochs."""

    def __init__(self, config: Config, model: Model, places: Places, run: runner.Run, test_images: np.ndarray | None):
        self._config, self._model, self._places, self._run = config, model, places, run
        self._sampler = Sampler(config, model, training=True)
        self._tracker = Tracker(config, model, test_images) if config.has_memory else None
        self._started = self._epoch_started = time.monotonic()
        self.last: dict[str, float] = {}

    def epoch(self, epoch: int, real: np.ndarray, step: int) -> None:
        """The line, the log point and the pictures of an epoch; real: one batch uint8."""
        now = time.monotonic()
        tqdm.write(f"[Epoch {epoch}] time: {now - self._started:.4f}, d_real: {self.last['d_real']:.8f}, "
                   f"d_fake: {self.last['d_fake']:.8f}, sec_per_epoch: {now - self._epoch_started:.4f}")
        self._epoch_started = now
        log = self._run.log
        if self._tracker:
            likelihood, prior = self._tracker.measure()
            save_array(self._places.logs / "prior" / f"epoch_{epoch}.npy", prior)
            if likelihood is not None:
                log.add({"test_log_likelihood": {step: likelihood}})
        log.flush(step)
        _, fake = self._sampler.draw("summary", step)
        for name, images in (("fake_images", fake), ("real_images", real)):
            log.picture(name, sample_picture(images), step)

    def save(self, epoch: int) -> None:
        """The original's checkpoint, samples, their noise and their picture."""
        checkpoint.write(self._places.checkpoints / f"model-{epoch}", self._model)
        drawn = [self._sampler.draw("samples", epoch, batch) for batch in range(_SAMPLE_BATCHES)]
        noises, samples = (np.concatenate(parts) for parts in zip(*drawn))
        path = self._places.samples / f"samples_{epoch}.png"
        tqdm.write(f"Save Samples at {path}")
        pictures.save_png(path, sample_picture(samples))
        save_array(path.with_suffix(".npy"), samples)
        save_array(self._places.samples / f"noises_{epoch}.npy", noises)


class Tracker:
    """Measures what the paper's figure 3 shows over training: likelihood of test images and use of the slots."""

    def __init__(self, config: Config, model: Model, test_images: np.ndarray | None):
        self._images, self._memory = test_images, model.memory

        @tf.function(reduce_retracing=True)
        def likelihood(images):
            queries = model.networks.discriminator(data.preprocess(config.data, images), training=False).values
            return memory.log_likelihood(model.memory.state(), queries)

        self._likelihood = likelihood

    def measure(self) -> tuple[float | None, np.ndarray]:
        """(mean biased log-likelihood of the test images, or None without any; p(c) float32 [N])."""
        prior = memory.categorical_prior(self._memory.state()).numpy()
        if self._images is None:
            return None, prior
        values = [self._likelihood(self._images[start:start + _TEST_BATCH]).numpy()
                  for start in range(0, len(self._images), _TEST_BATCH)]
        return float(np.mean(np.concatenate(values))), prior


def _advance(config: Config, training: data.Training, steps, reporter: Reporter):
    """The runner's view of `steps.iterate`: bad numbers of every iteration, other values of every 20th."""

    def advance(first: int, count: int) -> dict[str, dict[int, float]]:
        images, _ = training.batches.take(batches_drawn(config, training.examples, first), count)
        history = steps.iterate(tf.constant(images), tf.constant(first, tf.int32))
        values = {name: series.numpy().tolist() for name, series in history.items()}
        reporter.last = {name: series[-1] for name, series in values.items()}
        return {name: {first + k: value for k, value in enumerate(series)
                       if (first + k) % _KEPT_EVERY == 0 or not math.isfinite(value)}
                for name, series in values.items()}

    return advance


def run(config: Config, exp: str, data_dir: str, load_cp_dir: str = "", options: Options = Options(),
        save_every: int = 1) -> Places:
    """Train, writing what the original writes to `logs/`, `checkpoint/` and `samples/` of the working directory.

    Args:
      exp: name of the first directory level below those.
      load_cp_dir: directory of a checkpoint (of either program) to start from, or "". Iterations, epochs and the
        data's order start anew, as in the original.
      save_every: epochs between checkpoints after epoch 100; a last one is always written at the end.
    """
    training = data.open_training(config, data_dir)
    limit = max_iterations(config, training.examples)
    if limit < 2:
        raise UserError(f"{training.examples} images in batches of {config.batch_size} make no iteration in "
                        f"{config.epoch} epoch(s); use a smaller --batch_size or more epochs")
    model, jit = build_model(config), device.jit(options.jit)
    settings = {"system": "memoryGAN", **dataclasses.asdict(config), "load_cp_dir": load_cp_dir}
    places = find_places(config, exp, settings, options)
    with runner.Run(places.logs, settings, state(model), options) as run_:
        if run_.phase == 0 and run_.iteration == 0 and load_cp_dir:
            print(" [*] Reading checkpoints...")
            checkpoint.restore(checkpoint.latest(Path(load_cp_dir)), model)
        places.make()
        files.make_directory(places.logs / "prior")
        for path in data.paths(config, data_dir):
            print(f"Extracting {path}")
        print(f"[*] Traing Start : N={training.examples}, Batch={config.batch_size}, epoch={config.epoch}, "
              f"max_iter={limit}", flush=True)
        if run_.phase == 0:
            run_.open_log(run_.iteration)
            reporter = Reporter(config, model, places, run_, _test_images(config, data_dir))
            _train(config, training, model, limit, jit, run_, reporter, save_every)
            run_.next_phase()
        files.write_text(places.logs / "finished", "")
    return places


def state(model: Model) -> dict:
    """What a resume point holds, by name."""
    parts = {**model.networks._asdict(), **{f"{name}_state": part for name, part in model.optimizers._asdict().items()}}
    return parts | ({"memory": model.memory} if model.memory else {})


def _test_images(config: Config, data_dir: str) -> np.ndarray | None:
    """Test images uint8 as the networks' side wants them; None for image folders, which have no test split."""
    if config.data.folder:
        return None
    images = data.load(config, "test", data_dir).images
    if config.dataset == "affmnist":
        return data.distort(images, data.draw_distortions(config.seed, "test", len(images)), config.data.side)
    return images


def _train(config, training, model, limit, jit, run_, reporter, save_every) -> None:
    """Iterations 1 to limit - 1 of the original, which the runner counts from 0."""
    steps = make_steps(config, model, limit, jit)
    total = limit - 1

    def epoch_of(iteration: int) -> int | None:
        return ended_epoch(config, training.examples, iteration + 1)

    def saved(iteration: int) -> bool:
        epoch = epoch_of(iteration)
        return bool(epoch and epoch >= _FIRST_SAVED_EPOCH and epoch % save_every == 0) or iteration == total - 1

    def end_epoch(iteration: int) -> None:
        drawn = batches_drawn(config, training.examples, iteration + 1)
        images, _ = training.batches.take(drawn - 1, 1)
        reporter.epoch(epoch_of(iteration), images[0], iteration)
        if config.tf1_exact:
            steps.summarise(tf.constant(images[0]), tf.constant(iteration, tf.int32))

    run_.train(total, _advance(config, training, steps, reporter), [
        runner.Event(lambda i: i % _FLUSHED_EVERY == 0 and epoch_of(i) is None, run_.log.flush),
        runner.Event(lambda i: epoch_of(i) is not None, end_epoch),
        runner.Event(saved, lambda i: reporter.save(epoch_of(i) or config.epoch)),
    ], label=f"{config.dataset} {config.model}")
