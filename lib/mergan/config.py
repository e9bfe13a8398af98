"""Settings of a MeRGAN run: what the command line, the data set and the published experiments fix."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What the original fixes per data set."""

    side: int  # pixels
    channels: int
    classes: tuple[str, ...]  # in the order they are learned
    iterations: int  # per task
    joint_iterations: int
    tested_tasks: tuple[int, ...]  # tasks (from 0) after which --test evaluates
    classifier_classes: tuple[int, ...]  # the evaluation classifier's class of each label
    split_replay: bool  # the old classes share one batch (64 // tasks samples each), else a whole batch each
    learning_rate: float = 1e-4


_DIGITS = tuple(str(digit) for digit in range(10))

DATASETS = {
    "mnist": DataSet(32, 1, _DIGITS, 4001, 40001, (4, 9), tuple(range(10)), True),
    "svhn": DataSet(32, 3, _DIGITS, 8001, 80001, (4, 9), tuple(range(10)), True),
    # The joint program of the original has no lsun; four tasks' worth of iterations is our choice.
    "lsun": DataSet(64, 3, ("bedroom", "kitchen", "church_outdoor", "tower"), 20001, 80001, (0, 1, 2, 3),
                    (0, 1, 8, 6), False),
    # scikit-learn's handwritten digits: not in the original, here for a demonstration without downloads. Adam moves the
    # class tables by one learning rate per step at most; a larger one tells classes apart within a short demonstration.
    "digits": DataSet(32, 1, _DIGITS, 151, 1501, (4, 9), tuple(range(10)), True, learning_rate=1e-3),
}

LABELS = 10  # rows of the label tables and of the class head, whatever the number of tasks
NOISE = 128  # dimension of the latent vector z


@dataclasses.dataclass(frozen=True)
class Config:
    """One run. Everything that changes its numbers is here; what only says where files go is not."""

    dataset: str
    iterations: int  # per task; joint: in all
    replay_alignment: bool = False  # --RA
    alignment_factor: float = 1e-4  # --RA_factor, lambda_RA of the paper's eq. 13
    joint_replay: bool = False  # --JTR
    consolidation: bool = False  # --EWC, baseline
    consolidation_factor: float = 1e9  # --EWC_factor, lambda_EWC of the paper's eq. 9
    fisher_batches: int = 100  # generated batches of a class from which its Fisher information is estimated
    generative_replay: bool = False  # --DGR, baseline
    joint: bool = False  # joint.py: all classes at once
    first_tasks: int = 0  # --tasks: learn only so many classes, 0 for all
    seed: int = 0
    precision: str = "float32"  # Keras dtype policy; weights, statistics and costs are float32 in all of them
    tf1_exact: bool = False  # bring back the original's deterministic accidents
    batch_size: int = 64
    critic_steps: int = 5  # per generator step
    penalty_factor: float = 10.0
    critic_classification: float = 1.0  # weight of the AC-GAN term in the critic's cost
    generator_classification: float = 1.0  # lambda_CLS of the generator
    learning_rate: float = 1e-4
    beta_1: float = 0.0
    beta_2: float = 0.9

    def __post_init__(self):
        if self.generative_replay:  # its GAN is unconditional: no class head
            object.__setattr__(self, "critic_classification", 0.0)
            object.__setattr__(self, "generator_classification", 0.0)

    @property
    def data(self) -> DataSet:
        return DATASETS[self.dataset]

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
        return self.batch_size // old_classes if self.data.split_replay else self.batch_size


def default_iterations(dataset: str, joint: bool) -> int:
    data = DATASETS[dataset]
    return data.joint_iterations if joint else data.iterations
