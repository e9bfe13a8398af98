"""Settings of MeRGAN: what is learned (`Config`), what is done and where files lie (`Command`), what is measured."""

import dataclasses

from lib.data import own
from lib.errors import UserError
from lib.run.settings import Checked, Common, FilePath, setting

_DIGITS = tuple(str(digit) for digit in range(10))


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSet:
    """What the original fixes per data set; what is left out is as on its 32x32 sets."""

    side: int = 32  # pixels
    channels: int
    labels: int = 10  # rows of the label tables and of the class head, whatever the number of tasks
    classes: tuple[str, ...] = _DIGITS  # in the order they are learned
    iterations: int  # per task
    joint_iterations: int
    tested_tasks: tuple[int, ...] = (4, 9)  # tasks (from 0) after which --test evaluates
    classifier_classes: tuple[int, ...] = tuple(range(10))  # the evaluation classifier's class of each label
    shared_replay: bool = True  # the old classes share one batch (64 // tasks samples each), else a whole batch each
    alignment_mean: bool = True  # RA's term is the mean over the old classes, else the sum
    joint_replay_mean: bool = False  # JTR's terms likewise
    learning_rate: float = 1e-4
    images_per_class: int = 0  # at most; 0: all


DATASETS = {
    "mnist": DataSet(channels=1, iterations=4001, joint_iterations=40001),
    "svhn": DataSet(channels=3, iterations=8001, joint_iterations=80001),
    # The joint program of the original has no lsun; four tasks' worth of iterations is our choice.
    "lsun": DataSet(side=64, channels=3, classes=("bedroom", "kitchen", "church_outdoor", "tower"), iterations=20001,
                    joint_iterations=80001, tested_tasks=(0, 1, 2, 3), classifier_classes=(0, 1, 8, 6),
                    shared_replay=False, alignment_mean=False, joint_replay_mean=True, images_per_class=100_000),
    # Not in the original, with the defaults of its sets of the same side and channels.
    "fashion": DataSet(channels=1, iterations=4001, joint_iterations=40001,
                       classes=("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
                                "ankle_boot")),
    "cifar10": DataSet(channels=3, iterations=8001, joint_iterations=80001,
                       classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                                "truck")),
    # scikit-learn's handwritten digits: not in the original, here for a demonstration without downloads. Adam moves the
    # class tables by one learning rate per step at most; a larger one tells classes apart within a short demonstration.
    "digits": DataSet(channels=1, iterations=151, joint_iterations=1501, learning_rate=1e-3),
}

LABELS = DataSet.labels  # of all data sets but one's own
NOISE = 128  # dimension of the latent vector z
MEASURES = ("accuracy", "reverse_accuracy", "fid", "solver")


