"""The experiments without a trained network, as a user runs them."""

import csv
import json

import numpy as np
import pytest

from asd_jax.evaluation.results import Results
from asd_jax.files import to_json

EXPERIMENTS = {
    "kmeans": [],
    "ocsvm": [],
    "iforest": ["--features=lmfe,mfcc", "--n_trees=20"],
    "lof": ["--features=lmfe,mfcc", "--pca=4"],
    "gmm": ["--scorers=mahalanobis,knn"],
    "twfr_gmm": ["--twfr_decay=0.9"],
    "knn": ["--summary=mean,max"],
}


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


SLOWER = set(EXPERIMENTS) - {"kmeans", "knn"}


@pytest.mark.parametrize("name", [pytest.param(of, marks=[pytest.mark.slow] * (of in SLOWER)) for of in EXPERIMENTS])
def test_experiment_runs_and_is_evaluated_from_its_folder(name, machine_tree, run_script, tmp_path):
    run = tmp_path / "run"
    data = [f"--data_dir={machine_tree}", "--machine=fan", f"--workdir={run}"]
    status, stdout, stderr = run_script(name, *data, *EXPERIMENTS[name])
    assert status == 0, stderr
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["experiment"], metrics["headline_scorer"], metrics["selection"]) == (name, name, "label-free")
    assert metrics["scorers"][name]["role"] == "headline"
    assert metrics["scorers"][name]["mean"]["auc"] > 0.8  # a loud second tone
    assert metrics["scorers"][name]["mean"]["average_precision"] > 0.8
    assert set(metrics["controls"]) == {"log_mel_mean"}
    assert f"* {name}" in stdout and "AUC / pAUC / AP" in stdout
    assert to_json(Results.read(run)) == metrics
    at = metrics["thresholds"][name]["gamma_0.9"]["id_00"]
    assert {"accuracy", "precision", "recall", "f1", "normal_precision", "normal_recall", "normal_f1"} <= set(at)
    assert ("single_windows" in metrics) == (name in ("kmeans", "ocsvm"))

    status, _, _ = run_script("evaluate", f"--checkpoint={run}")
    assert status == 0
    first, second = read_csv(run / "scores.csv"), read_csv(run / "evaluate" / "scores.csv")
    assert first == second
    if name == "gmm":
        assert list(first[0])[4:-3] == ["gmm", "mahalanobis", "knn"]


@pytest.mark.slow
def test_report_and_tensorboard_are_written_unless_told_not_to(machine_tree, run_script, tmp_path):
    run, again = tmp_path / "run", tmp_path / "again"
    arguments = [f"--data_dir={machine_tree}", "--machine=fan", f"--workdir={run}"]
    assert run_script("gmm", *arguments, "--noreport", "--notensorboard")[0] == 0
    written = {"config.json", "recordings.csv", "checkpoints", "scores.csv", "metrics.json"}
    assert {path.name for path in run.iterdir()} == written
    assert run_script("evaluate", f"--checkpoint={run}", f"--workdir={again}", "--report", "--tensorboard")[0] == 0
    written = {"scores.csv", "metrics.json", "report.html", "plots", "tensorboard"}
    assert {path.name for path in again.iterdir()} == written


def test_single_frames_have_the_label_of_their_clip(machine_tree, run_script, tmp_path):
    run_script("kmeans", f"--data_dir={machine_tree}", "--machine=fan", f"--workdir={tmp_path / 'run'}")
    frames = json.loads((tmp_path / "run" / "metrics.json").read_text())["single_windows"]["kmeans"]
    # Clips of 1, 1.15 and 1.3 s have 32, 36 and 41 mel frames: 2, 2 and 3 slices of 19 frames every 10.
    assert frames["machine_ids"]["id_00"]["n_normal"] == frames["machine_ids"]["id_00"]["n_anomaly"] == 7
    assert np.sum(frames["thresholds"]["gamma_0.9"]["id_00"]["confusion"]) == 14


