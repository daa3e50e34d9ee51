"""The supervised reference as a user runs it."""

import csv
import json
import shutil

import pytest

from asd_jax import load_detector


def test_it_is_stamped_and_saved_only_when_asked(machine_tree, run_script, tmp_path):
    run = tmp_path / "run"
    flags = [f"--data_dir={machine_tree}", "--machine=fan", "--n_folds=3", f"--workdir={run}"]
    status, stdout, stderr = run_script("supervised", *flags, "--report", "--save")
    assert status == 0, stderr
    assert "note: labelled test clips, anomalous ones too, train in 3 folds by recording" in stdout
    for file in ("metrics.json", "config.json"):
        assert json.loads((run / file).read_text())["selection"] == "supervised"
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["headline_scorer"] == "supervised" and metrics["scorers"]["supervised"]["mean"]["auc"] == 1.0
    assert set(metrics["controls"]) == {"log_mel_mean"}
    with (run / "scores.csv").open() as file:
        assert {row["selection"] for row in csv.DictReader(file)} == {"supervised"}
    assert 'class="warning">Selection: supervised' in (run / "report.html").read_text()

    assert load_detector(run).headline_scorer == "supervised"
    status, stdout, _ = run_script("evaluate", f"--checkpoint={run}")
    assert "12 test recording(s) left out, since the run was trained on them" in stdout
    wav = machine_tree / "fan" / "test" / "anomaly_id_00_00000000.wav"
    status, stdout, stderr = run_script("score", f"--checkpoint={run}", wav)
    assert status == 0 and "1 of 1 anomalous" in stdout, stderr


@pytest.mark.slow
def test_a_network_learns_the_classes_in_each_fold(machine_tree, run_script, tmp_path):
    flags = [f"--data_dir={machine_tree}", "--machine=fan", "--machine_id=id_00", "--n_folds=2", "--network"]
    flags += ["--branches=spectrum", "--epochs=2", "--batch_size=8", f"--workdir={tmp_path / 'run'}"]
    status, stdout, stderr = run_script("supervised", *flags)
    assert status == 0, stderr
    assert not (tmp_path / "run" / "checkpoints" / "bundle").exists()  # without --save
    assert stdout.count("2 classes of ") == 1  # said once, not of each fold
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["selection"] == "supervised"


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--n_folds=1"], "--n_folds=1: give a number above 1"),
        (["--epochs=3"], "--epochs has no effect here"),
        (["--network", "--features=mfcc"], "--features has no effect here"),
    ],
)
def test_what_cannot_be_is_one_line(machine_tree, run_script, tmp_path, flags, line):
    given = [f"--data_dir={machine_tree}", "--machine=fan", f"--workdir={tmp_path / 'run'}"]
    status, _, stderr = run_script("supervised", *given, *flags)
    assert status == 1 and line in stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_one_class_only_and_the_scorer_elsewhere(machine_tree, run_script, tmp_path):
    shutil.copytree(machine_tree / "fan", tmp_path / "one" / "fan")
    for path in (tmp_path / "one").rglob("anomaly_id_02*.wav"):
        path.unlink()
    given = ["--machine=fan", f"--workdir={tmp_path / 'run'}"]
    status, _, stderr = run_script("supervised", f"--data_dir={tmp_path / 'one'}", *given)
    assert status == 1 and "labelled anomalous test recordings of id_02, and there are none" in stderr
    status, _, stderr = run_script("gmm", f"--data_dir={machine_tree}", *given, "--scorers=labelled_svm")
    assert status == 1 and "use python -m experiments.supervised" in stderr
    assert not (tmp_path / "run").exists()
