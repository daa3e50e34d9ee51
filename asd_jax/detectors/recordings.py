"""From the scores of a recording's clips to what is said of the recording: the one place where that is decided.

A detector is fitted on clips, and so are its thresholds. Of many normal clips some lie above a clip's threshold, so
that an alarm by any of them would come the more often the longer a recording is. Instead a recording scores as the
largest median of three consecutive clips, which one clip alone cannot raise, and is held against the limit below which
all n of its clips stay with the probability that the rule of the threshold gives a single one.
"""

from collections.abc import Sequence

import numpy as np

from asd_jax.detectors import student_t, thresholds
from asd_jax.detectors.thresholds import Threshold
from asd_jax.features.shapes import Float, Int

_CONSECUTIVE = 3


def statistic(scores: Float[np.ndarray, " n_clips"], *, consecutive: int = _CONSECUTIVE) -> tuple[float, int]:
    """Score of a recording, and the clip at which what gave it begins: the largest median of consecutive clips.

    Args:
        scores: of its clips in the order of time, at least one; fewer than `consecutive` give the largest of them.
        consecutive: number of clips; 1 for the worst clip.

    Returns:
        the score, NaN where one of several is not finite, and the index of the first of the clips.
    """
    if len(scores) > 1 and not np.isfinite(scores).all():
        return np.nan, int(np.argmin(np.isfinite(scores)))
    if len(scores) < consecutive:
        consecutive = 1
    medians = np.median(np.lib.stride_tricks.sliding_window_view(scores, consecutive), axis=-1)
    first = int(np.argmax(medians))
    return float(medians[first]), first


def statistics(
    scores: Float[np.ndarray, " n_clips"], recording: Int[np.ndarray, " n_clips"], *, consecutive: int = _CONSECUTIVE
) -> tuple[Float[np.ndarray, " n_recordings"], Int[np.ndarray, " n_recordings"]]:
    """`statistic` of each recording, with the index of the clip among all clips.

    Args:
        scores: of the clips of all recordings, those of each in the order of time.
        recording: from `recording_index`.
        consecutive: see `statistic`.
    """
    order = np.argsort(recording, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(recording[order])) + 1) if len(order) else []
    found = [statistic(scores[part], consecutive=consecutive) for part in parts]
    first = [part[index] for part, (_, index) in zip(parts, found, strict=True)]
    return np.asarray([score for score, _ in found], np.float64), np.asarray(first, np.int64)


def limit(threshold: Threshold, normal_scores: Float[np.ndarray, " n_normal"], n_clips: int) -> float:
    """What a recording of `n_clips` clips is held against: of one clip the threshold itself.

    Of n clips it is the Student-t prediction limit of a further clip at 1 - (1 - Q) / n (Hahn and Meeker, Statistical
    Intervals, 1991, 4.8), Q being the quantile of the threshold's rule; and never below the threshold, so that an
    infinite one never alarms. With the correction for n clips (Bonferroni) the largest of them stays below it, and so
    do medians, whether the clips are alike or independent. The limit is that of log(score - location), since scores
    are skewed: the location lies one standard deviation below the smallest, so that where a scorer has its zero does
    not matter.

    Args:
        threshold: of clips.
        normal_scores: of normal clips that the scorer was not fitted on.
        n_clips: of the recording.
    """
    if n_clips == 1:
        return threshold.value
    share = (1 - thresholds.parse(threshold.name)[1]) / n_clips
    return max(threshold.value, prediction_limit(normal_scores, share))


def prediction_limit(normal_scores: Float[np.ndarray, " n_normal"], share: float) -> float:
    """What one more normal score exceeds with a probability of `share`, as `limit` has it; infinite of one score.

    Args:
        normal_scores: of normal clips that the scorer was not fitted on.
        share: between 0 and 1.
    """
    if len(normal_scores) < 2:
        return np.inf
    centre, scale, location = _prediction(normal_scores)
    with np.errstate(over="ignore"):
        return float(location + np.exp(centre + scale * student_t.isf(share, len(normal_scores) - 1)))


def share_of_normal_above(score: float, normal_scores: Float[np.ndarray, " n_normal"], n_clips: int) -> float:
    """Share of normal recordings of `n_clips` clips that score higher, at most; NaN where the score is.

    Of single clips the share among the normal clips, of longer ones what `limit` allows for.
    """
    if np.isnan(score):
        return np.nan
    if n_clips == 1:
        return float(np.mean(normal_scores > score))
    if len(normal_scores) < 2:
        return 1.0
    centre, scale, location = _prediction(normal_scores)
    if score <= location:
        return 1.0
    with np.errstate(divide="ignore"):
        at = np.divide(np.log(score - location) - centre, scale)
    return 1.0 if np.isnan(at) else min(1.0, n_clips * student_t.sf(float(at), len(normal_scores) - 1))


def _prediction(normal_scores: Float[np.ndarray, " n_normal"]) -> tuple[float, float, float]:
    """Centre and scale of the prediction of one more score's logarithm, and the location subtracted before."""
    location = float(normal_scores.min() - normal_scores.std() - 1e-12)
    logs = np.log(normal_scores - location)
    return float(logs.mean()), float(logs.std(ddof=1) * np.sqrt(1 + 1 / len(logs))), location


def limits(
    threshold: Threshold, normal_scores: Float[np.ndarray, " n_normal"], n_clips: Sequence[int]
) -> Float[np.ndarray, " n_recordings"]:
    """`limit` of recordings of several lengths."""
    by_length = {count: limit(threshold, normal_scores, count) for count in set(n_clips)}
    return np.asarray([by_length[count] for count in n_clips], np.float64)
