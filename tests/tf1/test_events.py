"""Event files as scripts of TF1's time read them."""

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lib import tf1


def test_scalars_are_scalars_and_pictures_are_pictures(tmp_path):
    events = tf1.Events(tmp_path / "logs")
    picture = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    for step in (2, 3):
        events.scalars({"d_real": 0.5 * step, "g_loss": -1.0}, step)
    events.picture("real_images/image/0", picture, 3)
    events.close()
    found = EventAccumulator(str(tmp_path / "logs")).Reload()
    assert [(point.step, point.value) for point in found.Scalars("d_real")] == [(2, 1.0), (3, 1.5)]
    image, = found.Images("real_images/image/0")
    assert (image.step, image.width, image.height) == (3, 2, 4)
