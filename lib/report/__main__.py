"""A page and a table of runs, beside the published figures.

    python -m lib.report result/mnist_SFT result/mnist_RA_1e_3 --output result/report
"""

from pathlib import Path

from absl import flags

from lib import errors

FLAGS = flags.FLAGS

flags.DEFINE_string("output", "result/report", "Where to write: <output>.html, a page that needs no other file, and "
                                               "<output>.md, its tables.")
flags.DEFINE_string("data_dir", "dataset", "Where the data sets lie; t-SNE compares with real images, in the features "
                                           "of the evaluation classifier, which is trained first if there is none.")
flags.DEFINE_integer("label", 0, "The class that t-SNE and the first iterations show, by its place in the order of "
                                 "learning.", lower_bound=0)
flags.DEFINE_integer("tsne_samples", 100, "Images per run and task in a t-SNE; 0 leaves it out.", lower_bound=0)


def main(directories: list[str]) -> None:
    if not directories:
        raise errors.UserError("no run given: python -m lib.report RESULT_DIR..., the directories that training wrote")
    # TensorFlow takes seconds to import: flags that do not parse should not wait for it.
    from lib import device, files
    from lib.report import page, runs, sections

    print(device.set_up())
    options = sections.Options(FLAGS.data_dir, FLAGS.label, FLAGS.tsne_samples)
    chapters = [sections.chapter(group, options) for group in runs.groups(runs.read_all(directories)).values()]
    title = "Learning without forgetting: runs beside the published figures"
    files.make_directory(Path(FLAGS.output).parent)
    for suffix, text in (("html", page.html_page(title, chapters)), ("md", page.markdown_page(title, chapters))):
        files.write_text(f"{FLAGS.output}.{suffix}", text)
        print(f"{FLAGS.output}.{suffix}")


if __name__ == "__main__":
    errors.run(main, takes_paths=True)
