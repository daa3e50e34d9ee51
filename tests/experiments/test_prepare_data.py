"""The command that fetches releases, and the flags of prepared recordings."""

import dataclasses
import io
import shutil
import zipfile

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
    assert len(said) == 1 and "prepared 36 clips once" in said[0], "the whole machine, whichever ids are asked for"


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
