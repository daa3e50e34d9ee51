"""A later evaluation of a run on recordings that come without a split must not test what the run was trained on."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from asd_jax.datasets import open_dataset
from asd_jax.runs.recordings import without_trained_on, write_recordings

N_NORMAL, N_ABNORMAL = 12, 4


def write(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(16_000), 16_000)


@pytest.fixture
def car(tmp_path):
    """A folder of one's own, whose split into train and test is by seed."""
    folder = tmp_path / "plant" / "car"
    for index in range(N_NORMAL):
        write(folder / "normal" / f"{index}.wav", index)
    for index in range(N_ABNORMAL):
        write(folder / "abnormal" / f"{index}.wav", 100 + index)
    return folder


def contents(dataset, folder, split):
    return {(folder / clip.recording).read_bytes() for clip in dataset.split(split)}


def test_the_folder_above_gives_another_split(car, tmp_path):
    run = tmp_path / "run"
    own = open_dataset(data_dir=car)
    write_recordings(run, own, car)
    again = open_dataset(data_dir=car.parent)
    heard = contents(own, car, "train")
    assert contents(again, car.parent, "test") & heard  # the mistake that is to be found
    kept, left_out = without_trained_on(again, car.parent, run)
    assert not contents(kept, car.parent, "test") & heard
    assert len(left_out) == len(again.split("test")) - len(kept.split("test")) > 0
    assert kept.split("train") == again.split("train")


def test_recordings_added_and_renamed_later(car, tmp_path):
    own = open_dataset(data_dir=car)
    write_recordings(tmp_path / "run", own, car)
    heard = contents(own, car, "train")
    for index in range(N_ABNORMAL):
        write(car / "abnormal" / f"later_{index}.wav", 200 + index)
    shutil.move(car / "normal" / "0.wav", car / "normal" / "renamed.wav")
    later = open_dataset(data_dir=car)
    assert contents(later, car, "test") & heard
    assert not contents(without_trained_on(later, car, tmp_path / "run")[0], car, "test") & heard


def test_what_the_run_tested_stays(car, tmp_path):
    """Its own test set stays whole, a recording that is also in train included: the run has warned of that one."""
    names = [clip.recording for clip in open_dataset(data_dir=car).split("test")]
    trained = open_dataset(data_dir=car).split("train")[0].recording
    shutil.copy(car / trained, car / names[0])
    own = open_dataset(data_dir=car)
    write_recordings(tmp_path / "run", own, car)
    assert without_trained_on(own, car, tmp_path / "run") == (own, [])


def test_runs_that_know_nothing(car, tmp_path):
    own = open_dataset(data_dir=car)
    assert without_trained_on(own, car, tmp_path / "an older run") == (own, [])
    write_recordings(tmp_path / "run", own, None)
    assert not (tmp_path / "run").exists()


def test_evaluate_leaves_them_out_and_says_so(car, tmp_path, run_script):
    run = tmp_path / "run"
    status, *said = run_script("knn", f"--data_dir={car}", f"--workdir={run}", "--noreport")
    assert status == 0, said
    status, stdout, stderr = run_script("evaluate", f"--checkpoint={run}", f"--data_dir={car.parent}", "--noreport")
    assert status == 0, stderr
    left_out = json.loads((run / "evaluate" / "metrics.json").read_text())["left_out_trained_on"]
    assert left_out and f"{len(left_out)} test recording(s) left out" in stdout
    tested = {line.split(",")[0] for line in (run / "evaluate" / "scores.csv").read_text().splitlines()[1:]}
    assert tested and not tested & set(left_out)
