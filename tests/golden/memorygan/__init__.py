"""memoryGAN's golden files."""

from tests.golden.memorygan import models, programs
from tests.golden.registry import Topic

# What the original's own figures say of their precision, and how a case was made.
_MADE = frozenset({"config", "state_recipe", "sensitivity_to_1e-6_weight_noise", "sensitivity_to_1e_6_weight_noise",
                   "topk_margin_read", "topk_margin_update", "smallest_topk_margin", "analytically_zero_records",
                   "reset_content", "columns", "directory"})

TOPICS: dict[str, Topic] = {
    "networks": Topic(models.networks, _MADE),
    "memory": Topic(models.memories, _MADE),
    "losses": Topic(models.losses, _MADE),
    "training": Topic(programs.training, _MADE),
    "initialisers": Topic(programs.initialisers, _MADE | {"variables"}),
    "data": Topic(programs.data, _MADE),
    "checkpoint": Topic(programs.checkpoint, _MADE),
}
