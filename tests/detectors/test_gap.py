"""Scores of clips that a network saw, brought to those of clips that it did not see."""

import numpy as np
import pytest

from asd_jax.detectors import thresholds
from asd_jax.detectors.gap import Gap
from asd_jax.detectors.thresholds import Source


def test_by_hand():
    one = np.array([2.0]), np.array([1.0, 1.0])
    other = np.array([4.5]), np.array([2.0])
    for gap in Gap.of_machines([one, other]):  # a clip each says nothing of how much it may be off: the mean
        assert (gap.factor, gap.shift, gap.spread, gap.of_logs) == (pytest.approx(np.sqrt(2 * 2.25)), 0.0, 1.0, True)
    (gap,) = Gap.of_machines([(np.array([0.0, 2.0]), np.array([-1.0, -1.0]))])
    assert gap == Gap(shift=2.0)  # those seen are all alike, which says nothing of how they lie
    np.testing.assert_allclose(gap.unseen(np.array([-1.0, 0.0])), [1.0, 2.0])
    assert Gap.of_machines([(np.zeros(0), np.ones(3)), (np.ones(3), np.zeros(0))]) == [Gap(), Gap()]
    first, second = Gap.of_machines([one, (np.zeros(0), np.ones(3))])
    assert first.factor == second.factor == pytest.approx(2.0)
    assert len(Gap().unseen(np.zeros(0))) == 0


def test_machines_differ_as_far_as_chance_does_not_explain():
    rng, noise = np.random.default_rng(0), 0.04
    seen = np.exp(noise * rng.standard_normal(150))

    def factors(*higher):
        unseen = noise * rng.standard_normal(16)
        unseen -= unseen.mean()
        return [np.log(gap.factor) for gap in Gap.of_machines([(np.exp(by + unseen), seen) for by in higher])]

    apart, near = np.ptp(factors(0.05, 0.25)), np.ptp(factors(0.05, 0.06))
    assert apart == pytest.approx(0.2, rel=0.03) and near == pytest.approx(0.0, abs=1e-6)
    assert 0.01 < np.ptp(factors(0.05, 0.07)) < 0.02


def test_the_spread_is_believed_the_more_the_more_clips_show_it():
    seen = np.exp(np.array([-0.1, 0.1] * 50))
    spreads = [Gap.of_machines([(np.exp(np.array([-0.2, 0.2] * n)), seen)])[0].spread for n in (1, 5, 15, 100, 2000)]
    assert (np.diff(spreads) > 0).all() and spreads[0] < 1.1 and spreads[-1] == pytest.approx(2.0, abs=0.04)
    (closer,) = Gap.of_machines([(np.exp(np.array([-0.05, 0.05] * 50)), seen)])
    assert closer.spread == 1.0  # by chance: no network fits unseen clips more evenly
    moved = Gap(factor=1.1, spread=1.5, of_logs=True).unseen(seen)
    assert moved.mean() == pytest.approx(1.1 * seen.mean())
    assert np.log(moved).std() == pytest.approx(1.5 * np.log(seen).std())


@pytest.mark.parametrize(("ratio", "low", "high"), [(1.0, 0.07, 0.115), (1.3, 0.10, 0.14), (1.45, 0.10, 0.16)])
def test_false_alarms_where_a_network_fits_odd_clips_best(ratio, low, high):
    """Two machines, 144 clips seen and 16 unseen of each, whose spread is less."""
    rng, rates, of_mean = np.random.default_rng(0), [], []
    for _ in range(150):
        seen, unseen = (
            np.exp(0.036 * rng.standard_normal((2, 144))),
            np.exp(0.05 + 0.036 * ratio * rng.standard_normal((2, 16))),
        )
        new = np.exp(0.05 + 0.036 * ratio * rng.standard_normal((2, 2000)))
        for machine, gap in enumerate(Gap.of_machines(list(zip(unseen, seen, strict=True)))):
            for by, of in ((gap, rates), (Gap(gap.factor, of_logs=True), of_mean)):
                scores = np.r_[by.unseen(seen[machine]), unseen[machine]]
                limit = thresholds.fit("gamma_0.9", scores, source=Source.ALL_NORMAL).value
                of.append(np.mean(new[machine] > limit))
    assert low <= np.mean(rates) <= high and np.mean(rates) <= np.mean(of_mean), (np.mean(rates), np.mean(of_mean))
