"""Label-free choice of settings, on vectors whose right answer is known."""

import numpy as np
import pytest

from asd_jax import scorers
from asd_jax.errors import InputError


@pytest.fixture(scope="module")
def two_groups() -> np.ndarray:
    rng = np.random.default_rng(0)
    correlated = rng.standard_normal((200, 2)) @ np.array([[1.0, 0.9], [0.0, 0.3]])
    correlated[100:] = correlated[100:, ::-1] * [1, -1] + [8, 0]
    return correlated


def test_gmm_finds_the_components_and_the_covariance_that_made_the_data(two_groups):
    assert scorers.search("gmm", two_groups) == {"n_components": 2, "covariance_type": "full"}


def test_settings_given_are_not_searched(two_groups):
    assert scorers.search("gmm", two_groups, covariance_type="diag").keys() == {"n_components"}


@pytest.mark.parametrize("nu", [0.1, 0.3])
def test_ocsvm_takes_a_boundary_that_keeps_its_promise_on_new_clips(nu):
    rng = np.random.default_rng(1)
    train, new = rng.standard_normal((400, 2)), rng.standard_normal((4000, 2))
    gamma = scorers.search("ocsvm", train, nu=nu)["gamma"]
    rejected = np.mean(scorers.fit("ocsvm", train, nu=nu, gamma=gamma).score(new) > 0)
    assert abs(rejected - nu) < 0.06
    tighter = f"{float(gamma.split('*')[0]) * 16:g}*scale"
    assert np.mean(scorers.fit("ocsvm", train, nu=nu, gamma=tighter).score(new) > 0) > rejected


def test_ocsvm_chooses_among_values_of_nu():
    train = np.random.default_rng(1).standard_normal((100, 2))
    found = {nu: scorers.search("ocsvm", train, nu=nu)["gamma"] for nu in (0.05, 0.2)}
    chosen = scorers.search("ocsvm", train, nu=(0.05, 0.2))
    assert chosen["gamma"] == max(found.values(), key=lambda gamma: float(gamma.split("*")[0]))
    assert found[chosen["nu"]] == chosen["gamma"]


def test_with_gamma_given_the_first_nu_is_taken_that_keeps_its_promise():
    rng = np.random.default_rng(1)
    train, new = rng.standard_normal((400, 2)), rng.standard_normal((4000, 2))
    assert scorers.search("ocsvm", train, nu=(0.1, 0.05), gamma="1*scale") == {"nu": 0.1}
    # So tight a boundary leaves most new clips outside whatever nu promises; the largest promise is broken least.
    assert scorers.search("ocsvm", train, nu=(0.1, 0.3), gamma="4000*scale") == {"nu": 0.3}
    # Between the two, the first one's promise is broken and the second's kept.
    rejected = {nu: np.mean(scorers.fit("ocsvm", train, nu=nu, gamma="2*scale").score(new) > 0) for nu in (0.05, 0.3)}
    assert rejected[0.05] > 0.15 and rejected[0.3] < 0.35
    assert scorers.search("ocsvm", train, nu=(0.05, 0.3), gamma="2*scale") == {"nu": 0.3}


@pytest.mark.parametrize("name", ["lof", "knn", "pca+knn"])
def test_neighbours_keep_the_nominal_rejection_on_new_clips(name):
    rng = np.random.default_rng(2)
    train, new = rng.standard_normal((120, 3)), rng.standard_normal((2000, 3))
    chosen = scorers.search(name, train)
    scorer = scorers.fit(name, train, **chosen)
    limit = np.quantile(getattr(scorer, "inner", scorer).leave_one_out(), 0.9)
    assert np.mean(scorer.score(new) > limit) < 0.1 + 0.06


def test_what_cannot_be_searched(two_groups):
    with pytest.raises(InputError, match="iforest has no settings to choose"):
        scorers.search("iforest", two_groups)
    with pytest.raises(InputError, match="at least 10 normal clips"):
        scorers.search("gmm", two_groups[:9])


def test_folds_keep_recordings_together():
    """Clips of one recording are nearly alike: only a search that parts them thinks a spike on each is a fit."""
    rng = np.random.default_rng(3)
    recordings = rng.standard_normal((20, 2))
    vectors = np.repeat(recordings, 10, axis=0) + 0.01 * rng.standard_normal((200, 2))
    parted = scorers.search("ocsvm", vectors, nu=0.1)["gamma"]
    together = scorers.search("ocsvm", vectors, nu=0.1, groups=np.repeat(np.arange(20), 10))["gamma"]
    assert float(together.split("*")[0]) < float(parted.split("*")[0])
    one = scorers.search("ocsvm", vectors, nu=0.1, groups=np.zeros(200, np.int64))["gamma"]
    assert one == parted  # a single recording cannot be kept together
