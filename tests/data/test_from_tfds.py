"""Data sets by way of TFDS, with a small data set that TFDS really prepares and addresses on this machine."""

import functools
import http.server
import socket
import sys
import threading
import time

import numpy as np
import pytest

from lib.data import from_tfds
from lib.errors import UserError

tfds = pytest.importorskip("tensorflow_datasets")


@pytest.fixture
def builder(tmp_path, monkeypatch):
    from tensorflow_datasets import testing
    builder = testing.DummyMnist(data_dir=str(tmp_path))
    monkeypatch.setattr(tfds, "builder", lambda name: builder)
    return builder


@pytest.fixture
def server():
    """Address of a server that answers every request, if only with an error."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as answering:
        answering.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{answering.server_port}/"
        answering.shutdown()


def closed_address():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}/"


read = functools.partial(from_tfds.read, "dummy_mnist", "train", missing="mnist: no files in dataset",
                         way_out="put them there")


def check(images, labels):
    assert images.shape == (20, 28, 28, 1) and images.dtype == np.uint8 and labels.dtype == np.int32
    assert (images == 1).all() and np.bincount(labels).tolist() == [2] * 10


def test_prepared_data_need_no_network(builder):
    builder.download_and_prepare()
    check(*read(url=closed_address()))


def test_data_are_downloaded_where_something_answers(builder, server):
    check(*read(url=server))
    assert builder.is_prepared()


def test_nobody_answers(builder):
    address = closed_address()
    with pytest.raises(UserError, match=f"^mnist: no files in dataset, TFDS has not prepared 'dummy_mnist' in .*, and "
                                        f"{address} does not answer; put them there$"):
        read(url=address)
    assert not builder.is_prepared()


def test_an_address_that_is_silent_does_not_hold_us(builder, monkeypatch):
    monkeypatch.setattr(from_tfds, "_PROBE_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        with pytest.raises(UserError, match="does not answer"):
            read(url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert time.monotonic() - start < 5


def test_a_failed_download_is_one_line(builder, server, monkeypatch):
    def fail():
        raise ConnectionError("broken\nin the middle")

    monkeypatch.setattr(builder, "download_and_prepare", fail)
    with pytest.raises(UserError, match="^mnist: .*TFDS failed on 'dummy_mnist': broken in the middle; put"):
        read(url=server)


def test_tfds_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match="^mnist: no files in dataset, and TFDS is not installed .*; put them there$"):
        read(url="http://127.0.0.1:9/")


def test_images_that_do_not_fit_in_memory_are_read_one_by_one(tmp_path, monkeypatch):
    from tensorflow_datasets import testing

    def build(name, **options):
        return testing.DummyMnist(data_dir=str(tmp_path), **options)

    monkeypatch.setattr(tfds, "builder", build)
    build("dummy_mnist", file_format="array_record").download_and_prepare()
    images = from_tfds.open_images("dummy_mnist", "train", closed_address(), "none in dataset", "put them there")
    assert len(images) == 20
    assert images[19]["image"].shape == (28, 28, 1) and (images[19]["image"] == 1).all()
