"""Memory Replay GANs: learn classes one after the other without forgetting. See README.md.

    python mergan.py --dataset mnist --RA --RA_factor 1e-3 --result_path mnist_RA_1e_3/
    python mergan.py --dataset mnist --test --result_path result/mnist_RA_1e_3/
"""

from absl import flags

from lib import errors, settings
from lib.mergan import command_line

FLAGS = flags.FLAGS

command_line.define_flags()
flags.adopt_module_key_flags(command_line)
flags.DEFINE_string("load_model", "", "Checkpoint prefix to start from; training then begins with the second task.")
flags.DEFINE_boolean("RA", False, "Replay alignment: keep the images of old classes, pixel by pixel.")
flags.DEFINE_float("RA_factor", 1e-4, "Weight of the alignment.", lower_bound=0.0)
flags.DEFINE_boolean("JTR", False, "Joint training with replay: old classes' images join the new class's data.")
flags.DEFINE_integer("tasks", 0, "Learn, or test, only so many classes; 0 is all of them.", lower_bound=0)
flags.DEFINE_boolean("EWC", False, "Elastic weight consolidation, a baseline: keep the weights that mattered.")
flags.DEFINE_float("EWC_factor", 1e9, "Weight of the consolidation.", lower_bound=0.0)
flags.DEFINE_boolean("DGR", False, "Deep generative replay, a baseline: an unconditional GAN and a classifier.")


def main():
    if FLAGS.DGR and (FLAGS.RA or FLAGS.JTR or FLAGS.EWC):
        raise errors.UserError("--DGR is a method of its own: leave out --RA, --JTR and --EWC")
    config = command_line.config(
        first_tasks=FLAGS.tasks, replay_alignment=FLAGS.RA, alignment_factor=FLAGS.RA_factor, joint_replay=FLAGS.JTR,
        consolidation=FLAGS.EWC, consolidation_factor=FLAGS.EWC_factor, generative_replay=FLAGS.DGR)
    from lib.mergan import evaluate, train  # TensorFlow, after the flags

    if FLAGS.test:
        evaluate.run(config, command_line.tested_directory(), FLAGS.data_dir, command_line.test_options())
    else:
        train.run(config, command_line.training_directory(), FLAGS.data_dir, FLAGS.load_model,
                  settings.options(strategy=FLAGS.strategy))


if __name__ == "__main__":
    errors.run(main)
