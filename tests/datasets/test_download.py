"""Downloads from a server that cuts connections, sends wrong bytes, and is busy."""

import datetime
import email.utils

import numpy as np
import pytest
from zenodo import Zenodo

from asd_jax.datasets.download import Client
from asd_jax.errors import InputError

CONTENT = np.random.default_rng(0).bytes(1_000_000)


@pytest.fixture
def zenodo():
    return Zenodo({"dev_data_fan.zip": CONTENT, "read me.txt": b"hello"})


class Patient(Client):
    """A client that notes its pauses instead of making them."""

    def __init__(self, base_url, sleep=None):
        waits, said = [], []
        super().__init__(base_url, say=said.append, sleep=sleep or waits.append)
        object.__setattr__(self, "waits", waits)
        object.__setattr__(self, "said", said)


@pytest.fixture
def client(zenodo):
    with zenodo.serve() as base_url:
        yield Patient(base_url)


def fetch(client, folder, name="dev_data_fan.zip"):
    return client.fetch(client.record(3678171).files[name], folder)


def only(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("api", ["new", "old"])
def test_a_record_and_its_files(zenodo, client, tmp_path, api):
    zenodo.api = api
    record = client.record(3678171)
    assert (record.title, record.licence) == ("A record", "cc-by-nc-sa-4.0")
    assert {file.name: file.size for file in record.files.values()} == {"dev_data_fan.zip": 10**6, "read me.txt": 5}
    assert record.files["dev_data_fan.zip"].md5 == zenodo.md5["dev_data_fan.zip"]


def test_nothing_is_fetched_twice(zenodo, client, tmp_path):
    for _ in range(2):
        assert fetch(client, tmp_path).read_bytes() == CONTENT
    assert zenodo.requests == [None] and only(tmp_path) == {"dev_data_fan.zip"}
    (tmp_path / "dev_data_fan.zip").write_bytes(b"damaged since")
    assert fetch(client, tmp_path).read_bytes() == CONTENT


def test_a_cut_is_gone_on_with(zenodo, client, tmp_path):
    zenodo.faults = [("cut", 300_000), ("cut", 500_000)]
    assert fetch(client, tmp_path).read_bytes() == CONTENT
    assert zenodo.requests[0] is None and len(zenodo.requests) == 3
    first, second = (int(wanted.removeprefix("bytes=").removesuffix("-")) for wanted in zenodo.requests[1:])
    assert 250_000 < first <= 300_000 and 450_000 < second - first <= 500_000
    assert only(tmp_path) == {"dev_data_fan.zip"}


def test_a_later_call_goes_on_where_an_interrupted_one_was(zenodo, client, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    zenodo.faults = [("cut", 400_000)]
    with pytest.raises(KeyboardInterrupt):
        fetch(Patient(client.base_url, sleep=interrupt), tmp_path)
    assert not (tmp_path / "dev_data_fan.zip").exists()
    assert fetch(client, tmp_path).read_bytes() == CONTENT
    assert len(zenodo.requests) == 2 and zenodo.requests[1] is not None


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more", b"other bytes"])
def test_what_was_left_there_is_not_trusted(zenodo, client, tmp_path, left):
    (tmp_path / f".dev_data_fan.zip.{zenodo.md5['dev_data_fan.zip'][:8]}.part").write_bytes(left)
    assert fetch(client, tmp_path).read_bytes() == CONTENT
    assert len(zenodo.requests) == (0 if left == CONTENT else 1 if len(left) > len(CONTENT) else 2)


def test_a_server_that_does_not_resume(zenodo, client, tmp_path):
    zenodo.faults = [("cut", 300_000), "no ranges"]
    assert fetch(client, tmp_path).read_bytes() == CONTENT


def test_a_server_that_always_cuts_and_never_resumes_is_given_up(zenodo, client, tmp_path):
    zenodo.faults = [("cut from the start", 300_000)] * 50
    with pytest.raises(InputError, match=r"\(.*700000 more expected.*; try again, what is here is kept"):
        fetch(client, tmp_path)
    assert len(zenodo.requests) < 10


def test_wrong_bytes_once_and_twice(zenodo, client, tmp_path):
    zenodo.faults = ["wrong"]
    assert fetch(client, tmp_path).read_bytes() == CONTENT
    assert len(zenodo.requests) == 2
    (tmp_path / "dev_data_fan.zip").unlink()
    zenodo.faults = ["wrong", "wrong"]
    with pytest.raises(InputError, match=r"dev_data_fan\.zip.*another MD5"):
        fetch(client, tmp_path)
    assert not only(tmp_path)


def test_a_busy_server_is_waited_for_as_it_asks(zenodo, client, tmp_path):
    date = email.utils.format_datetime(datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC))
    zenodo.faults = [(429, "7"), (503, "3"), (503, date), 502]
    assert fetch(client, tmp_path).read_bytes() == CONTENT
    assert client.waits[:3] == [7.0, 3.0, 0.0] and client.waits[3] > 0
    assert "429 Too Many Requests; going on in 7 s" in client.said[0]


def test_a_server_that_asks_for_too_much(zenodo, client, tmp_path):
    zenodo.faults = [(429, "86400")]
    with pytest.raises(InputError, match="asks to wait 86400 s"):
        fetch(client, tmp_path)
    assert not client.waits


def test_a_server_that_stays_away(zenodo, client, tmp_path):
    zenodo.faults = [503] * 50
    with pytest.raises(InputError, match=r"503 Service Unavailable\); try again"):
        fetch(client, tmp_path)
    assert client.waits == sorted(client.waits) and len(client.waits) == len(zenodo.requests) - 1 <= 10
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/api/records/1 cannot be fetched \(.*refused"):
        Patient("http://127.0.0.1:9").record(1)


def test_a_missing_file_or_record(zenodo, client, tmp_path):
    with pytest.raises(InputError, match="404 Not Found"):
        client.record(5)
    del zenodo.files["dev_data_fan.zip"], zenodo.md5["dev_data_fan.zip"]
    assert set(client.record(3678171).files) == {"read me.txt"}


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        b'{"files": [{"key": "../evil.zip", "size": 1, "checksum": "md5:%s"}]}' % (b"0" * 32),
        b'{"files": [{"key": "a.zip", "size": 1, "checksum": "md5:none"}]}',
        b'{"files": [{"key": "a.zip", "checksum": "md5:%s"}]}' % (b"0" * 32),
    ],
)
def test_an_answer_that_is_no_record(zenodo, client, answer):
    zenodo.record_faults = [503, answer]
    with pytest.raises(InputError, match="the answer is not a record's"):
        client.record(3678171)


def test_any_name(client, tmp_path):
    assert fetch(client, tmp_path, "read me.txt").read_bytes() == b"hello"


def test_a_folder_that_cannot_be_written(client, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot be written"):
        fetch(client, tmp_path / "file")
