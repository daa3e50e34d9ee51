"""Tidy tables and what else `experiments.table` writes; published figures stand only beside the test they are of."""

import csv
import dataclasses
import re
import shutil
import subprocess

import pytest

from asd_jax.errors import InputError
from asd_jax.evaluation import published_figures
from asd_jax.evaluation.results import Groups, Measures, Official, Results, Spread, Summary
from asd_jax.files import from_json, to_json
from asd_jax.report import published
from asd_jax.report.table import Table
from asd_jax.report.tables import measures_table
from asd_jax.runs import folder, result_rows, tidy

IDS = ("id_00", "id_02", "id_04", "id_06")


def measures(auc):
    return Measures(auc, auc / 2, auc / 4, interval_95={"auc": (auc - 0.1, auc + 0.1), "pauc": (0.1, 0.9)})


def summary(auc, ids=IDS, **more):
    of_ids = {name: measures(auc) for name in ids}
    return Summary(of_ids, measures(auc), measures(auc), measures(auc), **more)


def results(auc=0.8, *, machine="slide_rail", dataset="dcase2020", experiment="knn", ids=IDS, **more):
    return Results(
        experiment=experiment,
        dataset=dataset,
        machine=machine,
        headline_scorer="knn",
        scorers={"knn": summary(auc, ids)},
        controls={"log_mel_mean": {"mahalanobis": summary(0.7, ids)}},
        seconds={"train": 2.0, "fit_scorers": 1.0},
        **more,
    )


def lines(rows):
    return list(csv.DictReader(tidy.csv(rows).splitlines()))


def one(found, **wanted):
    (row,) = [row for row in found if wanted.items() <= row.items()]
    return row


def test_every_table_has_the_same_columns_and_a_number_a_row():
    rows = result_rows.rows_of(results(seed=3), "runs/a")
    found = lines(tidy.measures(rows))
    assert tuple(found[0]) == tidy.COLUMNS
    row = one(found, system="knn", machine_id="id_02", measure="auc")
    assert (row["value"], row["low"], row["high"], row["seed"]) == ("0.8", "0.7", "0.9", "3")
    assert row["selection"] == "label-free" and row["role"] == "headline" and row["run"] == "runs/a"
    assert one(found, system="log_mel_mean", machine_id="mean", measure="pauc")["value"] == "0.35"
    assert one(found, measure="fit_seconds")["value"] == "3"
    keys = [tuple(row[name] for name in tidy.COLUMNS[:12]) for row in found]
    assert len(set(keys)) == len(keys)


def test_domains_and_the_official_score_are_rows():
    groups = Groups({"section_00": measures(0.6)}, measures(0.6), measures(0.6), measures(0.6))
    of = summary(0.8, ["section_00"], domains={"target": groups}, official=Official(score=0.55))
    run = dataclasses.replace(results(dataset="dcase2023"), scorers={"knn": of})
    found = lines(tidy.measures(result_rows.rows_of(run, "a")))
    assert one(found, domain="target", machine_id="section_00", measure="auc")["value"] == "0.6"
    assert one(found, measure="official_score")["value"] == "0.55"


def test_further_seeds_are_rows():
    spread = Spread(0.75, 0.05, (0.8, 0.7))
    run = results(seed=4, seeds={"knn": {"auc": spread}}, by_seed={"5": {"knn": summary(0.7)}})
    assert from_json(Results, to_json(run)) == run
    found = lines(tidy.measures(result_rows.rows_of(run, "a")))
    values = {seed: one(found, seed=seed, system="knn", machine_id="id_04", measure="auc") for seed in "45"}
    assert [values[seed]["value"] for seed in "45"] == ["0.8", "0.7"]


def test_means_are_over_all_machine_types_or_none():
    runs = [results(0.8), results(0.4, machine="fan"), results(0.9, experiment="gmm")]
    found = lines(tidy.measures([row for run in runs for row in result_rows.rows_of(run, run.machine)]))
    of_all = [row for row in found if row["machine"] == "all" and row["measure"] == "auc"]
    assert {row["system"] for row in of_all} == {"knn", "log_mel_mean"}
    assert one(of_all, system="knn", machine_id="mean")["value"] == "0.6"
    assert float(one(of_all, system="knn", machine_id="harmonic_mean")["value"]) == pytest.approx(2 / (1.25 + 2.5))


