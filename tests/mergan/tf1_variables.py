"""What the checkpoints of the original MeRGAN programs hold, as recorded from those programs: names and shapes."""

# `mergan.py --dataset mnist`; every New.Generator variable has an Old.Generator namesake.
_MNIST = """
Discriminator.1/Discriminator.1.Biases 32
Discriminator.1/Discriminator.1.Filters 5x5x1x32
Discriminator.2/Discriminator.2.Biases 64
Discriminator.2/Discriminator.2.Filters 5x5x32x64
Discriminator.3/Discriminator.3.Biases 128
Discriminator.3/Discriminator.3.Filters 5x5x64x128
Discriminator.ACGANOutput/Discriminator.ACGANOutput.W 2048x10
Discriminator.ACGANOutput/Discriminator.ACGANOutput.b 10
Discriminator.Output/Discriminator.Output.W 2048x1
Discriminator.Output/Discriminator.Output.b 1
New.Generator.2/New.Generator.2.Biases 64
New.Generator.2/New.Generator.2.Filters 5x5x64x128
New.Generator.3/New.Generator.3.Biases 32
New.Generator.3/New.Generator.3.Filters 5x5x32x64
New.Generator.5/New.Generator.5.Biases 1
New.Generator.5/New.Generator.5.Filters 5x5x1x32
New.Generator.BN1.moving_mean 10x128
New.Generator.BN1.moving_variance 10x128
New.Generator.BN1.offset 10x128
New.Generator.BN1.scale 10x128
New.Generator.BN2.moving_mean 10x64
New.Generator.BN2.moving_variance 10x64
New.Generator.BN2.offset 10x64
New.Generator.BN2.scale 10x64
New.Generator.BN3.moving_mean 10x32
New.Generator.BN3.moving_variance 10x32
New.Generator.BN3.offset 10x32
New.Generator.BN3.scale 10x32
New.Generator.Input/New.Generator.Input.W 128x2048
New.Generator.Input/New.Generator.Input.b 2048
"""

# What differs for svhn, whose images have three channels.
_SVHN = """
Discriminator.1/Discriminator.1.Filters 5x5x3x32
New.Generator.5/New.Generator.5.Biases 3
New.Generator.5/New.Generator.5.Filters 5x5x3x32
"""

