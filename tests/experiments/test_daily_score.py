"""`score` as a daily tool: folders, a log, bad files beside good ones, exit statuses, what is unlike training."""

import csv
import shutil

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="module")
def press(tmp_path_factory):
    """Forty normal recordings of a humming press, one of them for the new ones, and one that is anomalous."""
    root, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    for index in range(42):
        time = np.arange(16_000) / 16_000
        waveform = 0.1 * np.sin(2 * np.pi * 180 * time) + 0.02 * rng.standard_normal(len(time))
        name = f"press/monday {index}.wav" if index < 40 else f"new/{index}.wav"
        waveform += (index == 41) * 0.1 * np.sin(2 * np.pi * 3_000 * time)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, waveform, 16_000)
    return root


@pytest.fixture(scope="module")
def finished_run(press, tmp_path_factory):
    import dataclasses

    import asd_jax
    from asd_jax.runs import DataConfig, run

    workdir = tmp_path_factory.mktemp("runs") / "run"
    config = dataclasses.replace(asd_jax.runs.statistics("gmm", "gmm"), data=DataConfig("press", str(press / "press")))
    run(config, workdir, say=lambda line: None)
    return workdir


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_a_log_and_exit_statuses(press, finished_run, tmp_path, run_script):
    new = shutil.copytree(press / "new", tmp_path / "new")
    arguments = [f"--checkpoint={finished_run}", f"--workdir={tmp_path / 'out'}", "--append"]
    status, stdout, stderr = run_script("score", *arguments, new, "--status")
    assert status == 3, stderr
    assert "machine id" not in stdout
    assert "1 of 2 anomalous" in stdout, stdout
    (new / "broken.wav").write_text("no sound")
    status, _, stderr = run_script("score", *arguments, new, "--status")
    assert status == 1 and stderr.startswith("error: ") and stderr.count("\n") == 1 and "broken.wav" in stderr
    status, _, _ = run_script("score", *arguments, new / "40.wav", "--status")
    assert status == 0
    log = rows(tmp_path / "out" / "scores_log.csv")
    names = [row["file_name"].rsplit("/")[-1] for row in log]
    assert names == ["41.wav", "40.wav", "41.wav", "40.wav", "broken.wav", "40.wav"]
    assert log[4]["decision"] == "no verdict" and "cannot be read" in log[4]["remarks"] and log[4]["gmm"] == ""
    assert all(row["scored_at"].endswith("+00:00") for row in log)


def test_a_recording_of_another_level(press, finished_run, tmp_path, run_script):
    samples, rate = soundfile.read(press / "new" / "40.wav")
    soundfile.write(tmp_path / "quiet.wav", samples * 0.1, rate)
    arguments = [f"--checkpoint={finished_run}", f"--workdir={tmp_path / 'out'}", tmp_path / "quiet.wav"]
    _, stdout, _ = run_script("score", *arguments)
    assert "20 dB quieter than in training" in stdout
    status, stdout, _ = run_script("score", *arguments, "--unlike=refuse")
    (row,) = rows(tmp_path / "out" / "scores.csv")
    assert status == 0 and row["decision"] == "no verdict" and "quieter" in row["remarks"]
