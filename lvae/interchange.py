"""What `python -m lib.tf1` knows of the Lifelong VAE: the models of a checkpoint, in the sizes that they have there."""

import functools
import math
import re

import numpy as np

from lib.errors import UserError
from lib.tf1 import models
from lib.tf1.models import Interchange
from lvae.checkpoint import Shapes, TF1Model, models_in
from lvae.config import Architecture, Config
from lvae.networks import Latents, build_vae
from lvae.step import build_optimizer


def build(body: str, values: dict[str, np.ndarray]) -> Interchange:
    """All models of a checkpoint, freshly initialised: networks `vae<n>_encoder` and `vae<n>_decoder`.

    Args:
      body: dense or cnn.
      values: {TF1 name: array} of the checkpoint.

    Raises:
      UserError: a layer that tells a size is missing.
    """
    networks, variables = {}, {}
    for prefix in sorted(models_in(values)):
        _, model = model_of(body, prefix, values)
        number = prefix.partition("_")[0]
        networks |= {f"{number}_encoder": model.vae.encoder, f"{number}_decoder": model.vae.decoder}
        variables |= model.variables()
    return Interchange(networks, variables)


def model_of(body: str, prefix: str, values: dict[str, np.ndarray]) -> tuple[Config, TF1Model]:
    """The model of this name among a checkpoint's {TF1 name: array}, freshly initialised, and its settings.

    Raises:
      UserError: a layer that tells a size is missing or misshaped.
    """
    shapes = {name.removeprefix(f"{prefix}/"): value.shape for name, value in values.items()
              if name.startswith(f"{prefix}/")}
    try:
        return _model(body, prefix, shapes)
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise UserError(f"{prefix} is no complete model with {body} bodies: the sizes do not follow from its "
                        f"variables ({error}); they are missing or misshaped") from error


def _model(body: str, prefix: str, shapes: Shapes) -> tuple[Config, TF1Model]:
    first = body == "cnn" and any(name.startswith("encoder/cnn_encoder/") for name in shapes)
    scopes = ("cnn_encoder", "cnn_decoder") if first else ("encoder", "decoder")
    encoder, decoder = f"encoder/{scopes[0]}", f"generator/{scopes[1]}"
    if body == "dense":
        pixels = shapes[f"{encoder}/layer/layer_1/weights"][0]
        encoded = shapes[f"{encoder}/projection/weights"][1]
        size = shapes[f"{decoder}/layer/layer_1/weights"][0]
        side = math.isqrt(pixels)
        image = (side, pixels // side, 1)
        sides = shapes[f"{decoder}/projection/weights"][1] // pixels
        hidden = tuple(_hidden(scope, shapes) for scope in (encoder, decoder))
    else:
        channels = shapes[f"{encoder}/Conv/weights"][2]
        encoded = shapes[f"{encoder}/Conv_6/weights"][3]
        size = shapes[f"{decoder}/Conv2d_transpose/weights"][3]
        image = (32, 32, channels)
        sides = shapes[f"{decoder}/Conv/weights"][3] // channels
        hidden = ()
    # Which of the two-sided likelihoods it is does not show in a checkpoint, but all draw their location.
    shape = Architecture(body, image, "logistic" if sides == 2 else "bernoulli", *hidden)
    config = Config("", shape, use_bn=any("/BatchNorm/" in name for name in shapes),
                    use_ln=any("/LayerNorm/" in name for name in shapes))
    # The encoder gives two columns per continuous dimension, z has one; both have one per class.
    vae = build_vae(config, Latents(encoded - size, 2 * size - encoded), name=prefix.partition("_")[0])
    return config, TF1Model(vae, build_optimizer(config, vae.trainable_variables), prefix, scopes)


def _hidden(scope: str, shapes: Shapes) -> tuple[int, ...]:
    """Sizes of a dense body's hidden layers."""
    count = sum(bool(re.fullmatch(rf"{scope}/layer/layer_\d+/weights", name)) for name in shapes)
    return tuple(shapes[f"{scope}/layer/layer_{number}/weights"][1] for number in range(1, count + 1))


MODELS = {
    "lvae-dense": models.Model(functools.partial(build, "dense"), "/generator/decoder/layer/layer_2/weights",
                               (512, 512), as_found=True),
    "lvae-cnn": models.Model(functools.partial(build, "cnn"), "decoder/Conv2d_transpose_4/weights", (5, 5, 64, 64),
                             as_found=True),
}
