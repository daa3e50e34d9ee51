import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asd_jax import metrics


def test_measure_by_hand():
    # Anomalies 3 and 1.5 against normals 1 and 2: three of four pairs are in the right order.
    values = metrics.measure(np.array([1.0, 2.0, 3.0, 1.5]), np.array([False, False, True, True]))
    assert values["auc"] == 0.75
    # Ranked 3 (hit), 2 (miss), 1.5 (hit), 1 (miss): precision 1 at recall 1/2, 2/3 at recall 1.
    assert values["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    # Up to a false-alarm rate of 0.1 the curve lies at 0.5: area 0.05, of 0.005 by chance and 0.1 at most.
    assert values["pauc"] == pytest.approx(0.5 * (1 + (0.05 - 0.005) / (0.1 - 0.005)))
    assert (values["n_normal"], values["n_anomaly"]) == (2, 2)


@pytest.mark.parametrize(("label", "missing"), [(True, "normal"), (False, "anomalous")])
def test_one_class_is_undefined_and_says_why(label, missing):
    values = metrics.measure(np.arange(3.0), np.full(3, label))
    assert values["auc"] is None and values["pauc"] is None and values["average_precision"] is None
    assert values["undefined"] == f"no {missing} test clips"


def test_summary_means_by_hand():
    scores = np.array([0.0, 1.0, 0.0, 1.0, 2.0, 2.0])
    is_anomaly = np.array([False, True, False, True, False, True])
    ids = ["id_00", "id_00", "id_02", "id_02", "id_02", "id_02"]
    summary = metrics.summarize(scores, is_anomaly, ids)
    # id_02: normals 0 and 2, anomalies 1 and 2; pairs 1>0, 1<2, 2>0, 2=2.
    assert summary["machine_ids"]["id_02"]["auc"] == pytest.approx(2.5 / 4)
    assert summary["mean"]["auc"] == pytest.approx((1 + 0.625) / 2)
    assert summary["harmonic_mean"]["auc"] == pytest.approx(2 / (1 + 1 / 0.625))
    assert summary["pooled"]["n_normal"] == 3


def test_mean_leaves_undefined_ids_out():
    summary = metrics.summarize(np.array([0.0, 1.0, 5.0]), np.array([False, True, False]), ["a", "a", "b"])
    assert summary["mean"]["auc"] == 1.0
    assert summary["machine_ids"]["b"]["auc"] is None
    nothing = metrics.summarize(np.array([5.0]), np.array([False]), ["b"])
    assert nothing["mean"]["auc"] is None and "undefined" in nothing["mean"]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_auc_of_resamples_equals_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    normal, anomaly = rng.integers(0, 5, (1, 7)).astype(float), rng.integers(1, 6, (1, 4)).astype(float)
    expected = metrics.measure(np.r_[normal[0], anomaly[0]], np.r_[np.zeros(7, bool), np.ones(4, bool)])["auc"]
    assert metrics._auc_of_resamples(normal, anomaly)[0] == pytest.approx(expected)


def test_paired_bootstrap_sees_a_real_gain_and_no_gain():
    rng = np.random.default_rng(0)
    is_anomaly = np.arange(200) % 2 == 1
    good = is_anomaly * 2.0 + rng.standard_normal(200)
    poor = rng.standard_normal(200)
    gain = metrics.paired_bootstrap(good, poor, is_anomaly, ["a"] * 200)
    assert gain["interval_95"][0] > 0.2 and gain["interval_95"][0] < gain["auc_difference"] < gain["interval_95"][1]
    same = metrics.paired_bootstrap(good, 3 * good + 1, is_anomaly, ["a"] * 200)  # the same order, so the same AUC
    assert same["auc_difference"] == 0 and same["interval_95"] == [0, 0]
