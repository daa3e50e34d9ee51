"""A user's whole way: train, be killed, resume, evaluate from the folder, score new files."""

import csv
import json
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from asd_jax import load_detector
from asd_jax.datasets.audio import read_audio
from asd_jax.runs.recipes import REPORTED

pytestmark = pytest.mark.slow
SETTINGS = ["--machine=fan", "--hidden_size=8", "--context_frames=3", "--batch_size=8", "--epochs=8"]


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run_folder(machine_tree, tmp_path_factory):
    """A finished run, made by the script in a process of its own."""
    workdir = tmp_path_factory.mktemp("runs") / "run"
    command = [sys.executable, "-m", "experiments.lstm_pred", *SETTINGS, f"--data_dir={machine_tree}"]
    done = subprocess.run([*command, f"--workdir={workdir}"], capture_output=True, text=True, check=True)
    return workdir, done.stdout


def test_run_folder(run_folder):
    workdir, stdout = run_folder
    config = json.loads((workdir / "config.json").read_text())
    metrics = json.loads((workdir / "metrics.json").read_text())
    assert config["selection"] == metrics["selection"] == "label-free"
    assert config["checkpoint"] == "latest" and config["settings"]["recipe"]["training"]["epochs"] == 8
    assert config["data"]["n_train"] == 24 and config["versions"]["jax"] == jax.__version__
    assert metrics["headline_scorer"] == "mse" and metrics["machine"] == "fan"
    assert metrics["scorers"]["mahalanobis"]["role"] == "exploratory"
    assert set(metrics["controls"]) == {"log_mel_mean", "at_initialisation"}
    assert metrics["controls"]["log_mel_mean"]["mahalanobis"]["mean"]["auc"] == 1.0  # a loud second tone
    assert metrics["scorers"]["mse"]["mean"]["auc"] > 0.9
    assert set(metrics["thresholds"]["mse"]["gamma_0.9"]) == {"id_00", "id_02"}
    mean = metrics["scorers"]["mse"]["mean"]
    assert f"{mean['auc']:.3f} / {mean['pauc']:.3f}" in stdout and "control: log_mel_mean, mahalanobis" in stdout
    assert (workdir / "report.html").stat().st_size > 100_000 and f"look at {workdir / 'report.html'}" in stdout
    assert (workdir / "plots" / "training.png").exists() and (workdir / "plots" / "worst_01.png").exists()
    events = b"".join(path.read_bytes() for path in (workdir / "tensorboard").iterdir())
    assert b"loss/validation" in events and b"scores_mahalanobis/anomalous" in events
    history = read_csv(workdir / "training.csv")
    assert [row["epoch"] for row in history] == [str(k) for k in range(1, 9)]
    assert float(history[-1]["train_loss"]) < float(history[0]["train_loss"])
    rows = read_csv(workdir / "scores.csv")
    assert list(rows[0]) == [
        "file_name",
        "machine_id",
        "domain",
        "is_anomaly",
        *REPORTED,
        "decision",
        "worst_start_seconds",
        "selection",
    ]
    assert set(metrics["controls"]["at_initialisation"]) == {"mse", "mahalanobis"}
    assert rows[0]["file_name"] == "fan/test/anomaly_id_00_00000000.wav" and len(rows) == 12


def test_library_equals_scores_csv(run_folder, machine_tree):
    workdir, _ = run_folder
    rows = read_csv(workdir / "scores.csv")
    detector = load_detector(workdir)
    waveforms = [read_audio(machine_tree / row["file_name"], sample_rate=16_000) for row in rows]
    arguments = {"sample_rate": 16_000, "machine_id": [row["machine_id"] for row in rows]}
    for scorer in ("mse", "mahalanobis"):
        expected = [float(row[scorer]) for row in rows]
        np.testing.assert_allclose(detector.score(waveforms, scorer=scorer, **arguments), expected, rtol=1e-5)
    decisions = detector.decide(waveforms, **arguments)
    np.testing.assert_array_equal(decisions, [row["decision"] == "anomalous" for row in rows])


def test_evaluation_from_the_folder_reproduces_the_scores(run_folder, run_script, tmp_path):
    workdir, _ = run_folder
    before = sorted((p, p.stat().st_mtime_ns) for p in workdir.rglob("*"))
    status, stdout, _ = run_script("evaluate", f"--checkpoint={workdir}", f"--workdir={tmp_path / 'again'}")
    assert status == 0 and "* mse" in stdout
    assert before == sorted((p, p.stat().st_mtime_ns) for p in workdir.rglob("*"))
    first, second = read_csv(workdir / "scores.csv"), read_csv(tmp_path / "again" / "scores.csv")
    for scorer in ("mse", "mahalanobis"):
        expected = [float(row[scorer]) for row in first]
        np.testing.assert_allclose([float(row[scorer]) for row in second], expected, rtol=1e-5)
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (workdir, tmp_path / "again")]
    assert metrics[0]["scorers"] == metrics[1]["scorers"] and metrics[0]["controls"] == metrics[1]["controls"]


def test_score_gives_verdicts_on_files(run_folder, machine_tree, run_script):
    workdir, _ = run_folder
    files = sorted((machine_tree / "fan" / "test").glob("*_id_02_*.wav"))
    status, stdout, _ = run_script("score", f"--checkpoint={workdir}", *files)
    assert status == 0 and "of 6 anomalous; written to" in stdout
    expected = {row["file_name"].split("/")[-1]: row for row in read_csv(workdir / "scores.csv")}
    rows = read_csv(workdir / "score" / "scores.csv")
    assert len(rows) == 6
    for row in rows:
        same = expected[row["file_name"].split("/")[-1]]
        assert float(row["mse"]) == pytest.approx(float(same["mse"]), rel=1e-5)
        assert row["decision"] == same["decision"]
        assert 0 <= float(row["share_of_normal_above"]) <= 1


def test_killed_and_resumed_ends_at_the_same_parameters(run_folder, machine_tree, run_script, tmp_path):
    workdir = tmp_path / "killed"
    command = [sys.executable, "-m", "experiments.lstm_pred", f"--workdir={workdir}", "--noreport"]
    process = subprocess.Popen([*command, *SETTINGS, f"--data_dir={machine_tree}"], stdout=subprocess.DEVNULL)
    checkpoints = workdir / "checkpoints" / "training"
    while process.poll() is None and not (checkpoints / "3").exists():
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    assert not (workdir / "metrics.json").exists()
    status, _, stderr = run_script("lstm_pred", f"--workdir={workdir}", "--noreport", "--resume")
    assert status == 0, stderr  # all other flags come from the run
    assert not (workdir / "report.html").exists()
    unbroken, resumed = load_detector(run_folder[0]), load_detector(workdir)
    jax.tree.map(np.testing.assert_array_equal, unbroken.representation.params, resumed.representation.params)
    assert (workdir / "scores.csv").read_text() == (run_folder[0] / "scores.csv").read_text()
