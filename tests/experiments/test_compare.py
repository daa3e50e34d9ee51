"""Thresholds, submission files and comparisons by the scripts' flags."""

import csv
import json
import shutil

import pytest


def rows_of(path, read=csv.DictReader):
    return list(read(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("compared")


def test_runs_are_compared_in_one_table(machine_tree, run_script, runs):
    data = [f"--data_dir={machine_tree}", "--machine=fan"]
    for name, more in (("knn", ["--threshold=percentile_95"]), ("gmm", ["--threshold=conformal", "--submission"])):
        status, stdout, stderr = run_script(name, *data, f"--workdir={runs / name}", *more)
        assert status == 0, stderr
    assert "submission: 4 file(s)" in stdout
    assert not (runs / "knn" / "submission").exists()
    rows = rows_of(runs / "gmm" / "submission" / "decision_result_fan_id_02.csv", csv.reader)
    scored = rows_of(runs / "gmm" / "scores.csv")
    number = {"normal": "0", "anomalous": "1"}
    expected = [
        [row["file_name"].split("/")[-1], number[row["decision"]]] for row in scored if row["machine_id"] == "id_02"
    ]
    assert rows == expected and {row["selection"] for row in scored} == {"label-free"}
    metrics = json.loads((runs / "knn" / "metrics.json").read_text())
    assert metrics["decision_threshold"] == next(iter(metrics["thresholds"]["knn"])) == "percentile_95"

    status, stdout, _ = run_script("compare", runs / "knn", runs / "gmm", f"--workdir={runs / 'table'}")
    assert status == 0 and "fan of dcase2020" in stdout and "AUC - first [95 %]" in stdout
    assert "setting" in stdout and "threshold" in stdout  # in which they differ
    table = rows_of(runs / "table" / "compare.csv")
    means = [row for row in table if row["machine_id"] == "mean" and row["measure"] == "auc"]
    assert [row["system"] for row in means] == ["knn", "gmm", "log_mel_mean"]
    assert "| threshold | percentile_95 | conformal |" in (runs / "table" / "compare.md").read_text()


def test_finished_runs_become_tables(run_script, runs, tmp_path):
    status, stdout, stderr = run_script("table", runs / "knn", runs / "gmm", "--latex", f"--workdir={tmp_path / 'out'}")
    assert status == 0, stderr
    assert "control: log_mel_mean" in stdout and "gmm, knn" not in stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"table.md", "table.csv", "table.tex", "differences.csv", "decisions.csv"}
    headers = {(tmp_path / "out" / name).read_text().splitlines()[0] for name in written if name.endswith(".csv")}
    assert len(headers) == 1
    decided = rows_of(tmp_path / "out" / "decisions.csv")
    assert {row["selection"] for row in decided if row["rule"].startswith("oracle")} <= {"oracle"}
    status, _, stderr = run_script("table", tmp_path, f"--workdir={runs / 'knn'}")
    assert status == 1 and stderr.count("\n") == 1 and "no metrics.json in it" in stderr
    status, _, stderr = run_script("table", runs, f"--workdir={runs / 'knn'}")
    assert status == 1 and "is a run, whose files stay as they are" in stderr


def test_evaluation_again_has_submission_files_of_clips_without_labels(machine_tree, run_script, runs, tmp_path):
    tree = shutil.copytree(machine_tree, tmp_path / "recordings")
    for path in (tree / "fan" / "test").iterdir():
        path.rename(path.with_name(path.name.replace("normal_", "").replace("anomaly_id_00_0000", "id_00_0001")))
    for path in (tree / "fan" / "test").glob("anomaly_*"):
        path.unlink()
    arguments = [f"--checkpoint={runs / 'gmm'}", f"--data_dir={tree}", f"--workdir={tmp_path / 'again'}"]
    status, stdout, stderr = run_script("evaluate", *arguments, "--submission")
    assert status == 0, stderr
    assert "no labelled test clips: scores and decisions are written" in stdout
    text = (tmp_path / "again" / "submission" / "anomaly_score_fan_id_00.csv").read_text()
    assert [line.split(",")[0] for line in text.splitlines()] == [
        *(f"id_00_0000000{index}.wav" for index in range(3)),
        *(f"id_00_0001000{index}.wav" for index in range(3)),
    ]


def test_evaluation_again_decides_by_another_rule(run_script, runs, tmp_path):
    arguments = [f"--checkpoint={runs / 'knn'}", f"--workdir={tmp_path / 'again'}"]
    status, stdout, stderr = run_script("evaluate", *arguments, "--threshold=conformal")
    assert status == 0, stderr
    assert "the bound of conformal on false alarms holds approximately" in stdout
    before, after = (json.loads((run / "metrics.json").read_text()) for run in (runs / "knn", tmp_path / "again"))
    assert after["decision_threshold"] == "conformal" and after["scorers"] == before["scorers"]
    assert after["thresholds"]["knn"]["percentile_95"] == before["thresholds"]["knn"]["percentile_95"]
    status, _, stderr = run_script("evaluate", *arguments, "--threshold=oracle_max_f1")
    assert status == 1 and "makes no decisions" in stderr


def test_mistakes(run_script, runs, tmp_path):
    for arguments, says in (
        ([], "error: no runs given; name the folders of the runs to compare"),
        ([tmp_path], f"error: {tmp_path}: no metrics.json in it"),
        ([runs / "knn", "--epochs=2"], "--epochs is not a flag of this script"),
    ):
        status, _, stderr = run_script("compare", *arguments, f"--workdir={tmp_path / 'table'}")
        assert status == 1 and stderr.startswith("error: ") and says in stderr and stderr.count("\n") == 1
        assert not (tmp_path / "table").exists()
