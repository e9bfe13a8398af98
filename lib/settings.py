"""Settings of how a run is kept, as opposed to what it computes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Options:
    resume: str = "auto"  # auto: go on where the directory's run stopped; never: refuse to
    checkpoint_every: float = 300.0  # seconds between resume points
