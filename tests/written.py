"""Small data files as the real ones are written, for tests."""

import gzip
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import scipy.io
from PIL import Image


def idx(array: np.ndarray, code: int = 8) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def put(path, data: bytes) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return str(path)


def random_images(count: int, side: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (count, side, side, channels)).astype(np.uint8)


def mnist_files(folder, train: tuple, test: tuple, packed: bool = True) -> None:
    """Both splits as (images [n, 28, 28], labels [n]) under the four original names."""
    for prefix, (images, labels) in {"train": train, "t10k": test}.items():
        for kind, array in {"images-idx3": images, "labels-idx1": labels}.items():
            data = idx(np.asarray(array, np.uint8))
            name = f"{prefix}-{kind}-ubyte"
            put(os.path.join(folder, name + ".gz" * packed), gzip.compress(data, 1) if packed else data)


def striped(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [count, 28, 28] and labels: stripes whose direction and width tell the class, under noise."""
    labels = np.arange(count) % 10
    rows, columns = np.mgrid[:28, :28]
    noise = np.random.default_rng(seed).uniform(0.0, 0.3, (count, 28, 28))
    stripes = np.stack([(rows * (label % 3) + columns * (1 + label // 3)) % (4 + label) < 3 for label in labels])
    return np.floor(255 * np.clip(0.7 * stripes + noise, 0, 1)).astype(np.uint8), labels


def mnist_like(folder, train: int, test: int) -> None:
    """MNIST's or Fashion-MNIST's four files."""
    mnist_files(folder, striped(train, 0), striped(test, 1))


def mat(variables: dict, packed: bool = True) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=packed)
    return file.getvalue()


def svhn(count: int, seed: int = 0) -> dict:
    random = np.random.RandomState(seed)
    return {"X": random.randint(0, 256, (32, 32, 3, count)).astype(np.uint8),
            "y": random.randint(1, 11, (count, 1)).astype(np.uint8)}


def svhn_files(folder, train: int, test: int) -> None:
    for seed, (name, count) in enumerate({"train": train, "test": test}.items()):
        put(os.path.join(folder, f"{name}_32x32.mat"), mat(svhn(count, seed)))


def cifar_binary(count: int, seed: int = 0) -> bytes:
    random = np.random.RandomState(seed)
    records = random.randint(0, 256, (count, 3073)).astype(np.uint8)
    records[:, 0] = random.randint(0, 10, count)
    return records.tobytes()


def cifar_python(count: int, seed: int = 0, protocol: int = 2) -> bytes:
    records = np.frombuffer(cifar_binary(count, seed), np.uint8).reshape(count, 3073)
    return pickle.dumps({"batch_label": "training batch", "labels": [int(label) for label in records[:, 0]],
                         "data": np.ascontiguousarray(records[:, 1:]),
                         "filenames": [f"{number}.png" for number in range(count)]}, protocol)


def tar(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def cifar_members(count: int, ending: str = ".bin") -> dict[str, bytes]:
    """The six batches by their names in the archive; batch i is written with seed i."""
    write, folder = (cifar_binary, "cifar-10-batches-bin") if ending else (cifar_python, "cifar-10-batches-py")
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    return {f"{folder}/{name}{ending}": write(count, seed) for seed, name in enumerate(names)}


def cifar_files(folder, count: int) -> None:
    for name, data in cifar_members(count).items():
        put(os.path.join(folder, name), data)


def image(array: np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def classes(folder, counts: dict[str, int], side: int = 8) -> dict[str, np.ndarray]:
    """A folder of grey PNG files for each class; returns the images uint8 [n, side, side] of each."""
    images = {name: random_images(count, side, 1, seed)[..., 0] for seed, (name, count) in enumerate(counts.items())}
    for name, of_class in images.items():
        for number, one in enumerate(of_class):
            put(os.path.join(folder, name, f"{number:03}.png"), image(one))
    return images
