"""What tables and pages say to someone who does not know the field, and that the glossary knows their words."""

import re
from pathlib import Path

import pytest

from asd_jax.evaluation.results import AtThreshold, Difference, Groups, Measures, Results, Summary
from asd_jax.report import run_page, tables

GLOSSARY = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")


def at(rule, method):
    rates = dict.fromkeys(
        ("false_alarm_rate", "true_positive_rate", "precision", "recall", "f1", "normal_precision", "normal_recall"),
        0.5,
    )
    return AtThreshold(
        rule, 1.0, method, 0.0, 60, "training clips", normal_f1=0.5, accuracy=0.5, confusion=((1, 1), (1, 1)), **rates
    )


def summary(auc=0.8):
    measures = Measures(auc, auc, auc)
    groups = Groups({"id_00": measures}, measures, measures, measures)
    return Summary(groups.machine_ids, measures, measures, measures)


def test_rules_say_what_they_promise():
    rules = {
        "gamma_0.99": {"id_00": at("gamma_0.99", "empirical_quantile")},
        "percentile_90": {"id_00": at("percentile_90", "empirical_quantile")},
        "conformal": {"id_00": at("conformal", "conformal, never alarms: needs 9 normal clips")},
        "oracle_max_f1": {"id_00": at("oracle_max_f1", "oracle")},
    }
    table = tables.decisions_table("mse", rules)
    assert [row[4] for row in table.rows] == [
        "quantile of scores",
        "quantile of scores",
        "rank of scores, never alarms: needs 9 normal clips",
        "labels",
    ]
    assert "1 % of normal clips are expected above gamma_0.99" in table.notes
    assert "10 % of normal clips are expected above percentile_90, conformal" in table.notes


def test_measures_and_controls_are_explained_below_the_table():
    results = Results(headline_scorer="mse", scorers={"mse": summary()}, controls={"log_mel_mean": {"gmm": summary()}})
    notes = " ".join(tables.measures_table(results).notes)
    assert "AUC: how often" in notes and "without any network" in notes and "before training" not in notes


@pytest.mark.parametrize(
    ("difference", "says"),
    [(0.0004, "as high as"), (-0.0004, "as high as"), (0.01, "0.010 higher"), (-0.2, "0.200 lower")],
)
def test_a_difference_of_nothing_is_none(difference, says):
    results = Results(
        headline_scorer="mse",
        scorers={"mse": summary()},
        controls={"log_mel_mean": {"gmm": summary()}},
        differences={"mse": {"log_mel_mean gmm": Difference(difference, (-0.1, 0.1))}},
    )
    assert f"is {says}" in run_page._finding(results)


def test_the_glossary_knows_the_words_of_the_tables():
    known = set(re.findall(r"\w+(?:\.\w+)*", GLOSSARY.lower()))
    controls = {"at_initialisation": {"mse": summary()}}
    results = Results(headline_scorer="mse", scorers={"mse": summary()}, controls=controls)
    decisions = tables.decisions_table("mse", {"gamma_0.9": {"id_00": at("gamma_0.9", "empirical_quantile")}})
    for table in (tables.measures_table(results), decisions):
        words = set(re.findall(r"[a-z_.0-9]+", " ".join([*table.header, *(row[0] for row in table.rows)]).lower()))
        assert words - known - {"mean", "set", "by", "of", "95", "decisions"} == set()
