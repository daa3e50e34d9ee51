"""A release from its record to a folder that can be trained on; the table of releases."""

import io
import re
import threading
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from zenodo import Zenodo

from asd_jax.datasets import open_dataset, releases
from asd_jax.datasets.download import Client
from asd_jax.datasets.fetch_release import Fetcher
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.releases import Part, Release
from asd_jax.errors import InputError


def zipped(*names):
    """A zip file of short clips of those names."""
    content, clip = io.BytesIO(), io.BytesIO()
    soundfile.write(clip, np.random.default_rng(0).uniform(-0.5, 0.5, 400), 16_000, format="WAV")
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, clip.getvalue() + name.encode() if name.endswith("wav") else "")
    return content.getvalue()


TRAIN = [f"slider/train/normal_id_00_{i:08d}.wav" for i in range(4)]
TEST = [f"slider/test/{label}_id_00_{i:08d}.wav" for label in ("normal", "anomaly") for i in range(2)]


@pytest.fixture
def zenodo():
    return Zenodo(
        {
            "dev_data_slider.zip": zipped(*TRAIN, *TEST),
            "eval_data_train_slider.zip": zipped("slider/train/normal_id_01_00000000.wav"),
            "eval_data_test_slider.zip": zipped("slider/test/id_01_00000000.wav"),
        }
    )


@pytest.fixture
def fetcher(zenodo, tmp_path):
    part = {"record": zenodo.number, "machines": ("slider",)}
    release = Release(
        name="small2020",
        title="Small",
        licence="CC0",
        size="1 kB",
        development=Part(
            **part, archives=("dev_data_{machine}",), folder="dev_data", clips={"slider": (len(TRAIN), len(TEST))}
        ),
        evaluation=(
            Part(**part, archives=("eval_data_train_{machine}",), folder="eval_data", clips={"": (3, 0)}),
            Part(**part, archives=("eval_data_test_{machine}",), folder="eval_data"),
        ),
    )
    said = []
    with zenodo.serve() as base_url:
        client = Client(base_url, say=said.append, sleep=lambda _: None)
        fetcher = Fetcher(release, tmp_path / "data", client, say=said.append)
        yield fetcher, said


def test_a_machine_is_fetched_unpacked_and_counted(fetcher, zenodo):
    fetcher, said = fetcher
    assert fetcher.fetch("slide_rail") == [fetcher.data_dir / "dev_data"]
    assert "small2020 slider: 4 training and 4 test clips, as expected" in said
    assert said[0] == f"record {zenodo.number}: A record, licence cc-by-nc-sa-4.0"
    dataset = open_dataset(machine="slide_rail", data_dir=fetcher.data_dir)
    assert (len(dataset.split("train")), len(dataset.split("test"))) == (4, 4)
    assert not list(fetcher.data_dir.rglob("*.zip")), "an unpacked archive goes"


def test_the_evaluation_set(fetcher):
    fetcher, said = fetcher
    folders = fetcher.fetch("slider", evaluation=True)
    assert folders == [fetcher.data_dir / "dev_data", fetcher.data_dir / "eval_data"]
    assert "warning: small2020 slider: 1 training clips, but 3 training and 0 test clips are published" in said
    assert "small2020 slider: 1 test clips" in said
    dataset = open_dataset(machine="slide_rail", data_dir=fetcher.data_dir / "eval_data")
    assert [clip.is_anomaly for clip in dataset.clips] == [False, None]


def test_what_is_there_is_not_fetched_again_but_what_is_missing_is(fetcher, zenodo):
    fetcher, said = fetcher
    fetcher.fetch("slide_rail")
    fetcher.fetch("slide_rail")
    assert len(zenodo.requests) == 1 and "dev_data_slider.zip: already there" in said
    assert sum("as expected" in line for line in said) == 2
    (fetcher.data_dir / "dev_data" / TRAIN[2]).unlink()
    fetcher.fetch("slide_rail")
    assert len(zenodo.requests) == 2 and (fetcher.data_dir / "dev_data" / TRAIN[2]).exists()
    zenodo.files["dev_data_slider.zip"] = zipped(*TRAIN)  # a revised archive under the same name
    zenodo.__init__(zenodo.files)
    fetcher._records.clear()
    fetcher.fetch("slide_rail")
    assert "warning: small2020 slider: 4 training clips, but 4 training and 4 test clips are published" in said


