"""Packaging of memory-replay-gans: `pip install -e .[test]` sets everything up."""

from setuptools import find_packages, setup

setup(
    name="memory-replay-gans",
    version="0.1.0",
    description="Generative models that learn without forgetting: Memory Replay GANs, memoryGAN and the Lifelong VAE, "
                "with the command lines and numbers of their TF1 originals, in TensorFlow 2",
    license="MIT",
    # Windows through WSL, which is Linux.
    classifiers=["Operating System :: POSIX :: Linux", "Operating System :: MacOS"],
    python_requires=">=3.10",
    packages=find_packages(include=["lib*", "memorygan*", "lvae*", "benchmarks*"]),
    py_modules=["mergan", "joint"],
    package_data={"lib.reproduce": ["*.json"]},
    install_requires=[
        "tensorflow>=2.18",
        "tensorflow-datasets>=4.9",
        # TFDS 4.9.10 imports it without asking for it.
        "importlib_resources",
        "numpy",
        "scipy",
        "absl-py",
        "pillow",
        # Curves; the embedded digits and t-SNE; event files; the progress bar.
        "matplotlib",
        "scikit-learn",
        "tensorboard",
        "tqdm",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]"],
        # LSUN as it is distributed.
        "lsun": ["lmdb"],
        "test": ["pytest", "pytest-xdist"],
    },
)
