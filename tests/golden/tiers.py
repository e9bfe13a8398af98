"""Which cases of the golden files `make test`, `make test-full` and `make test-slow` check.

`make test` checks at least one case of every topic: the cheapest that has all kinds of the topic's records, and of
MeRGAN's training a first task and one with joint replay. `make test-full` checks all others.
"""

import fnmatch

# Patterns of `<file>::<case>`. All take under two seconds of one thread but MeRGAN's replay, three to six, and its
# training: each task begins with the tasks before it, in batches of 64.
FAST = (
    "lvae_data::*",
    "lvae_fork_map::dense*",
    "lvae_initialisers::models/dense_*",
    "lvae_losses::*_m1", "lvae_losses::batch_composition",
    "lvae_losses_cnn::cnn_m1",
    "lvae_networks::dense_*", "lvae_networks::cnn_enc_c1", "lvae_networks::cnn_dec_c1",
    "lvae_pytorch_*::*",
    "lvae_reparameterisation::*",
    "lvae_rotations::*",
    "lvae_training::dense", "lvae_training::dense_bn",
    "lvae_vanilla::*",
    "memorygan_checkpoint::fashion",
    "memorygan_data::*",
    "memorygan_initialisers::fashion_MemoryGAN", "memorygan_initialisers::affmnist_GAN",
    "memorygan_losses::memorygan_fashion_jsd", "memorygan_losses::gan_fashion_jsd",
    "memorygan_memory::*",
    "memorygan_networks::fashion_*",
    "memorygan_training::fashion_jsd", "memorygan_training::fashion_cold_start",
    "mergan_classifiers::cls_mnist",
    "mergan_data::*",
    "mergan_initialisers::networks/gan32_1_channel", "mergan_initialisers::classifiers/mnist",
    "mergan_joint_replay::jtr_mnist_1", "mergan_replay_float64::jtr_mnist_1",
    "mergan_losses_mnist::losses_mnist_mixed", "mergan_losses_svhn::losses_svhn_mixed",
    "mergan_losses_float64::losses_mnist_mixed", "mergan_losses_float64::losses_svhn_mixed",
    "mergan_networks::networks_mnist",
    "mergan_replay_alignment::ra_mnist_1", "mergan_replay_float64::ra_mnist_1",
    "mergan_training::train_sft/task0", "mergan_training_float64::train_sft/task0",
)
SLOW = ()  # none takes more than three minutes


def tier(name: str) -> str | None:
    """The marker of a case by its `<file>::<case>`; None for `make test`."""
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in FAST):
        return None
    return "slow" if any(fnmatch.fnmatchcase(name, pattern) for pattern in SLOW) else "full"
