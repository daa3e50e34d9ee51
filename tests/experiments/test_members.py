"""Several seeds, a network for each machine id, and other features, by the scripts' flags."""

import csv
import json

import numpy as np
import pytest

from asd_jax import load_detector
from asd_jax.datasets.audio import read_audio
from asd_jax.evaluation.results import Results
from asd_jax.files import to_json

SETTINGS = ["--machine=fan", "--epochs=1", "--batch_size=16", "--scorers=mse,mahalanobis"]


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return tmp_path_factory.mktemp("members") / "run"


@pytest.mark.slow
def test_seeds_and_machine_ids_are_trained_and_kept(run_script, machine_tree, workdir):
    data = f"--data_dir={machine_tree}"
    arguments = [*SETTINGS, "--num_seeds=2", "--per_machine_id", data, f"--workdir={workdir}"]
    status, stdout, stderr = run_script("idnn", *arguments)
    assert status == 0, stderr
    assert "mse, mean of 2 seeds" in stdout
    metrics = json.loads((workdir / "metrics.json").read_text())
    assert to_json(Results.read(workdir)) == metrics
    (first, second) = ((workdir / name).read_text().splitlines() for name in ("scores.csv", "scores_seed_1.csv"))
    assert first[0] == second[0] and [line.split(",")[0] for line in first] == [line.split(",")[0] for line in second]
    assert first != second
    seeds = metrics["seeds"]["mse"]["auc"]
    assert metrics["seed"] == 0 and metrics["by_seed"]["1"]["mse"]["mean"]["auc"] == seeds["values"][1]
    assert seeds["values"][0] == metrics["scorers"]["mse"]["mean"]["auc"]
    assert seeds["mean"] == pytest.approx(np.mean(seeds["values"]))
    assert seeds["standard_deviation"] == pytest.approx(np.std(seeds["values"], ddof=1))
    assert set(metrics["controls"]) == {"log_mel_mean", "at_initialisation"}
    kept = sorted(path.name for path in (workdir / "checkpoints" / "training").iterdir())
    assert kept == ["member_0", "member_1", "member_2", "member_3"]  # two seeds of two machine ids

    detector = load_detector(workdir)
    assert set(detector.representation.parts) == {("fan", "id_00"), ("fan", "id_02")}
    with (workdir / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    waveforms = [read_audio(machine_tree / row["file_name"], sample_rate=16_000) for row in rows]
    scores = detector.score(waveforms, sample_rate=16_000, machine_id=[row["machine_id"] for row in rows])
    np.testing.assert_allclose(scores, [float(row["mse"]) for row in rows], rtol=1e-5)


@pytest.mark.slow
def test_evaluation_from_the_folder_knows_all_seeds(run_script, workdir):
    status, _, stderr = run_script("evaluate", f"--checkpoint={workdir}")
    assert status == 0, stderr
    before, after = (json.loads((folder / "metrics.json").read_text()) for folder in (workdir, workdir / "evaluate"))
    assert after["seeds"] == before["seeds"] and after["scorers"] == before["scorers"]


@pytest.mark.slow
def test_lstm_autoencoder_on_other_features(run_script, machine_tree, tmp_path):
    data = [f"--data_dir={machine_tree}", f"--workdir={tmp_path / 'run'}", "--features=cens,lmfe,mfcc"]
    status, _, stderr = run_script("lstm_ae", *SETTINGS, *data, "--hidden_size=16")
    assert status == 0, stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["settings"]["front_end"]["features"] == ["cens", "lmfe", "mfcc"]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["scorers"]["mse"]["mean"]["auc"] > 0.9


@pytest.mark.slow
def test_a_bottleneck_is_chosen_by_validation_error(run_script, machine_tree, tmp_path):
    data = [f"--data_dir={machine_tree}", f"--workdir={tmp_path / 'run'}"]
    status, stdout, stderr = run_script("dense_ae", *SETTINGS, *data, "--bottleneck_size=1,2")
    assert status == 0, stderr
    selection = json.loads((tmp_path / "run" / "metrics.json").read_text())["bottleneck_size"]
    assert set(selection["validation_loss"]) == {"1", "2"} and f"bottleneck of {selection['chosen']}" in stdout
    assert load_detector(tmp_path / "run").representation.network.config.bottleneck_size == selection["chosen"]


def test_a_bottleneck_of_nothing_is_refused(run_script, machine_tree):
    status, _, stderr = run_script("dense_ae", "--machine=fan", f"--data_dir={machine_tree}", "--bottleneck_size=2,x")
    assert status == 1 and "--bottleneck_size=2,x" in stderr
