import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from asd_jax.evaluation import bootstrap
from asd_jax.evaluation.bootstrap import Resamples


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30), st.sampled_from([2, 5, 1000]))
def test_areas_are_those_of_the_drawn_clips(seed, n_normal, n_anomaly, n_levels):
    """Against scikit-learn on the clips written out, with few and with many ties."""
    rng = np.random.default_rng(seed)
    is_anomaly = rng.permutation(np.arange(n_normal + n_anomaly) < n_anomaly)
    scores = rng.integers(0, n_levels, len(is_anomaly)) - 0.5 * n_levels + is_anomaly
    resamples = Resamples.draw(is_anomaly.tolist(), seed=seed, n_resamples=4)
    areas = resamples.areas(scores, is_anomaly, np.ones(len(scores), bool), max_fpr=0.1)
    for index, counts in enumerate(resamples.counts):
        drawn = np.repeat(np.arange(len(scores)), counts)
        labels, values = is_anomaly[drawn], scores[drawn]
        assert areas["auc"][index] == pytest.approx(roc_auc_score(labels, values))
        assert areas["pauc"][index] == pytest.approx(roc_auc_score(labels, values, max_fpr=0.1))


def test_a_resample_has_as_many_clips_of_each_stratum():
    strata = ["a"] * 5 + ["b"] * 1 + ["a"] * 2 + ["c"] * 300
    counts = Resamples.draw(strata, seed=1, n_resamples=50).counts
    for stratum, size in (("a", 7), ("b", 1), ("c", 300)):
        of_stratum = np.asarray(strata) == stratum
        assert (counts[:, of_stratum].sum(axis=1) == size).all()
    assert counts.std(axis=0)[0] > 0.5  # clips are drawn with replacement
    np.testing.assert_array_equal(counts, Resamples.draw(strata, seed=1, n_resamples=50).counts)


def test_other_clips_do_not_count():
    rng = np.random.default_rng(0)
    is_anomaly, scores = rng.random(40) < 0.5, rng.standard_normal(40)
    group = np.arange(40) < 25
    resamples = Resamples.draw(list(zip(group.tolist(), is_anomaly.tolist(), strict=True)), n_resamples=20)
    areas = resamples.areas(scores, is_anomaly, group, max_fpr=0.1)
    changed = np.where(group, scores, 99.0)
    np.testing.assert_array_equal(areas["auc"], resamples.areas(changed, is_anomaly, group, max_fpr=0.1)["auc"])


def test_the_interval_covers_the_true_auc():
    """Two Gaussians one apart have an AUC of 0.760; of 200 intervals about 95 % hold it."""
    rng, held = np.random.default_rng(0), 0
    is_anomaly = np.arange(80) < 40
    for seed in range(200):
        resamples = Resamples.draw(is_anomaly.tolist(), seed=seed, n_resamples=200)
        scores = rng.standard_normal(80) + is_anomaly
        auc = resamples.areas(scores, is_anomaly, np.ones(80, bool), max_fpr=0.1)["auc"]
        low, high = bootstrap.interval(auc)
        held += low <= 0.7602 <= high
    assert 0.89 <= held / 200 <= 0.99


def test_a_difference_of_zero_is_not_missed_by_rounding():
    assert bootstrap.interval(np.full(100, 1.1e-16)) == (0.0, 0.0)
    assert bootstrap.interval(np.full(100, -1.1e-16)) == (0.0, 0.0)
