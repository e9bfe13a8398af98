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
    python_requires=">=3.10,<3.14",  # TensorFlow 2.21 has no packages for 3.14
    packages=find_packages(include=["lib*", "memorygan*", "lvae*", "benchmarks*"]),
    py_modules=["mergan", "joint"],
    package_data={"lib.reproduce": ["*.json"]},
    entry_points={"console_scripts": ["mergan = mergan:main", "mergan-joint = joint:main",
                                      "memorygan = memorygan.run:main", "lvae = lvae.command_line:installed"]},
    install_requires=[
        # Seen to work: TensorFlow 2.18.0 with Keras 3.5.0 and NumPy 2.0, 2.21.0 with Keras 3.15.1 and NumPy 2.4.
        # Keras' optimizers are read and set by attributes that are its own affair (lib/tf1/adam.py): a newer Keras or
        # TensorFlow is let in once the tests have passed with it.
        "tensorflow>=2.18,<2.22",
        "keras>=3.5,<3.16",
        "tensorflow-datasets>=4.9",
        # TFDS 4.9.10 imports it without asking for it.
        "importlib_resources",
        "numpy>=2.0,<3",
        "protobuf",
        "scipy",
        "threadpoolctl",
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
        # An opponent in benchmarks/; seen to work: 2.13.0. Older ones do not know all that is asked of torch.compile.
        "bench": ["torch>=2.13"],
        "test": ["pytest", "pytest-xdist"],
    },
)
