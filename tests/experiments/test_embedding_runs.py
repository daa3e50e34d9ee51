"""`multi_branch` as a user runs it: one network for several machine types, evaluated and scored from one bundle."""

import csv
import json
import shutil

import numpy as np
import pytest
import soundfile

from asd_jax import load_detector
from asd_jax.datasets.clips import Machine

QUICK = ("--branches=spectrum", "--epochs=2", "--batch_size=8", "--notensorboard", "--noprepare")


@pytest.fixture(scope="module")
def two_types(machine_tree, tmp_path_factory):
    """Two machine types with equal ids, the second an octave higher."""
    root = tmp_path_factory.mktemp("two")
    shutil.copytree(machine_tree / "fan", root / "fan")
    for path in (root / "fan").rglob("*.wav"):
        waveform, rate = soundfile.read(path)
        other = root / "pump" / path.relative_to(root / "fan")
        other.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(other, np.resize(waveform[::2], len(waveform)), rate, subtype="PCM_16")
    return root


@pytest.fixture
def run_of_all(two_types, run_script, tmp_path):
    flags = ["--machine=all", f"--data_dir={two_types}", f"--workdir={tmp_path / 'run'}"]
    status, stdout, stderr = run_script("multi_branch", *flags, "--fusion=knn+mahalanobis", *QUICK)
    assert status == 0, stderr
    return tmp_path / "run", stdout


@pytest.mark.slow
def test_one_network_serves_two_types_with_equal_ids(run_of_all, two_types, run_script, tmp_path):
    run, stdout = run_of_all
    assert "4 classes of 12 to 12 training clips" in stdout
    assert f"one detector for 2 machine types: {run}" in stdout
    detector = load_detector(run)
    assert set(detector.machines) == {Machine(of, name) for of in ("fan", "pump") for name in ("id_00", "id_02")}
    for name in ("fan", "pump"):
        metrics = json.loads((run / name / "metrics.json").read_text())
        assert metrics["machine"] == name and metrics["headline_scorer"] == "knn"
        assert {"knn", "knn_rescaled", "mahalanobis", "fusion"} <= set(metrics["scorers"])
        assert set(metrics["controls"]) == {"log_mel_mean", "at_initialisation"}
        with (run / name / "scores.csv").open() as file:
            row = next(csv.DictReader(file))
        path = two_types / row["file_name"]
        waveform, rate = soundfile.read(path)
        options = {"sample_rate": rate, "machine_id": row["machine_id"], "machine_type": name}
        assert float(detector.score(waveform, **options)) == pytest.approx(float(row["knn"]), rel=1e-4)
        vector = detector.embed(waveform, **options)
        assert vector.shape == (128,)
        np.testing.assert_allclose(detector.embed([waveform] * 2, **options)[1], vector, rtol=0, atol=1e-4)
    recording = two_types / "pump" / "test" / "anomaly_id_02_00000000.wav"
    status, _, stderr = run_script("score", f"--checkpoint={run}", recording)
    assert status == 1 and "belongs to several machine types, fan, pump; give --machine too" in stderr
    status, stdout, stderr = run_script("score", f"--checkpoint={run}", "--machine=pump", recording)
    assert status == 0, stderr
    with (run / "pump" / "scores.csv").open() as file:
        wanted = next(row["knn"] for row in csv.DictReader(file) if row["file_name"].endswith(recording.name))
    with (run / "score" / "scores.csv").open() as file:
        assert float(next(csv.DictReader(file))["knn"]) == pytest.approx(float(wanted), rel=1e-4)
    export = ["export", f"--checkpoint={run}", f"--data_dir={two_types}", "--format=stablehlo"]
    status, stdout, stderr = run_script(*export, f"--out={tmp_path / 'all.zip'}")
    assert status == 0 and "no decision does" in stdout, stderr
    status, stdout, stderr = run_script("evaluate", f"--checkpoint={run}", f"--workdir={tmp_path / 'again'}")
    assert status == 0, stderr
    for name in ("fan", "pump"):
        scores = (tmp_path / "again" / name / "scores.csv").read_text()
        assert scores == (run / name / "scores.csv").read_text()


@pytest.mark.slow
def test_a_single_machine_is_parted_by_sound(machine_tree, run_script, tmp_path):
    flags = ["--machine=fan", "--machine_id=id_00", f"--data_dir={machine_tree}", f"--workdir={tmp_path / 'run'}"]
    status, stdout, stderr = run_script(
        "multi_branch", *flags, "--pseudo_classes=3", "--objective=adaproj", "--report", *QUICK
    )
    assert status == 0, stderr
    assert "all training clips are of one class" in stdout and (tmp_path / "run" / "report.html").exists()
    settings = json.loads((tmp_path / "run" / "config.json").read_text())["settings"]
    assert settings["recipe"]["objective"]["name"] == "adaproj" and settings["recipe"]["pseudo_classes"] == 3
    assert settings["front_end"] == {"kind": "samples", "sample_rate": 16000}


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--branches=spectrum,mel", "--branches=spectrum,mel: 'mel' is neither spectrum nor an even n_fft"),
        ("--objective=reconstruction", "--objective=reconstruction reads the residual of a network"),
        ("--mixup=2", "--mixup=2.0: give a share from 0 to 1"),
        ("--fusion=knn+gmm", "--fusion=knn+gmm: gmm is none of this run's scorers"),
    ],
)
def test_what_cannot_be_is_one_line(machine_tree, run_script, tmp_path, flag, line):
    flags = ["--machine=fan", f"--data_dir={machine_tree}", f"--workdir={tmp_path / 'run'}"]
    status, _, stderr = run_script("multi_branch", *flags, flag)
    assert status == 1 and line in stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()