def of_own_images(classes: tuple[str, ...], side: int, channels: int) -> DataSet:
    """The same of one's own images: as the original's data set of this side and number of channels."""
    like = DATASETS["lsun" if side == 64 else "mnist" if channels == 1 else "svhn"]
    count = len(classes)
    return dataclasses.replace(like, channels=channels, labels=count, classes=classes, images_per_class=0,
                               tested_tasks=tuple(sorted({(count - 1) // 2, count - 1})),  # half of them, and all
                               classifier_classes=tuple(range(count)))


def _own(field: str) -> str:
    """A setting's value in each data set, as its help shows it."""
    return f"0 is the data set's own: {', '.join(f'{name} {getattr(data, field)}' for name, data in DATASETS.items())}."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sequential(Checked):
    """What learning one class after the other has beside, and joint training has no use for."""

    replay_alignment: bool = setting(False, "Replay alignment: keep the images of old classes, pixel by pixel.",
                                     flag="RA", original=True)
    alignment_factor: float = setting(1e-4, "Weight of the alignment, lambda_RA of the paper's eq. 13.",
                                      flag="RA_factor", least=0.0, original=True)
    joint_replay: bool = setting(False, "Joint training with replay: old classes' images join the new class's data.",
                                 flag="JTR", original=True)
    consolidation: bool = setting(False, "Elastic weight consolidation, a baseline: keep the weights that mattered.",
                                  flag="EWC")
    consolidation_factor: float = setting(1e9, "Weight of the consolidation, lambda_EWC of the paper's eq. 9.",
                                          flag="EWC_factor", least=0.0)
    fisher: str = setting(
        "samples", "How EWC estimates the Fisher information and sums its penalty up. samples: from the critic's "
        "scores of single images, the penalty averaged over each tensor; batches: from the generator's cost on "
        "batches, the penalty summed.", flag="EWC_fisher", choices=("samples", "batches"))
    fisher_of: str = setting(
        "last", "Whose Fisher information EWC keeps: of the class learned last, or of all old classes, summed.",
        flag="EWC_classes", choices=("last", "all"))
    fisher_samples: int = 200  # generated images of a class from which its Fisher information is estimated
    fisher_batches: int = 100  # batches of them where it is estimated from batches
    generative_replay: bool = setting(
        False, "Deep generative replay, a baseline: an unconditional GAN and a classifier.", flag="DGR")
    first_tasks: int = setting(0, "Learn, or test, only so many classes; 0 is all of them.", flag="tasks", least=0)


@dataclasses.dataclass(frozen=True)
class Config(Sequential, Common):
    """One run. Everything that changes its numbers is here; what only says where files go is not.

    Raises:
      UserError: a value out of bounds, methods that exclude each other, more tasks than classes.
    """

    dataset: str = setting("mnist", "What to learn; folder: your own images in --data_dir.",
                           choices=(*DATASETS, own.NAME), original=True)
    iterations: int = setting(
        0, f"Iterations per task, in joint.py in all. {_own('iterations')}", flag="iters", least=0, original=True)
    joint: bool = False  # joint.py: all classes at once
    images_per_class: int = setting(
        0, f"Training images of a class at most, the first ones; 0 is the data set's own: "
           f"{DATASETS['lsun'].images_per_class} for lsun, as in the paper, all for the others.", least=0)
    batch_size: int = 64
    critic_steps: int = 5  # per generator step
    penalty_factor: float = 10.0
    learning_rate: float = setting(1e-4, f"Adam's step size. {_own('learning_rate')}", least=0.0, unless_given=0.0)
    beta_1: float = 0.0
    beta_2: float = 0.9
    side: int | None = setting(None, "With --dataset folder: height and width at which images are learned, 32 if not "
                                     "given.", choices=own.SIDES)
    classes: tuple[str, ...] = ()  # of one's own images, as they were found
    channels: int = 0  # likewise

    def __post_init__(self):
        super().__post_init__()
        if self.generative_replay and (self.replay_alignment or self.joint_replay or self.consolidation):
            raise UserError("--DGR is a method of its own: leave out --RA, --JTR and --EWC")
        own.check_side(self.dataset, self.side)
        if self.first_tasks > len(self.data.classes):
            raise UserError(f"--tasks={self.first_tasks}: {self.dataset} has {len(self.data.classes)} classes")

    @property
    def data(self) -> DataSet:
        if self.dataset == own.NAME:
            return of_own_images(tuple(self.classes), self.side, self.channels)
        return DATASETS[self.dataset]

    @property
    def classification(self) -> float:
        """Weight of the AC-GAN term in both costs, lambda_CLS of the paper; deep generative replay's GAN has none."""
        return 0.0 if self.generative_replay else 1.0

    @property
    def tasks(self) -> int:
        return 1 if self.joint else self.first_tasks or len(self.data.classes)

    @property
    def tested_tasks(self) -> tuple[int, ...]:
        """Tasks (from 0) after which `--test` evaluates: the original's, and the last of a shorter run."""
        if self.joint or not self.first_tasks:
            return self.data.tested_tasks
        return tuple(task for task in self.data.tested_tasks if task < self.tasks - 1) + (self.tasks - 1,)

    def replay_samples(self, old_classes: int) -> int:
        """Replayed samples per old class: a share of one batch (the remainder is lost) or a whole batch."""
        return max(1, self.batch_size // old_classes) if self.data.shared_replay else self.batch_size

    def as_settings(self) -> dict:
        """Everything that `settings.json` holds of it, whatever the data; a limit of images is told where one acts."""
        values = dataclasses.asdict(self)
        del values["images_per_class"]
        if self.dataset != own.NAME:
            for name in ("side", "classes", "channels"):
                del values[name]
        if not (self.consolidation and self.fisher == "samples"):  # as runs had it when there was no choice
            del values["fisher"], values["fisher_samples"]
        if not (self.consolidation and self.fisher_of == "last"):  # the same
            del values["fisher_of"]
        return values | dict.fromkeys(("critic_classification", "generator_classification"), self.classification)


def make_config(joint: bool = False, **settings) -> Config:
    """The settings that were asked for, with the data set's own ones where they are 0.

    Raises:
      UserError: an unknown data set, or what `Config` refuses.
    """
    asked = Config(joint=joint, **settings)
    usual = {"iterations": asked.data.joint_iterations if joint else asked.data.iterations,
             "learning_rate": asked.data.learning_rate, "images_per_class": asked.data.images_per_class}
    return dataclasses.replace(asked, **{name: value for name, value in usual.items() if not getattr(asked, name)})


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is done, and where files lie."""

    result_path: FilePath = setting(
        "", "Training writes to result/<result_path>; with --test this path is read as it is.", original=True)
    test: bool = setting(False, "Evaluate the checkpoints of a result path with the evaluation classifier.",
                         original=True)
    load_model: FilePath = setting("", "Checkpoint prefix to start from; training then begins with the second task.",
                              original=True)
    data_dir: FilePath = setting("dataset", "Where the data sets lie: <data_dir>/mnist, <data_dir>/svhn, ... With "
                                            "--dataset folder, the folder of your classes, or an .npz file.")


@dataclasses.dataclass(frozen=True)
class Measured(Checked):
    """What `--test` measures beside what the original does."""

    metrics: tuple[str, ...] = setting(
        ("accuracy",), "With --test: what to measure, with commas between; solver: what the classifier of --DGR knows.",
        choices=MEASURES)
    every_task: bool = setting(False, "With --test: measure after each task.")
    inception_weights: FilePath = setting(
        "", "With --metrics=fid: Keras' Inception-v3 weights without its top. For lsun they are downloaded once if "
        "there is a network; without them the evaluation classifier's features are used, and named so.")
