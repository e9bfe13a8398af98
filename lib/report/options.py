"""What a report is asked to show."""

import dataclasses

from lib.run.settings import Checked, FilePath, setting


@dataclasses.dataclass(frozen=True)
class Options(Checked):
    output: FilePath = setting("result/report", "Where to write: <output>.html, a page that needs no other file, and "
                                                "<output>.md, its tables.")
    data_dir: FilePath = setting("dataset", "Where MeRGAN's data sets lie; t-SNE compares with real images, in the "
                                            "features of the evaluation classifier, which is trained first if there is "
                                            "none.")
    label: int = setting(0, "MeRGAN's class that t-SNE and the first iterations show, by its place in the order of "
                            "learning.", least=0)
    tsne_samples: int = setting(100, "Images per run of MeRGAN and task in a t-SNE; 0 leaves it out.", least=0)
