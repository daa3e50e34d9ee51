"""`--machine=all` and the benchmark, as a user runs them."""

import csv
import json
import shutil

import pytest

QUICK = ("--noreport", "--notensorboard", "--noprepare")


@pytest.fixture
def two_machines_and_a_bad_one(machine_tree, tmp_path):
    root = tmp_path / "recordings"
    for name in ("fan", "pump", "valve"):
        shutil.copytree(machine_tree / "fan", root / name)
    for path in (root / "valve" / "train").glob("*.wav"):
        path.write_bytes(b"")
    for path in (root / "pump" / "test").glob("anomaly_id_00_*.wav"):  # pump's first id becomes hard
        shutil.copy(root / "pump" / "test" / path.name.replace("anomaly", "normal"), path)
    return root


def value(path, **wanted):
    """The one number of a tidy table that is as wanted."""
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if wanted.items() <= row.items()]
    assert len(rows) == 1, rows
    return float(rows[0]["value"])


def test_a_machine_that_fails_does_not_lose_the_others(two_machines_and_a_bad_one, run_script, tmp_path):
    run = tmp_path / "run"
    status, stdout, stderr = run_script(
        "knn", "--machine=all", f"--data_dir={two_machines_and_a_bad_one}", f"--workdir={run}", *QUICK
    )
    assert status == 1
    assert stderr.splitlines()[-1] == "error: 1 of 3 machines failed: valve; see above"
    assert "valve" in stderr and ".wav" in stderr
    assert "[3/3] valve" in stdout
    metrics = [json.loads((run / name / "metrics.json").read_text()) for name in ("fan", "pump")]
    auc, other = [of["scorers"]["knn"]["mean"]["auc"] for of in metrics]
    assert auc > other + 0.1
    of_all = {"system": "knn", "machine": "all", "measure": "auc"}
    assert value(run / "table.csv", machine_id="mean", **of_all) == pytest.approx((auc + other) / 2)
    assert value(run / "table.csv", machine_id="harmonic_mean", **of_all) == pytest.approx(2 / (1 / auc + 1 / other))
    assert (run / "table.md").read_text().startswith("| AUC / pAUC | fan | pump | mean | harmonic mean |")


@pytest.mark.slow
def test_a_list_of_machines_is_resumed_where_it_was_stopped(two_machines_and_a_bad_one, run_script, tmp_path):
    run = tmp_path / "run"
    flags = ["--machine=fan,pump", f"--data_dir={two_machines_and_a_bad_one}", f"--workdir={run}"]
    flags += ["--epochs=1", "--scorers=mse", "--hidden_size=4", "--context_frames=3", *QUICK]
    assert run_script("lstm_pred", *flags)[0] == 0
    before = (run / "fan" / "metrics.json").stat().st_mtime_ns
    for name in ("metrics.json", "scores.csv"):
        (run / "pump" / name).unlink()
    status, stdout, stderr = run_script("lstm_pred", "--resume", f"--workdir={run}", *QUICK)
    assert status == 0, stderr
    assert "finished before" in stdout
    assert (run / "fan" / "metrics.json").stat().st_mtime_ns == before
    assert (run / "pump" / "metrics.json").exists()


def test_all_needs_recordings(run_script):
    status, _, stderr = run_script("gmm", "--machine=all")
    assert (status, len(stderr.splitlines())) == (1, 1)
    assert "--machine=all needs --data_dir" in stderr


@pytest.mark.slow
def test_benchmark_goes_on_where_it_was_stopped(two_machines_and_a_bad_one, run_script, tmp_path):
    run = tmp_path / "run"
    data = f"--data_dir={two_machines_and_a_bad_one}"
    status, _, stderr = run_script(
        "benchmark", data, "--machine=fan", "--experiments=gmm", f"--workdir={run}", "--seed=3"
    )
    assert status == 0, stderr
    assert json.loads((run / "fan" / "gmm" / "config.json").read_text())["settings"]["seed"] == 3
    before = (run / "fan" / "gmm" / "metrics.json").stat().st_mtime_ns
    (run / "fan" / "knn").mkdir()
    (run / "fan" / "knn" / "config.json").write_text("{}")  # what a run that was killed leaves
    status, stdout, stderr = run_script("benchmark", "--resume", f"--workdir={run}", "--experiments=knn")
    assert status == 0 and "1 of 2 runs were finished before" in stdout, stderr
    assert json.loads((run / "config.json").read_text())["experiments"] == ["gmm", "knn"]
    assert (run / "fan" / "gmm" / "metrics.json").stat().st_mtime_ns == before
    with (run / "table.csv").open() as file:
        assert {row["system"] for row in csv.DictReader(file)} == {"gmm", "knn", "log_mel_mean"}
    assert value(run / "table.csv", system="knn", measure="fit_seconds") >= 0
    assert (run / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_benchmark_names_the_systems_there_are(run_script):
    status, _, stderr = run_script("benchmark", "--experiments=gmm,svm")
    assert status == 1
    assert "--experiments=gmm,svm: give some of" in stderr and "gmm, iforest" in stderr
