"""Runs side by side: their rows and tables, paired differences, and what is refused. No run is needed to test it."""

import csv
import json
import shutil

import numpy as np
import pytest

from asd_jax.datasets.clips import Clip
from asd_jax.detectors.thresholds import decide
from asd_jax.errors import InputError
from asd_jax.evaluation import metrics
from asd_jax.evaluation.metrics import Labels
from asd_jax.evaluation.results import Results
from asd_jax.evaluation.score_files import scores_csv
from asd_jax.files import to_json
from asd_jax.runs import comparison, result_rows, setting_differences, tidy

N_CLIPS = 120


def write_run(folder, shift, *, experiment, seed=0, dataset="dcase2020", machine="fan", n_clips=N_CLIPS, **more):
    """A run whose anomalous clips score `shift` higher on average; the same clips and noise for the same seed."""
    rng = np.random.default_rng(seed)
    is_anomaly = np.arange(N_CLIPS) % 2 == 1
    noise = rng.standard_normal(N_CLIPS)
    clips = [
        Clip(f"{machine}/test/{index:04d}.wav", f"id_0{index % 4 // 2}", "test", bool(label))
        for index, label in enumerate(is_anomaly)
    ][:n_clips]
    scores = {"mse": (noise + shift * is_anomaly)[:n_clips], "knn": rng.standard_normal(N_CLIPS)[:n_clips]}
    labels = Labels.of(clips, machine=machine, dataset=dataset)
    summaries = {
        name: metrics.measure_all(of, labels, labels.resamples(n_resamples=50)).summary for name, of in scores.items()
    }
    control = metrics.measure_all(noise[:n_clips], labels).summary
    report = {
        "experiment": experiment,
        "dataset": dataset,
        "machine": machine,
        "selection": "label-free",
        "headline_scorer": "mse",
        "scorers": summaries,
        "controls": {"log_mel_mean": {"mahalanobis": control}},
        "seconds": {"load": 5.0, "train": 2.0, "fit_scorers": 1.0, "score": 0.5},
    } | more
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(to_json(report)))
    text = scores_csv(clips, scores, decide(scores["mse"], np.inf), selection="label-free")
    (folder / "scores.csv").write_text(text)
    return folder


def lines(table):
    return [table.header, *table.rows]


@pytest.fixture
def runs(tmp_path):
    spread = {"mean": 0.7, "standard_deviation": 0.01, "values": [0.69, 0.71]}
    return [
        write_run(tmp_path / "a", 0.5, experiment="lstm_pred", seeds={"mse": {"auc": spread, "pauc": spread}}),
        write_run(tmp_path / "b", 2.0, experiment="gmm"),
        write_run(tmp_path / "c", 0.5, experiment="kmeans"),
    ]


def test_differences_are_to_the_first_run(runs):
    first, second, third, control = comparison.compare(runs)
    assert first.gain is None and first.differs is None
    assert second.differs is True and second.gain.interval_95[0] > 0.05
    reports = [json.loads((run / "metrics.json").read_text())["scorers"]["mse"]["mean"]["auc"] for run in runs]
    assert second.gain.auc_difference == pytest.approx(reports[1] - reports[0], abs=1e-6)
    assert third.differs is False and third.gain.interval_95 == (0, 0)
    assert control.row.system == "control: log_mel_mean, mahalanobis"  # once, though every run has it


