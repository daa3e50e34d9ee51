"""Each vector scorer against scikit-learn's own pipeline on the same vectors."""

import dataclasses

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from asd_jax import scorers
from asd_jax.errors import InputError

VECTOR_SCORERS = [name for name, scorer in scorers.REGISTRY.items() if scorer.reads == "vector"]


@pytest.fixture(scope="module")
def train() -> np.ndarray:
    rng = np.random.default_rng(0)
    mixed = rng.standard_normal((120, 6)) @ rng.standard_normal((6, 6))
    mixed[60:] += 4
    return (mixed * [1, 10, 100, 1, 0.1, 1] - 30).astype(np.float32)


@pytest.fixture(scope="module")
def test(train: np.ndarray) -> np.ndarray:
    return train[::4] + np.random.default_rng(1).standard_normal((30, 6)).astype(np.float32) * train.std(axis=0)


def _standardized(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaler = StandardScaler().fit(train.astype(np.float64))
    return scaler.transform(train.astype(np.float64)), scaler.transform(test.astype(np.float64))


@pytest.mark.parametrize("n_clusters", [1, 3])
def test_kmeans(train, test, n_clusters):
    inputs, held_out = _standardized(train, test)
    expected = KMeans(n_clusters=n_clusters, n_init=10, random_state=0).fit(inputs).transform(held_out).min(axis=1)
    np.testing.assert_allclose(scorers.fit("kmeans", train, n_clusters=n_clusters).score(test), expected, rtol=1e-9)


def test_kmeans_with_one_centre_is_the_distance_to_the_mean():
    train = np.array([[0.0, 0.0], [2.0, 4.0]])  # mean (1, 2), standard deviations 1 and 2
    np.testing.assert_allclose(scorers.fit("kmeans", train).score(np.array([[4.0, 10.0]])), [5.0])


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("n_components", [1, 3])
def test_gmm(train, test, covariance_type, n_components):
    inputs, held_out = _standardized(train, test)
    settings = {"n_components": n_components, "covariance_type": covariance_type}
    mixture = GaussianMixture(**settings, reg_covar=1e-3, max_iter=500, random_state=0).fit(inputs)
    scores = scorers.fit("gmm", train, **settings).score(test)
    np.testing.assert_allclose(scores, -mixture.score_samples(held_out), rtol=1e-9)


@pytest.mark.parametrize("settings", [{}, {"nu": 0.3}, {"gamma": 0.02}])
def test_ocsvm(train, test, settings):
    inputs, held_out = _standardized(train, test)
    machine = OneClassSVM(**({"nu": 0.1} | settings)).fit(inputs)
    np.testing.assert_allclose(
        scorers.fit("ocsvm", train, **settings).score(test), -machine.decision_function(held_out), atol=1e-9
    )


def test_iforest(train, test):
    inputs, held_out = _standardized(train, test)
    forest = IsolationForest(n_estimators=200, random_state=3).fit(inputs)
    np.testing.assert_allclose(scorers.fit("iforest", train, seed=3).score(test), -forest.score_samples(held_out))


def test_lof(train, test):
    inputs, held_out = _standardized(train, test)
    estimator = LocalOutlierFactor(n_neighbors=10, novelty=True).fit(inputs)
    np.testing.assert_allclose(scorers.fit("lof", train).score(test), -estimator.score_samples(held_out))


def test_knn(train, test):
    inputs, held_out = _standardized(train, test)
    expected = NearestNeighbors(n_neighbors=2).fit(inputs).kneighbors(held_out)[0].mean(axis=1)
    np.testing.assert_allclose(scorers.fit("knn", train).score(test), expected)


@pytest.mark.parametrize("whiten", [False, True])
def test_pca_before_lof(train, test, whiten):
    steps = [StandardScaler(), PCA(3, svd_solver="full"), *([StandardScaler()] if whiten else [])]
    estimator = make_pipeline(*steps, LocalOutlierFactor(n_neighbors=10, novelty=True)).fit(train.astype(np.float64))
    scores = scorers.fit("pca+lof", train, pca_components=3, pca_whiten=whiten).score(test)
    np.testing.assert_allclose(scores, -estimator.score_samples(test.astype(np.float64)), rtol=1e-7)


def test_pca_keeps_a_share_of_the_variance_or_a_number_of_components(train):
    share = PCA(0.9).fit(_standardized(train, train)[0]).n_components_
    assert len(scorers.fit("pca+knn", train, pca_components=0.9).components) == share
    assert len(scorers.fit("pca+knn", train, pca_components=4).components) == 4


def test_without_standardisation_vectors_stay_as_they_are(train, test):
    expected = NearestNeighbors(n_neighbors=2).fit(train.astype(np.float64)).kneighbors(test)[0].mean(axis=1)
    np.testing.assert_allclose(scorers.fit("knn", train, standardize=False).score(test), expected)


@pytest.mark.parametrize("name", [*VECTOR_SCORERS, "pca+lof", "pca+gmm", "pca+mahalanobis", "pca+iforest"])
def test_a_scorer_built_from_its_state_scores_exactly_alike(name, train, test):
    scorer = scorers.fit(name, train)
    state = scorers.to_state(scorer)
    assert all(isinstance(value, np.ndarray | int | float | str | None) for value in state.values())
    np.testing.assert_array_equal(scorers.from_state(name, state).score(test), scorer.score(test))


@pytest.mark.parametrize("name", ["iforest", "lof", "knn"])
def test_drift_of_the_refitted_estimator_is_noticed(name, train):
    scorer = scorers.fit(name, train)
    state = scorers.to_state(dataclasses.replace(scorer, sklearn_version="0.1"))
    state["check_scores"] = state["check_scores"] * (1 + 1e-4)
    with pytest.warns(UserWarning, match=r"differ by 1\.0e-04 from those saved with 0\.1"):
        scorers.from_state(name, state)


@pytest.mark.parametrize("name", [*VECTOR_SCORERS, "pca+knn"])
def test_the_scale_of_a_dimension_does_not_matter(name, train, test):
    units = np.array([1e-3, 1.0, 7.0, 1e4, 1.0, 0.5], np.float32)
    scores = scorers.fit(name, train).score(test)
    np.testing.assert_allclose(scorers.fit(name, train * units).score(test * units), scores, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", VECTOR_SCORERS)
def test_constant_vectors_and_few_clips_give_finite_scores(name):
    train = np.random.default_rng(0).standard_normal((3, 20))
    train[:, 0] = -100.0
    assert np.isfinite(scorers.fit(name, train).score(train)).all()
    assert np.isfinite(scorers.fit(name, np.ones((5, 4))).score(np.ones((2, 4)))).all()


@pytest.mark.parametrize("name", [*VECTOR_SCORERS, "pca+knn"])
def test_bad_vectors_are_named(name, train):
    with pytest.raises(InputError, match=r"1 of 120 vectors hold NaN"):
        scorers.fit(name, np.where(np.arange(120)[:, None] == 7, np.nan, train))
    with pytest.raises(InputError, match="fitted on vectors of 6 values, got 5"):
        scorers.fit(name, train).score(train[:, :5])


def test_names_and_settings_that_are_not_there(train):
    with pytest.raises(InputError, match=r"no scorer named 'svm'; there are mse, .*pca"):
        scorers.fit("svm", train)
    with pytest.raises(InputError, match=r"pca\+mse: mse reads window errors"):
        scorers.fit("pca+mse", train)
    with pytest.raises(InputError, match=r"lof: .*'n_trees'"):
        scorers.fit("lof", train, n_trees=3)
    with pytest.raises(InputError, match="at least 2 normal clips of a machine id, got 1"):
        scorers.fit("lof", train[:1])
