"""A page and tables of runs, beside the published figures where there are some.

    python -m lib.report result/mnist_SFT result/mnist_RA_1e_3 --output result/report
    python -m lib.report memorygan/logs/0/* lvae/experiment_0

A run is the directory that training wrote its settings.json to. Runs that can be compared share a chapter.
"""

from pathlib import Path

from lib import errors
from lib.report.options import Options
from lib.run.flags import Parser

_TITLE = "Runs beside each other and beside the published figures"


def main(arguments: list[str]) -> None:
    asked = Parser(__doc__, paths="RUN").add(Options).parse(arguments)
    if not asked.paths:
        raise errors.UserError("no run given: python -m lib.report RUN..., the directories that training wrote")
    options = asked.of(Options)
    # TensorFlow takes seconds to import: flags that do not parse should not wait for it.
    from lib import device, files, systems
    from lib.report import page, runs

    print(device.set_up())
    chapters = [systems.part(system, "report").chapter(group, options)
                for (system, _), group in runs.groups(runs.read_all(asked.paths)).items()]
    output = Path(options.output)  # without a slash at its end
    files.make_directory(output.parent)
    for suffix, text in (("html", page.html_page(_TITLE, chapters)), ("md", page.markdown_page(_TITLE, chapters))):
        files.write_text(f"{output}.{suffix}", text)
        print(f"{output}.{suffix}")


if __name__ == "__main__":
    errors.run(main)