def test_two_commands_at_once_fetch_once(fetcher, zenodo):
    fetcher, said = fetcher
    other = Fetcher(fetcher.release, fetcher.data_dir, fetcher.client, say=said.append)
    threads = [threading.Thread(target=one.fetch, args=("slide_rail",)) for one in (fetcher, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(zenodo.requests) == 1 and sum("as expected" in line for line in said) == 2


def test_kept_archives_are_unpacked_again_without_fetching(fetcher, zenodo, tmp_path):
    inner, _ = fetcher
    keeping = Fetcher(inner.release, inner.data_dir, inner.client, keep_archives=True, say=lambda _: None)
    keeping.fetch("slide_rail")
    (inner.data_dir / "dev_data" / TRAIN[0]).unlink()
    keeping.fetch("slide_rail")
    assert len(zenodo.requests) == 1 and (inner.data_dir / "dev_data" / TRAIN[0]).exists()


def test_the_last_revision_is_taken(fetcher, zenodo):
    fetcher, _ = fetcher
    revised = {"dev_data_slider_r2.zip": zipped(*TRAIN[:1], *TEST), "dev_data_slider_r10.zip": zipped(*TRAIN, *TEST)}
    zenodo.__init__(zenodo.files | revised)
    fetcher.fetch("slide_rail")
    assert (fetcher.data_dir / "dev_data" / TRAIN[3]).exists() and len(zenodo.requests) == 1


def test_an_archive_that_the_record_does_not_hold(fetcher, zenodo):
    fetcher, _ = fetcher
    zenodo.__init__({"dev_data_sled.zip": b""})
    with pytest.raises(InputError, match=r"record 3678171 holds no archive dev_data_slider, but dev_data_sled\.zip"):
        fetcher.fetch("slide_rail")


def test_no_space_for_the_archive(fetcher, monkeypatch):
    fetcher, _ = fetcher
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(InputError, match=r"dev_data_slider\.zip takes .* choose another `data_dir`"):
        fetcher.fetch("slide_rail")


def test_parts_of_7_zip_are_fetched_and_left(zenodo, tmp_path):
    zenodo.__init__({f"ToyCar.7z.{i:03d}": bytes([i]) * 100 for i in (1, 2)} | {"LICENSE.pdf": b"x"}, number=3351307)
    said = []
    with zenodo.serve() as base_url:
        Fetcher(releases.get("toyadmos"), tmp_path, Client(base_url), say=said.append).fetch("toy_car")
    assert (tmp_path / ".fetched" / "ToyCar.7z.002").read_bytes() == bytes([2]) * 100
    assert "unpack its first part there with 7z x" in said[-1]


def test_noise_levels_of_mimii(zenodo, tmp_path):
    names = ["fan/id_00/normal/00000000.wav", "fan/id_00/abnormal/00000000.wav"]
    zenodo.__init__({f"{snr}_dB_fan.zip": zipped(*names) for snr in (-6, 0, 6)}, number=3384388)
    said = []
    with zenodo.serve() as base_url:
        fetcher = Fetcher(releases.get("mimii"), tmp_path, Client(base_url), say=said.append)
        assert fetcher.fetch("fan", snr_db=("-6", "6")) == [tmp_path / "-6_dB_fan", tmp_path / "6_dB_fan"]
    assert (tmp_path / "6_dB_fan" / "fan" / "id_00" / "normal" / "00000000.wav").exists()
    assert said[-1] == "mimii fan: 2 normal and 2 abnormal clips"


def test_the_table_of_releases():
    assert list(releases.RELEASES)[:7] == [f"dcase{year}" for year in range(2020, 2027)]
    records = [part.record for r in releases.RELEASES.values() for part in (r.development, *r.evaluation)]
    assert len(set(records)) == len(records) - 1, "only MIMII DUE has two parts in one record"
    for release in releases.RELEASES.values():
        for machine in release.machines():
            parts = release.parts(machine, evaluation=True)
            assert parts and all(canonical_machine(own) == machine for _, own in parts)
            for part, own in parts:
                assert all(re.fullmatch(r"[-\w]+", template.format(machine=own)) for template in part.archives)
    slider, own = releases.get("dcase2020").parts("slide_rail", evaluation=False)[0]
    assert (slider.record, slider.archives[0].format(machine=own), slider.expected(own)) == (
        3678171,
        "dev_data_slider",
        (2804, 1290),
    )
    assert releases.get("dcase2023").parts("vacuum", evaluation=True)[0][0].expected("Vacuum") == (1000, 0)


def test_names_that_are_not_there():
    with pytest.raises(InputError, match=r"`dataset`=dcase2019: .* dcase2020, dcase2021"):
        releases.get("dcase2019")
    with pytest.raises(InputError, match=r"`machine`=vacuum: .* add `evaluation=True`"):
        releases.get("dcase2023").parts("vacuum", evaluation=False)
    with pytest.raises(InputError, match="`machine`=saw: not in dcase2023, which has bearing, fan"):
        releases.get("dcase2023").parts("saw", evaluation=True)
