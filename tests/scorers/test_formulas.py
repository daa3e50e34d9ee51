"""The one formula of each scorer, by NumPy's operations and by JAX's."""

import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax import scorers
from asd_jax.detectors.export import exportable

VECTORS = [name for name in exportable() if scorers.REGISTRY[name].reads == "vector"]
ERRORS = [name for name in exportable() if scorers.REGISTRY[name].reads == "window_error"]


def test_those_without_a_formula_are_trees_and_neighbourhoods():
    assert {"mse", "gmm", "knn"} <= set(exportable()) <= set(scorers.REGISTRY) - {"iforest", "lof"}


@pytest.mark.parametrize("name", [*VECTORS, *(f"pca+{name}" for name in VECTORS)])
def test_a_formula_is_the_score_of_vectors(name):
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((12, 12))
    train, test = (rng.standard_normal((n, 12)) @ mixing - 40 for n in (80, 15))
    scorer = scorers.fit(name, train)
    np.testing.assert_allclose(scorer.formula(test, np), scorer.score(test), rtol=1e-9)
    traced = scorer.formula(jnp.asarray(test, jnp.float32), jnp)
    np.testing.assert_allclose(traced, scorer.score(test), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("settings", [{"n_components": 3}, {"n_components": 2, "covariance_type": "diag"}])
def test_a_formula_of_several_gaussians(settings):
    rng = np.random.default_rng(1)
    train, test = rng.standard_normal((90, 4)), rng.standard_normal((9, 4)) * 5
    scorer = scorers.fit("gmm", train, **settings)
    np.testing.assert_allclose(scorer.formula(jnp.asarray(test, jnp.float32), jnp), scorer.score(test), rtol=1e-5)


@pytest.mark.parametrize("name", ERRORS)
def test_a_formula_is_the_score_of_window_errors(name):
    errors = np.random.default_rng(0).gamma(2.0, size=(6, 40)).astype(np.float32)
    errors[2, 30:] = np.nan
    scorer = scorers.fit(name, errors)
    np.testing.assert_allclose(scorer.formula(jnp.asarray(errors), jnp), scorer.score(errors), rtol=1e-5)
