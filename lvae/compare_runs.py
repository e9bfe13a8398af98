"""Lifelong VAE: runs side by side, transition by transition. See README.md.

    python compare_runs.py --runs=experiment_0,experiment_1 --output=comparison
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # the repository root in place of this folder

from absl import flags  # noqa: E402

from lib import errors  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_list("runs", [], "Directories of the runs.")
flags.DEFINE_string("output", "comparison", "Where the table and the curves go.")


def main():
    from lvae import evaluate

    evaluate.run(FLAGS.runs, FLAGS.output)


if __name__ == "__main__":
    errors.run(main)
