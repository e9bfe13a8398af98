"""memoryGAN's golden files."""

from tests.golden.memorygan import models, programs
from tests.golden.registry import Topic, by_name

# What the original's own figures say of their precision, and how a case was made.
_MADE = frozenset({"config", "state_recipe", "sensitivity_to_1e-6_weight_noise", "sensitivity_to_1e_6_weight_noise",
                   "topk_margin_read", "topk_margin_update", "smallest_topk_margin", "analytically_zero_records",
                   "reset_content", "columns", "directory"})

TOPICS: dict[str, Topic] = {
    "networks": Topic(by_name(models.network), _MADE),
    "memory": Topic(by_name(models.memories), _MADE),
    "losses": Topic(by_name(models.losses), _MADE),
    "training": Topic(by_name(programs.training), _MADE),
    "initialisers": Topic(by_name(programs.initialisers), _MADE | {"variables"}),
    "data": Topic(by_name(programs.data), _MADE),
    "checkpoint": Topic(by_name(programs.checkpoint), _MADE),
}
