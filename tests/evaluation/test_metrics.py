import json

import numpy as np
import pytest

from asd_jax.datasets.clips import Clip
from asd_jax.evaluation import metrics
from asd_jax.evaluation.metrics import Labels
from asd_jax.files import to_json


def labels_of(is_anomaly, machine_ids, domains=(), **settings):
    is_anomaly = np.asarray(is_anomaly, bool)
    return Labels(is_anomaly, np.ones(len(is_anomaly), bool), machine_ids, domains, **settings)


def test_measure_by_hand():
    # Anomalies 3 and 1.5 against normals 1 and 2: three of four pairs are in the right order.
    values = metrics.measure(np.array([1.0, 2.0, 3.0, 1.5]), np.array([False, False, True, True]))
    assert values.auc == 0.75
    # Ranked 3 (hit), 2 (miss), 1.5 (hit), 1 (miss): precision 1 at recall 1/2, 2/3 at recall 1.
    assert values.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    # Up to a false-alarm rate of 0.1 the curve lies at 0.5: area 0.05, of 0.005 by chance and 0.1 at most.
    assert values.pauc == pytest.approx(0.5 * (1 + (0.05 - 0.005) / (0.1 - 0.005)))
    assert (values.n_normal, values.n_anomaly) == (2, 2)


@pytest.mark.parametrize(("label", "missing"), [(True, "normal"), (False, "anomalous")])
def test_one_class_is_undefined_and_says_why(label, missing):
    values = metrics.measure(np.arange(3.0), np.full(3, label))
    assert values.auc is None and values.pauc is None and values.average_precision is None
    assert values.undefined == f"no {missing} test clips"


def test_equal_scores_are_chance_and_say_so():
    values = metrics.measure(np.full(5, 2.0), np.array([True, False, False, True, False]))
    assert values.auc == values.pauc == 0.5 and values.average_precision == pytest.approx(2 / 5)
    assert values.note == "all scores are equal"


def test_scores_that_are_not_finite_are_undefined_and_so_are_their_means():
    scores = np.array([1.0, np.nan, 0.0, 2.0, 0.0, 1.0])
    labels = labels_of([0, 1, 0, 1, 0, 1], ["a", "a", "a", "a", "b", "b"])
    summary = metrics.measure_all(scores, labels, labels.resamples(n_resamples=10)).summary
    assert summary.machine_ids["a"].undefined == "1 of 4 scores are not finite"
    assert summary.machine_ids["b"].auc == 1.0
    assert summary.mean.auc is None and "not finite" in summary.mean.undefined
    assert summary.pooled.auc is None
    json.dumps(to_json(summary), allow_nan=False)


def test_a_single_clip_and_none_at_all():
    labels = labels_of([True], ["a"])
    summary = metrics.measure_all(np.array([1.0]), labels, labels.resamples()).summary
    assert summary.machine_ids["a"].undefined == "no normal test clips" and summary.mean.auc is None
    unlabelled = Labels.of([Clip("a.wav", "id_00", "test")])
    summary = metrics.measure_all(np.array([1.0]), unlabelled, unlabelled.resamples()).summary
    assert summary.machine_ids["id_00"].undefined == summary.pooled.undefined == "no labelled test clips"


def test_summary_means_by_hand():
    scores = np.array([0.0, 1.0, 0.0, 1.0, 2.0, 2.0])
    is_anomaly = np.array([False, True, False, True, False, True])
    ids = ["id_00", "id_00", "id_02", "id_02", "id_02", "id_02"]
    summary = metrics.summarize(scores, is_anomaly, ids)
    # id_02: normals 0 and 2, anomalies 1 and 2; pairs 1>0, 1<2, 2>0, 2=2.
    assert summary.machine_ids["id_02"].auc == pytest.approx(2.5 / 4)
    assert summary.mean.auc == pytest.approx((1 + 0.625) / 2)
    assert summary.harmonic_mean.auc == pytest.approx(2 / (1 + 1 / 0.625))
    assert summary.pooled.n_normal == 3
    assert not summary.domains and summary.official is summary.pooled_id_00_02_04 is None


