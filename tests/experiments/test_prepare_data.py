"""The command that fetches releases, and the flags of prepared recordings."""

import dataclasses
import io
import os
import shutil
import time
import zipfile

import filelock
import numpy as np
import pytest
from zenodo import Zenodo

from asd_jax.datasets import DataConfig, open_dataset
from asd_jax.datasets.audio import read_audio
from asd_jax.files import from_json, to_json


@pytest.fixture
def zenodo(machine_tree):
    """A record of DCASE 2020 that holds the small tree of recordings as its fan."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for path in sorted(machine_tree.rglob("*.wav")):
            file.write(path, path.relative_to(machine_tree))
    return Zenodo({"dev_data_fan.zip": content.getvalue()})


def test_a_machine_is_fetched(zenodo, run_script, tmp_path):
    data = tmp_path / "data"
    with zenodo.serve() as base_url:
        arguments = ["--dataset=dcase2020", "--machine=fan", f"--data_dir={data}", f"--base_url={base_url}"]
        status, stdout, stderr = run_script("prepare_data", *arguments)
    assert (status, stderr) == (0, "")
    assert "record 3678171: A record, licence cc-by-nc-sa-4.0" in stdout
    assert "warning: dcase2020 fan: 24 training and 12 test clips, but 3675 training and 1875 test" in stdout
    command = f"python -m experiments.gmm --machine=fan --data_dir={data / 'dev_data'}"
    assert stdout.splitlines()[-1] == f"next: {command}"
    dataset = open_dataset(machine="fan", data_dir=data / "dev_data")
    assert (len(dataset.split("train")), len(dataset.split("test"))) == (24, 12)


def test_where_clips_are_kept_is_no_setting_of_a_run(machine_tree, tmp_path):
    said = []
    plain = DataConfig("fan", str(machine_tree), machine_ids=("id_02",))
    keeping = dataclasses.replace(plain, cache_dir=str(tmp_path))
    assert to_json(plain) == to_json(keeping) and from_json(DataConfig, to_json(keeping)) == plain
    for config in (keeping, plain, dataclasses.replace(keeping, machine_ids=("id_00",))):
        dataset = config.open(16_000, said.append)
        assert {clip.machine_id for clip in dataset.clips} == set(config.machine_ids)
        for clip in dataset.clips:
            np.testing.assert_array_equal(
                dataset.read(clip), read_audio(machine_tree / clip.file_name, sample_rate=16_000)
            )
    assert len(said) == 1 and "kept 36 decoded recordings for later runs" in said[0], (
        "the whole machine, whichever ids are asked for"
    )


def test_a_cache_that_cannot_be_written(machine_tree, run_script, tmp_path):
    (tmp_path / "file").write_text("")
    arguments = [f"--workdir={tmp_path / 'run'}", f"--cache_dir={tmp_path / 'file'}", "--machine=fan"]
    status, _, stderr = run_script("gmm", *arguments, f"--data_dir={machine_tree}")
    assert status == 1 and len(stderr.splitlines()) == 1
    assert stderr.startswith(f"error: {tmp_path / 'file'}") and "--noprepare" in stderr
    assert not (tmp_path / "run").exists()
    # Without a cache the run goes on, here up to another mistake.
    shutil.copytree(machine_tree / "fan" / "test", tmp_path / "data" / "fan" / "test")
    status, _, stderr = run_script("gmm", *arguments, "--noprepare", f"--data_dir={tmp_path / 'data'}")
    assert status == 1 and "no training clips" in stderr


def test_lists(zenodo, run_script):
    status, stdout, _ = run_script("prepare_data", "--list")
    assert status == 0 and "dcase2020  DCASE 2020 challenge, task 2" in stdout and "licence CC BY-NC-SA 4.0" in stdout
    with zenodo.serve() as base_url:
        status, stdout, _ = run_script("prepare_data", "--list", "--dataset=toyadmos", f"--base_url={base_url}")
        assert status == 1  # the server has no such record
        zenodo.number = 3351307
        status, stdout, _ = run_script("prepare_data", "--list", "--dataset=toyadmos", f"--base_url={base_url}")
    assert status == 0 and "dev_data_fan.zip" in stdout and "MB" in stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--dataset is needed"),
        (["--dataset=dcase2019"], "--dataset=dcase2019: not a release"),
        (["--dataset=dcase2020"], "--machine is needed: fan, pump, slide_rail"),
        (["--dataset=dcase2020", "--machine=fan,saw"], "--machine=saw: not in dcase2020"),
        (["--dataset=mimii", "--machine=fan", "--snr_db=3"], "--snr_db=3"),
    ],
)
def test_mistakes(arguments, says, run_script):
    status, _, stderr = run_script("prepare_data", *arguments)
    assert status == 1 and stderr.startswith("error: ") and says in stderr and len(stderr.splitlines()) == 1


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache folder with one thing of each kind, and something of nobody's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    home = tmp_path / "asd_jax"
    for days, (name, size) in enumerate(
        (
            ("prepared/recordings/dcase2020-fan-16000-mix-0a1b2c3d-int16/1.0.0/data", 3_000_000),
            ("0123456789abcdef/program", 1_000_000),
            ("vggish-0a1b2c3d.npz", 2_000_000),
            ("notes/mine.txt", 5_000),
        )
    ):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"0" * size)
        when = time.time() - (30 - 10 * days) * 86_400 - 60
        for part in (path, *path.parents):
            if part != home and home in part.parents:
                os.utime(part, (when, when))
    return home


def test_the_cache_is_shown_and_pruned(run_script, kept):
    status, stdout, _ = run_script("prepare_data", "--cache")
    lines = stdout.splitlines()
    assert status == 0 and [line.split("  ")[-1].strip() for line in lines[:3]] == [
        "dcase2020-fan-16000-mix-0a1b2c3d-int16",
        "0123456789abcdef",
        "vggish-0a1b2c3d.npz",
    ]
    assert lines[3].strip().startswith("6.0 MB  in ") and "notes" not in stdout
    status, stdout, _ = run_script("prepare_data", "--prune=25d")
    assert stdout.startswith("removed: dcase2020-fan") and (kept / "0123456789abcdef").exists()
    status, stdout, _ = run_script("prepare_data", "--prune=2.5MB")
    assert "removed: 0123456789abcdef" in stdout and (kept / "vggish-0a1b2c3d.npz").exists()
    status, stdout, _ = run_script("prepare_data", "--prune=0kB")
    assert not (kept / "vggish-0a1b2c3d.npz").exists() and (kept / "notes" / "mine.txt").exists()


def test_what_is_being_built_is_left(run_script, kept):
    with filelock.FileLock(kept / "prepared" / "dcase2020-fan-16000-mix-0a1b2c3d.lock"):
        _, stdout, _ = run_script("prepare_data", "--prune=0MB")
    assert "in use, and so left: dcase2020-fan" in stdout
    assert (kept / "prepared" / "recordings" / "dcase2020-fan-16000-mix-0a1b2c3d-int16" / "1.0.0" / "data").exists()


@pytest.mark.parametrize("limit", ["30", "d", "-3d", "10 GB", "all"])
def test_limits_that_are_none(run_script, kept, limit):
    status, _, stderr = run_script("prepare_data", f"--prune={limit}")
    assert status == 1 and stderr == f"error: --prune={limit}: give days or a size, such as 30d or 10GB\n"
    assert (kept / "vggish-0a1b2c3d.npz").exists()


def test_a_run_says_what_it_has_added(run_script, machine_tree, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    options = ["--machine=fan", f"--data_dir={machine_tree}"]
    status, stdout, stderr = run_script("gmm", *options, f"--workdir={tmp_path / 'a'}")
    assert status == 0, stderr
    assert "kept for later runs: 1." in stdout and "MB of prepared recordings" in stdout
    _, stdout, _ = run_script("gmm", *options, f"--workdir={tmp_path / 'b'}")
    assert "prepared recordings" not in stdout
