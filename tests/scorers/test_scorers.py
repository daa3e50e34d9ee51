import dataclasses

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.preprocessing import StandardScaler

from asd_jax import scorers


def test_mahalanobis_equals_scikit_learn():
    rng = np.random.default_rng(0)
    train = (rng.standard_normal((40, 6)) @ rng.standard_normal((6, 6)) * [1, 10, 100, 1, 1, 1]).astype(np.float32)
    test = rng.standard_normal((10, 6)).astype(np.float32) * 50
    scaler = StandardScaler().fit(train.astype(np.float64))
    expected = (
        LedoitWolf()
        .fit(scaler.transform(train.astype(np.float64)))
        .mahalanobis(scaler.transform(test.astype(np.float64)))
    )
    np.testing.assert_allclose(scorers.fit("mahalanobis", train).score(test), expected, rtol=1e-9)


def test_mahalanobis_bears_a_constant_dimension_and_few_clips():
    train = np.random.default_rng(0).standard_normal((3, 20))
    train[:, 0] = -100.0
    assert np.isfinite(scorers.fit("mahalanobis", train).score(train)).all()


def test_mse_leaves_missing_windows_out():
    window_error = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]], np.float32)
    np.testing.assert_allclose(scorers.fit("mse", window_error).score(window_error), [2.0, 4.0])


@pytest.mark.parametrize("name", sorted(scorers.REGISTRY))
def test_every_scorer_comes_back_from_its_state_and_scores_alike(name):
    values = np.random.default_rng(0).standard_normal((30, 5)).astype(np.float32) ** 2
    scorer = scorers.fit(name, values)
    assert dataclasses.is_dataclass(scorer) and scorer.reads in ("window_error", "vector")
    again = scorers.from_state(name, scorers.to_state(scorer))
    np.testing.assert_array_equal(again.score(values), scorer.score(values))


@pytest.mark.parametrize("name", sorted(scorers.REGISTRY))
def test_every_scorer_finds_a_far_outlier_most_anomalous(name):
    values = np.abs(np.random.default_rng(1).standard_normal((50, 4)))
    scores = scorers.fit(name, values).score(np.concatenate([values[:10], np.full((1, 4), 50.0)]))
    assert np.argmax(scores) == 10


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="mahalanobis"):
        scorers.fit("svm", np.zeros((3, 2)))
