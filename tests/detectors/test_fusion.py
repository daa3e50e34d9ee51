"""Fused scorers: standard deviations of unseen normal clips, their mean or maximum."""

import numpy as np
import pytest

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.fitted_scorers import FittedScorer, ScorerSpec, fit_scorers
from asd_jax.detectors.fusion import FusionSpec
from asd_jax.errors import InputError
from asd_jax.representations.representation import ClipRepresentation

MACHINES = [Machine("fan", "id_00")] * 30 + [Machine("pump", "id_00")] * 30
SPECS = (ScorerSpec("kmeans"), ScorerSpec("mse"))


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((60, 3)) * np.where(np.arange(60) < 30, 1, 50)[:, None]
    return ClipRepresentation(vectors, rng.gamma(2.0, size=(60, 4)))


@pytest.mark.parametrize(("rule", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_a_fused_score_is_that_of_standardised_ones(values, rule, reduce):
    fitted = fit_scorers(values, MACHINES, specs=SPECS, fusion=FusionSpec(("kmeans", "mse"), rule))
    probe = values.of(np.arange(5))
    for machine in sorted(set(MACHINES)):
        parts = [fitted[name][machine] for name in ("kmeans", "mse")]
        standard = [(of.score(probe) - of.normal_scores.mean()) / of.normal_scores.std() for of in parts]
        fused = fitted["fusion"][machine]
        np.testing.assert_allclose(fused.score(probe), reduce(standard, axis=0))
        assert fused.threshold.n_normal == 30 and 0 < np.mean(fused.normal_scores > fused.threshold.value) < 0.25
        if rule == "mean":
            assert abs(fused.normal_scores.mean()) < 1e-9
        again = FittedScorer.from_state(*fused.to_state())
        np.testing.assert_array_equal(again.score(probe), fused.score(probe))


def test_unknown_and_lone_scorers_are_named(values):
    with pytest.raises(InputError, match=r"`fusion=kmeans\+lof`: lof is none of this run's scorers, kmeans, mse"):
        fit_scorers(values, MACHINES, specs=SPECS, fusion=FusionSpec(("kmeans", "lof")))
    with pytest.raises(InputError, match="name two or more scorers"):
        FusionSpec(("kmeans",))
    with pytest.raises(InputError, match="give mean or max"):
        FusionSpec(("kmeans", "mse"), "median")