@pytest.mark.slow
def test_search_chooses_without_labels_and_oracle_search_is_stamped(machine_tree, run_script, tmp_path):
    data = [f"--data_dir={machine_tree}", "--machine=fan"]
    status, stdout, _ = run_script("knn", *data, f"--workdir={tmp_path / 'a'}", "--search")
    assert status == 0 and "note: knn, id_00: search chose {'n_neighbors':" in stdout
    assert json.loads((tmp_path / "a" / "metrics.json").read_text())["selection"] == "label-free"
    status, stdout, _ = run_script("knn", *data, f"--workdir={tmp_path / 'b'}", "--oracle_search")
    assert status == 0 and "oracle_search chose" in stdout
    for file in ("metrics.json", "config.json"):
        assert json.loads((tmp_path / "b" / file).read_text())["selection"] == "oracle"
    run_script("evaluate", f"--checkpoint={tmp_path / 'b'}")
    assert json.loads((tmp_path / "b" / "evaluate" / "metrics.json").read_text())["selection"] == "oracle"


@pytest.mark.slow
def test_vggish_with_random_weights_says_so(machine_tree, run_script, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = tmp_path / "run"
    data = ["--machine=fan", f"--data_dir={machine_tree}", f"--workdir={run}"]
    status, stdout, stderr = run_script("vggish_ocsvm", *data, "--random_weights")
    assert status == 0, stderr
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["random_weights"] is True and metrics["headline_scorer"] == "vggish_ocsvm"
    assert "note: random weights" in stdout and "search chose {'nu':" in stdout
    data[-1] = f"--workdir={tmp_path / 'fixed'}"
    status, stdout, stderr = run_script("vggish_ocsvm", *data, "--random_weights", "--search", "--gamma=4*scale")
    assert status == 0 and "search chose {'nu':" in stdout, stderr
    assert run_script("evaluate", f"--checkpoint={run}")[0] == 0
    assert json.loads((run / "evaluate" / "metrics.json").read_text())["random_weights"] is True
    assert read_csv(run / "scores.csv") == read_csv(run / "evaluate" / "scores.csv")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("gmm", ["--features=log_mels"], "--features: unknown feature log_mels"),
        ("gmm", ["--summary=median"], "--summary=median: give one or more of mean, std, max, twfr"),
        ("gmm", ["--search", "--oracle_search"], "exclude one another"),
        ("gmm", ["--scorers=gmm"], "gmm is the experiment's own scorer"),
        ("gmm", ["--scorers=mse"], "mse reads the window errors"),
        ("gmm", ["--n_components=20"], "needs at least 20 normal"),
        ("lof", ["--frames", "--features=log_mel"], "lof scores whole clips, not windows"),
        ("knn", ["--epochs=2"], "--epochs is not a flag of this script"),
        ("vggish_ocsvm", ["--vggish_weights=none.pth"], "--vggish_weights=none.pth: no such file"),
        ("vggish_ocsvm", ["--features=mfcc"], "--features is not a flag of this script"),
        ("knn", ["--nu=0.2"], "--nu is not a flag of this script"),
        ("ocsvm", ["--nu=2"], "nu=2.0; give a share"),
        ("ocsvm", ["--gamma=steep"], "gamma=steep; give a number"),
        ("kmeans", ["--frame_seconds=5"], "is too short"),
        ("kmeans", ["--frame_seconds=0.001"], "shorter than one spectrogram frame"),
        ("iforest", ["--features=log_mel", "--search"], "iforest has no settings to choose"),
    ],
)
def test_mistakes(name, arguments, message, machine_tree, run_script, tmp_path):
    run = tmp_path / "run"
    data = [f"--data_dir={machine_tree}", "--machine=fan", f"--workdir={run}"]
    status, _, stderr = run_script(name, *data, *arguments)
    assert status == 1
    assert stderr.count("\n") == 1 and message in stderr
    assert not run.exists()