def test_runs_list_their_clips_in_any_order(runs):
    lines = (runs[2] / "scores.csv").read_text().splitlines()
    (runs[2] / "scores.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    assert comparison.compare(runs)[2].gain.interval_95 == (0, 0)


def test_other_scorers_are_exploratory(runs):
    rows = [of.row for of in comparison.compare(runs, scorers=["knn"])]
    assert [row.role_in_words for row in rows] == ["headline", "exploratory"] * 3 + ["control: log_mel_mean"]
    assert rows[1].system == "lstm_pred, knn (exploratory)"


def test_tables(runs):
    compared = comparison.compare(runs)
    rows = list(csv.DictReader(tidy.csv(comparison.tidy_rows(compared, "first")).splitlines()))
    gains = [row for row in rows if row["measure"] == "auc_difference"]
    assert [row["system"] for row in gains] == ["gmm", "kmeans"] and {row["against"] for row in gains} == {"first"}
    assert float(gains[0]["low"]) == pytest.approx(compared[1].gain.interval_95[0])
    means = [row for row in rows if row["measure"] == "auc" and row["machine_id"] == "mean"]
    assert [row["system"] for row in means] == ["lstm_pred", "gmm", "kmeans", "log_mel_mean"]
    assert float(means[1]["low"]) < float(means[1]["value"]) < float(means[1]["high"])
    assert {row["selection"] for row in rows} == {"label-free"}
    table = lines(comparison.reading_table(compared))
    assert "AUC over seeds" in table[0] and "0.700 ± 0.010" in table[1]
    assert [row[-1] for row in table[1:]] == ["", "yes", "no", ""]
    assert "official score [95 %]" not in table[0]
    assert "AUC over seeds" not in comparison.reading_table(comparison.compare(runs[1:])).header


def test_releases_with_domains_have_their_official_score(runs):
    for run in runs:
        report = json.loads((run / "metrics.json").read_text())
        report["scorers"]["mse"]["official"] = {"score": 0.61, "interval_95": {"score": [0.55, 0.66]}}
        (run / "metrics.json").write_text(json.dumps(report))
    compared = comparison.compare(runs)
    table = lines(comparison.reading_table(compared))
    assert table[1][table[0].index("official score [95 %]")] == "0.610 [0.550, 0.660]"
    official = [row for row in comparison.tidy_rows(compared) if row.measure == "official_score"]
    assert [(row.value, row.low) for row in official] == [(0.61, 0.55)] * 3


def test_systems_by_machines(tmp_path):
    rows = []
    for experiment, shift in (("gmm", 2.0), ("lstm_pred", 0.5)):
        for machine in ("fan", "pump"):
            run = write_run(tmp_path / experiment / machine, shift, experiment=experiment, machine=machine)
            rows += result_rows.rows_of(Results.read(run), str(run))
    table = lines(result_rows.systems_table(rows))
    assert table[0] == ["AUC / pAUC", "fan", "pump", "mean", "harmonic mean", "selection", "seconds to fit", "to score"]
    assert [row[0] for row in table[1:]] == ["gmm", "control: log_mel_mean, mahalanobis", "lstm_pred"]
    gmm = {row.results.machine: row for row in rows if row.system == "gmm"}
    assert table[1][1] == f"{gmm['fan'].summary.mean.auc:.3f} / {gmm['fan'].summary.mean.pauc:.3f}"
    assert table[1][3].startswith(f"{(gmm['fan'].summary.mean.auc + gmm['pump'].summary.mean.auc) / 2:.3f} / ")
    assert table[1][-3:] == ["label-free", "6.0", "1.0"] and table[2][-2:] == ["", ""]
    assert "gmm, knn (exploratory)" in [row[0] for row in lines(result_rows.systems_table(rows, exploratory=True))]
    missing = lines(
        result_rows.systems_table(
            [row for row in rows if (row.results.experiment, row.results.machine) != ("gmm", "pump")]
        )
    )
    assert missing[1][:5] == ["gmm", table[1][1], "", "", ""]


def test_the_official_score_is_over_all_machines(tmp_path):
    rows = []
    for machine, parts in (("fan", {"section_00 pauc": 1.0, "section_00 source auc": 0.5}), ("pump", {"s pauc": 0.25})):
        more = {"dataset": "dcase2022", "machine": machine}
        run = write_run(tmp_path / machine, 1.0, experiment="gmm", **more)
        report = json.loads((run / "metrics.json").read_text())
        report["scorers"]["mse"]["official"] = {"score": 0.5, "parts": parts}
        (run / "metrics.json").write_text(json.dumps(report))
        rows += result_rows.rows_of(Results.read(run), machine)
    header, gmm, control = lines(result_rows.systems_table(rows))
    assert (
        gmm[header.index("official score")] == f"{3 / (1 + 2 + 4):.3f}"
        and control[header.index("official score")] == ""
    )


def test_undefined_measures_stay_in_the_tables(tmp_path):
    runs = [write_run(tmp_path / name, 1.0, experiment=name, n_clips=1) for name in "ab"]
    compared = comparison.compare(runs)
    assert compared[1].differs is None and compared[1].row.summary.mean.auc is None
    assert lines(comparison.reading_table(compared))[2][-2:] == ["undefined", "undefined"]
    assert {row.value for row in comparison.tidy_rows(compared) if "auc" in row.measure} == {None}
    assert lines(result_rows.systems_table([of.row for of in compared]))[1][1] == "undefined"


def test_what_is_refused(runs, tmp_path):
    def refused(says, *given):
        with pytest.raises(InputError, match=says):
            comparison.compare(given)

    refused("no runs given")
    refused("is given twice", runs[0], runs[0])
    refused(r"nowhere: no metrics\.json in it", runs[0], tmp_path / "nowhere")
    other = write_run(tmp_path / "d", 1.0, experiment="gmm", dataset="dcase2023")
    with pytest.raises(InputError, match="runs of different data sets"):
        comparison.by_machine([runs[0], other])
    refused(r"runs of different data sets: .*a is of dcase2020, .*d of dcase2023", runs[0], other)
    other = write_run(tmp_path / "e", 1.0, experiment="gmm", machine="pump")
    with pytest.raises(InputError, match=r"runs of different machines: .*a is of fan, .*e of pump"):
        comparison.by_machine([runs[0], other])
    with pytest.raises(InputError, match="is given twice"):
        comparison.by_machine([runs[0], runs[0]])
    refused(r"runs of different machines: .* is of fan, .* of pump", runs[0], other)
    other = write_run(tmp_path / "f", 1.0, experiment="gmm", n_clips=50)
    refused(r"has 120, .*f 50, and fan/test/0050\.wav is not in .*f", runs[0], other)
    other = shutil.copytree(runs[0], tmp_path / "g")
    text = (other / "scores.csv").read_text()
    (other / "scores.csv").write_text(text.replace("0000.wav,id_00,,0,", "0000.wav,id_00,,1,"))
    refused(r"disagree on the label, machine id or domain of fan/test/0000\.wav", runs[0], other)
    (other / "metrics.json").write_text("{}")
    refused(r"metrics\.json is not what a run writes", runs[0], other)
    (other / "scores.csv").unlink()
    shutil.copy(runs[0] / "metrics.json", other)
    refused(r"g: no scores\.csv", runs[0], other)


def test_several_machines_are_compared_at_once(tmp_path):
    for name, shift in (("a", 0.5), ("b", 2.0)):
        for seed, machine in enumerate(("fan", "pump")):
            write_run(tmp_path / name / machine, shift, experiment="gmm", machine=machine, seed=seed)
    groups = comparison.by_machine([tmp_path / "a", tmp_path / "b"])
    assert [[path.removeprefix(f"{tmp_path}/") for path in of] for of in groups] == [
        ["a/fan", "b/fan"],
        ["a/pump", "b/pump"],
    ]
    compared = [comparison.compare(of, seed=number) for number, of in enumerate(groups)]
    first, second = comparison.over_machines(compared)
    gains = [of[1].gain for of in compared]
    assert second.gain.auc_difference == pytest.approx(np.mean([gain.auc_difference for gain in gains]))
    low, high = second.gain.interval_95
    widths = [gain.interval_95[1] - gain.interval_95[0] for gain in gains]
    # Of the mean of two independent differences.
    assert high - low == pytest.approx(np.hypot(*widths) / 2, rel=0.15)
    assert list(first.row.summary.machine_ids) == ["fan", "pump"] and second.row.results.machine == "all"
    rows = comparison.tidy_rows([first, second], "gmm")
    (row,) = [row for row in rows if row.measure == "auc_difference"]
    assert row.machine == "all" and row.value == second.gain.auc_difference
    assert comparison.over_machines(compared[:1]) == []


def test_settings_that_differ_stand_above():
    def config(**more):
        return {"experiment": "gmm", "seed": 0, "recipe": {"kind": "trained", "epochs": 3}} | more

    differences = setting_differences.setting_differences
    assert differences([config(), config()]) == []
    assert differences([config(), config(seed=1), None]) == [("seed", ["0", "1", "unknown"])]
    longer = config(recipe={"kind": "trained", "epochs": 5, "hop": None})
    assert differences([config(), longer]) == [("recipe.epochs", ["3", "5"]), ("recipe.hop", ["-", "null"])]
    other = config(recipe={"kind": "clip_summary", "decay": 1}, scorers=[{"name": "knn", "label": "k"}])
    assert differences([config(scorers=[]), other]) == [
        ("recipe", ["trained", "clip_summary"]),
        ("scorers", ["none", "k"]),
    ]
    table = setting_differences.settings_table(["a", "b"], [config(), config(seed=1)])
    assert table.header == ["setting", "a", "b"] and table.rows == [["seed", "0", "1"]]


def test_an_evaluation_has_the_settings_of_its_run(tmp_path):
    run = write_run(tmp_path / "run", 1.0, experiment="gmm")
    config = {"experiment": "gmm", "settings": {"seed": 3}, "versions": {"jax": "1"}}
    (run / "config.json").write_text(json.dumps(config))
    again = write_run(tmp_path / "again", 1.0, experiment="gmm", evaluated_run=str(run))
    expected = {"experiment": "gmm", "versions": {"jax": "1"}, "seed": 3}
    assert setting_differences.config_of(again, Results.read(again)) == expected
    assert setting_differences.config_of(tmp_path, Results.read(run)) is None
    assert comparison.settings_of([str(run), str(again)]) is None
