"""From the false alarms that are tolerated to the threshold of a window, and back."""

import math

import numpy as np

from asd_jax.detectors.calibration import Calibrated
from asd_jax.detectors.recordings import prediction_limit
from asd_jax.detectors.stream.alarms import Votes

WEEK_SECONDS = 604_800.0


def per_week(share: float, votes: Votes, *, window_seconds: float) -> float:
    """Alarms a week of normal sound, where a window is above the threshold with a probability of `share`.

    Of every window that does not overlap the one before, the binomial probability that it and those before it suffice,
    windows being independent. Windows that follow one another are alike, so that the true number may be several times
    as high, or lower.
    """
    return WEEK_SECONDS / window_seconds * _at_least(share, votes)


def share_for(alarms_per_week: float, votes: Votes, *, window_seconds: float) -> float:
    """Share of normal windows above the threshold that gives so many alarms a week; `per_week` inverted."""
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if per_week(middle, votes, window_seconds=window_seconds) > alarms_per_week:
            high = middle
        else:
            low = middle
    return low


def _at_least(share: float, votes: Votes) -> float:
    chosen = range(votes.least, votes.of + 1)
    return sum(math.comb(votes.of, k) * share**k * (1 - share) ** (votes.of - k) for k in chosen)


def window_threshold(fitted: Calibrated, share: float) -> float:
    """What a normal window exceeds with a probability of `share`; never below the detector's own threshold.

    The prediction limit of one more score, see `recordings.prediction_limit`.
    """
    return max(fitted.threshold.value, prediction_limit(fitted.normal_scores, share))


def share_above(fitted: Calibrated, threshold: float) -> float:
    """Share of normal clips that score above a threshold; where none of n does, 1 / (n + 1) and not 0."""
    above = int(np.sum(fitted.normal_scores > threshold))
    return max(above, 1) / (len(fitted.normal_scores) + 1)


def rounded(alarms_per_week: float) -> float:
    """As much of it as means something."""
    return float(f"{alarms_per_week:.2g}")