def test_latex_escapes_and_groups():
    table = Table(["system", "AUC"], [["a_b & 5 %", "0.900 [0.850, 0.950]"], ["", "0.8 ± 0.1"], ["c", "0.7"]])
    assert table.latex().splitlines() == [
        r"\begin{tabular}{ll}",
        r"\toprule",
        r"system & AUC \\",
        r"\midrule",
        r"a\_b \& 5 \% & 0.900 {\footnotesize [0.850, 0.950]} \\",
        r" & 0.8 $\pm$ 0.1 \\",
        r"\addlinespace",
        r"c & 0.7 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


TRICKY = Table(
    ["a & b", r"back\slash {brace} ~ ^ % $ # _"],
    [["[0.8] first", "0.1 [−0.2, 0.3]"], ["* starred", "-0.5 ± 0.1 × 2 † 3–4"], ["", "a < b > c | d ≤ ² ü"]],
)


def test_latex_is_whole():
    rows = [row for name in ("fan", "pump") for row in result_rows.rows_of(results(machine=name), name)]
    for table in (TRICKY, result_rows.intervals_table(rows)):
        lines = table.latex().splitlines()
        assert lines[0] == rf"\begin{{tabular}}{{{'l' * len(table.header)}}}" and lines[-1] == r"\end{tabular}"
        rules = [line for line in lines[1:-1] if not line.endswith(r"\\")]
        assert set(rules) <= {r"\toprule", r"\midrule", r"\bottomrule", r"\addlinespace"}
        for line in (line.removesuffix(r"\\") for line in lines[1:-1] if line not in rules):
            assert len(re.findall(r"(?<!\\)&", line)) == len(table.header) - 1
            assert not re.search(r"(?<!\\)[%#_]", line) and line.lstrip()[:1] not in ("[", "*")
            assert len(re.findall(r"(?<!\\)\{", line)) == len(re.findall(r"(?<!\\)\}", line))
            assert len(re.findall(r"(?<!\\)\$", line)) % 2 == 0


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_compiles(tmp_path):
    rows = [row for name in ("fan", "pump") for row in result_rows.rows_of(results(machine=name), name)]
    body = "\n\n".join(table.latex() for table in (TRICKY, result_rows.intervals_table(rows)))
    page = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0 and (tmp_path / "page.pdf").exists(), done.stdout[-1500:]


def test_a_table_for_papers_has_intervals():
    rows = [row for name in ("fan", "pump") for row in result_rows.rows_of(results(machine=name), name)]
    table = result_rows.intervals_table(rows)
    assert table.rows[0] == ["knn", "AUC", "0.800 [0.700, 0.900]", "0.800 [0.700, 0.900]", "0.800", "0.800"]
    assert table.rows[1][:2] == ["", "pAUC"]


def test_published_figures_stand_beside_the_test_that_they_are_of():
    run = results()
    found = lines(tidy.measures(result_rows.rows_of(run, "a")))
    row = one(found, system="knn", machine_id="mean", measure="auc")
    assert (row["baseline"], row["best_label_free"]) == ("0.8499", "0.9953") and "2006.05822" in row["published_in"]
    assert one(found, system="knn", machine_id="id_06", measure="pauc")["baseline"] == "0.4902"
    assert one(found, system="knn", machine_id="pooled", measure="auc")["baseline"] == ""
    table = measures_table(run)
    assert table.rows[-2][:2] == ["published baseline", ""] or table.rows[-2][0] == "published baseline"
    assert "arXiv" in table.notes[-1]
    for other in (results(ids=IDS[:3]), results(dataset="any_folder"), results(dataset="synthetic")):
        found = lines(tidy.measures(result_rows.rows_of(other, "a")))
        assert one(found, system="knn", machine_id="mean", measure="auc")["baseline"] == ""


def test_figures_over_all_machines_need_the_whole_development_set():
    of_types = {
        machine: results(machine=machine, ids=ids) for machine, ids in published_figures._HOLDS["dcase2020"].items()
    }
    baseline, best = published.over_machines(of_types.values())
    assert baseline.measures == {"auc": 0.7366, "pauc": 0.5967} and best.kind == "best label-free"
    assert published.over_machines(list(of_types.values())[1:]) == ()
    header, row = ["fan", "mean", "official score"], published.of_machines(of_types.values())
    assert published.rows(header, row, published.AREAS)[0] == ["published baseline", "", "0.737 / 0.597", ""]


def test_folders_of_runs_stand_for_those_in_them(tmp_path):
    for name in ("all/fan", "all/pump", "benchmark/fan/knn", "benchmark/fan/gmm"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "metrics.json").touch()
    found = folder.finished([tmp_path / "all", tmp_path / "benchmark", tmp_path / "all" / "fan"])
    names = [path.relative_to(tmp_path).as_posix() for path in found]
    assert names == ["all/fan", "all/pump", "benchmark/fan/gmm", "benchmark/fan/knn"]
    with pytest.raises(InputError, match=r"nowhere: no metrics\.json in it"):
        folder.finished([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="no runs given"):
        folder.finished([])