_LSUN = """
Discriminator.ACGANOutput/Discriminator.ACGANOutput.W 8192x10
Discriminator.ACGANOutput/Discriminator.ACGANOutput.b 10
Discriminator.Input/Discriminator.Input.Biases 64
Discriminator.Input/Discriminator.Input.Filters 3x3x3x64
Discriminator.Output/Discriminator.Output.W 8192x1
Discriminator.Output/Discriminator.Output.b 1
Discriminator.Res1.BN1.offset 64
Discriminator.Res1.BN1.scale 64
Discriminator.Res1.BN2.offset 64
Discriminator.Res1.BN2.scale 64
Discriminator.Res1.Conv1/Discriminator.Res1.Conv1.Filters 3x3x64x64
Discriminator.Res1.Conv2/Discriminator.Res1.Conv2.Biases 128
Discriminator.Res1.Conv2/Discriminator.Res1.Conv2.Filters 3x3x64x128
Discriminator.Res1.Shortcut/Discriminator.Res1.Shortcut.Biases 128
Discriminator.Res1.Shortcut/Discriminator.Res1.Shortcut.Filters 1x1x64x128
Discriminator.Res2.BN1.offset 128
Discriminator.Res2.BN1.scale 128
Discriminator.Res2.BN2.offset 128
Discriminator.Res2.BN2.scale 128
Discriminator.Res2.Conv1/Discriminator.Res2.Conv1.Filters 3x3x128x128
Discriminator.Res2.Conv2/Discriminator.Res2.Conv2.Biases 256
Discriminator.Res2.Conv2/Discriminator.Res2.Conv2.Filters 3x3x128x256
Discriminator.Res2.Shortcut/Discriminator.Res2.Shortcut.Biases 256
Discriminator.Res2.Shortcut/Discriminator.Res2.Shortcut.Filters 1x1x128x256
Discriminator.Res3.BN1.offset 256
Discriminator.Res3.BN1.scale 256
Discriminator.Res3.BN2.offset 256
Discriminator.Res3.BN2.scale 256
Discriminator.Res3.Conv1/Discriminator.Res3.Conv1.Filters 3x3x256x256
Discriminator.Res3.Conv2/Discriminator.Res3.Conv2.Biases 512
Discriminator.Res3.Conv2/Discriminator.Res3.Conv2.Filters 3x3x256x512
Discriminator.Res3.Shortcut/Discriminator.Res3.Shortcut.Biases 512
Discriminator.Res3.Shortcut/Discriminator.Res3.Shortcut.Filters 1x1x256x512
Discriminator.Res4.BN1.offset 512
Discriminator.Res4.BN1.scale 512
Discriminator.Res4.BN2.offset 512
Discriminator.Res4.BN2.scale 512
Discriminator.Res4.Conv1/Discriminator.Res4.Conv1.Filters 3x3x512x512
Discriminator.Res4.Conv2/Discriminator.Res4.Conv2.Biases 512
Discriminator.Res4.Conv2/Discriminator.Res4.Conv2.Filters 3x3x512x512
Discriminator.Res4.Shortcut/Discriminator.Res4.Shortcut.Biases 512
Discriminator.Res4.Shortcut/Discriminator.Res4.Shortcut.Filters 1x1x512x512
New.Generator.Input/New.Generator.Input.W 138x8192
New.Generator.Input/New.Generator.Input.b 8192
New.Generator.Output/New.Generator.Output.Biases 3
New.Generator.Output/New.Generator.Output.Filters 3x3x64x3
New.Generator.OutputN.moving_mean 64
New.Generator.OutputN.moving_variance 64
New.Generator.OutputN.offset 64
New.Generator.OutputN.scale 64
New.Generator.Res1.BN1.moving_mean 512
New.Generator.Res1.BN1.moving_variance 512
New.Generator.Res1.BN1.offset 512
New.Generator.Res1.BN1.scale 512
New.Generator.Res1.BN2.moving_mean 512
New.Generator.Res1.BN2.moving_variance 512
New.Generator.Res1.BN2.offset 512
New.Generator.Res1.BN2.scale 512
New.Generator.Res1.Conv1/New.Generator.Res1.Conv1.Filters 3x3x512x512
New.Generator.Res1.Conv2/New.Generator.Res1.Conv2.Biases 512
New.Generator.Res1.Conv2/New.Generator.Res1.Conv2.Filters 3x3x512x512
New.Generator.Res1.Shortcut/New.Generator.Res1.Shortcut.Biases 512
New.Generator.Res1.Shortcut/New.Generator.Res1.Shortcut.Filters 1x1x512x512
New.Generator.Res2.BN1.moving_mean 512
New.Generator.Res2.BN1.moving_variance 512
New.Generator.Res2.BN1.offset 512
New.Generator.Res2.BN1.scale 512
New.Generator.Res2.BN2.moving_mean 256
New.Generator.Res2.BN2.moving_variance 256
New.Generator.Res2.BN2.offset 256
New.Generator.Res2.BN2.scale 256
New.Generator.Res2.Conv1/New.Generator.Res2.Conv1.Filters 3x3x512x256
New.Generator.Res2.Conv2/New.Generator.Res2.Conv2.Biases 256
New.Generator.Res2.Conv2/New.Generator.Res2.Conv2.Filters 3x3x256x256
New.Generator.Res2.Shortcut/New.Generator.Res2.Shortcut.Biases 256
New.Generator.Res2.Shortcut/New.Generator.Res2.Shortcut.Filters 1x1x512x256
New.Generator.Res3.BN1.moving_mean 256
New.Generator.Res3.BN1.moving_variance 256
New.Generator.Res3.BN1.offset 256
New.Generator.Res3.BN1.scale 256
New.Generator.Res3.BN2.moving_mean 128
New.Generator.Res3.BN2.moving_variance 128
New.Generator.Res3.BN2.offset 128
New.Generator.Res3.BN2.scale 128
New.Generator.Res3.Conv1/New.Generator.Res3.Conv1.Filters 3x3x256x128
New.Generator.Res3.Conv2/New.Generator.Res3.Conv2.Biases 128
New.Generator.Res3.Conv2/New.Generator.Res3.Conv2.Filters 3x3x128x128
New.Generator.Res3.Shortcut/New.Generator.Res3.Shortcut.Biases 128
New.Generator.Res3.Shortcut/New.Generator.Res3.Shortcut.Filters 1x1x256x128
New.Generator.Res4.BN1.moving_mean 128
New.Generator.Res4.BN1.moving_variance 128
New.Generator.Res4.BN1.offset 128
New.Generator.Res4.BN1.scale 128
New.Generator.Res4.BN2.moving_mean 64
New.Generator.Res4.BN2.moving_variance 64
New.Generator.Res4.BN2.offset 64
New.Generator.Res4.BN2.scale 64
New.Generator.Res4.Conv1/New.Generator.Res4.Conv1.Filters 3x3x128x64
New.Generator.Res4.Conv2/New.Generator.Res4.Conv2.Biases 64
New.Generator.Res4.Conv2/New.Generator.Res4.Conv2.Filters 3x3x64x64
New.Generator.Res4.Shortcut/New.Generator.Res4.Shortcut.Biases 64
New.Generator.Res4.Shortcut/New.Generator.Res4.Shortcut.Filters 1x1x128x64
"""


def _parse(table: str) -> dict[str, tuple[int, ...]]:
    rows = (line.split() for line in table.split("\n") if line)
    return {name: tuple(int(side) for side in shape.split("x")) for name, shape in rows}


def _with_old(table: dict) -> dict:
    return table | {name.replace("New.", "Old."): shape for name, shape in table.items() if name.startswith("New.")}


def _with_adam(table: dict) -> dict:
    """The joint program's: Adam's slots of every trained variable, and the beta powers of its two optimisers."""
    slots = {f"{name}/{slot}": shape for name, shape in table.items() if ".moving_" not in name
             for slot in ("Adam", "Adam_1")}
    return table | slots | {name: () for name in ("beta1_power", "beta2_power", "beta1_power_1", "beta2_power_1")}


TASKS = {
    "mnist": _with_old(_parse(_MNIST)),
    "svhn": _with_old(_parse(_MNIST) | _parse(_SVHN)),
    "lsun": _with_old(_parse(_LSUN)),
}
JOINT = {
    "mnist": _with_adam(_parse(_MNIST)),
    "svhn": _with_adam(_parse(_MNIST) | _parse(_SVHN)),
}
