"""A script of the repository with batches of four images: one step on 64 scenes takes minutes on a CPU.

    python tests/cli/small_batches.py mergan.py --dataset lsun ...
"""

import runpy
import sys
from pathlib import Path

from lib.mergan.config import Config

BATCH = 4

# The values that the generated constructor falls back on; 64 stands there once.
Config.__init__.__defaults__ = tuple(BATCH if value == 64 else value for value in Config.__init__.__defaults__)
assert Config("lsun", 1).batch_size == BATCH

del sys.argv[0]
runpy.run_path(str(Path(__file__).parent.parent.parent / sys.argv[0]), run_name="__main__")