def test_mean_leaves_undefined_ids_out():
    summary = metrics.summarize(np.array([0.0, 1.0, 5.0]), np.array([False, True, False]), ["a", "a", "b"])
    assert summary.mean.auc == 1.0
    assert summary.machine_ids["b"].auc is None
    nothing = metrics.summarize(np.array([5.0]), np.array([False]), ["b"])
    assert nothing.mean.auc is None and nothing.mean.undefined


def test_the_slide_rail_is_also_pooled_as_student_reports_do():
    scores = np.array([0.0, 3.0, 2.0, 1.0, 4.0, 5.0, 9.0, 0.0])
    is_anomaly = [0, 1, 0, 1, 0, 1, 0, 1]
    ids = ["id_00", "id_00", "id_02", "id_02", "id_04", "id_04", "id_06", "id_06"]
    summary = metrics.measure_all(scores, labels_of(is_anomaly, ids, machine="slide_rail")).summary
    # Normals 0, 2, 4 against anomalies 3, 1, 5: six of nine pairs, the bad id 06 left out.
    assert summary.pooled_id_00_02_04.auc == pytest.approx(6 / 9)
    assert "student reports" in summary.pooled_id_00_02_04.note
    assert summary.mean.auc == pytest.approx((1 + 0 + 1 + 0) / 4)
    other = metrics.measure_all(scores, labels_of(is_anomaly, ids, machine="fan")).summary
    assert other.pooled_id_00_02_04 is None
    part = labels_of(is_anomaly[2:], ids[2:], machine="slide_rail")
    assert metrics.measure_all(scores[2:], part).summary.pooled_id_00_02_04 is None


DOMAINS = ["source", "source", "target", "target", "source", "target"]
SCORES = np.array([1.0, 3.0, 2.0, 6.0, 4.0, 5.0])  # four normal clips, then an anomalous one of each domain


def test_domains_are_kept_apart():
    labels = labels_of([0, 0, 0, 0, 1, 1], ["section_00"] * 6, DOMAINS, dataset="dcase2023")
    summary = metrics.measure_all(SCORES, labels).summary
    source, target = (summary.domains[name].machine_ids["section_00"] for name in ("source", "target"))
    # The anomalous clips 4 and 5 of both domains against the normal clips 1, 3 and against 2, 6.
    assert source.auc == 1.0 and target.auc == 0.5
    assert (target.n_normal, target.n_anomaly) == (2, 2)
    assert summary.domains["target"].mean.auc == summary.domains["target"].pooled.auc == 0.5
    assert summary.machine_ids["section_00"].auc == pytest.approx(6 / 8)


def test_intervals_are_there_for_every_defined_measure_and_hold_it():
    rng = np.random.default_rng(0)
    is_anomaly = rng.random(120) < 0.5
    labels = labels_of(is_anomaly, ["section_00", "section_01"] * 60, ["source"] * 80 + ["target"] * 40)
    measured = metrics.measure_all(rng.standard_normal(120) + is_anomaly, labels, labels.resamples(n_resamples=200))

    def walk(tree):
        if "auc" in tree:
            low, high = tree["interval_95"]["auc"]
            assert low < tree["auc"] < high
            assert len(tree["interval_95"]["pauc"]) == 2
            return 1
        return sum(walk(branch) for branch in tree.values())

    assert walk(to_json(measured.summary)) == 2 + 3 + 2 * (2 + 3)  # ids, means and pooled; the same in each domain


def test_paired_differences_see_a_real_gain_and_no_gain():
    rng = np.random.default_rng(0)
    is_anomaly = np.arange(200) % 2 == 1
    labels = labels_of(is_anomaly, ["a"] * 200)
    resamples = labels.resamples()
    good, poor = is_anomaly * 2.0 + rng.standard_normal(200), rng.standard_normal(200)
    first, second = (metrics.measure_all(scores, labels, resamples) for scores in (good, poor))
    gain = metrics.difference(first, second)
    assert gain.interval_95[0] > 0.2 and gain.interval_95[0] < gain.auc_difference < gain.interval_95[1]
    assert gain.pauc_interval_95[0] > 0
    same = metrics.difference(first, metrics.measure_all(3 * good + 1, labels, resamples))  # the same order
    assert same.auc_difference == 0 and same.interval_95 == (0, 0)
    undefined = metrics.measure_all(np.full(200, np.nan), labels, resamples)
    assert metrics.difference(first, undefined).auc_difference is None
