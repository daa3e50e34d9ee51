"""Decision thresholds from the scores of normal clips alone, and the measures at a threshold."""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
from jaxtyping import Bool, Float, Int

from asd_jax.errors import InputError

DEFAULT = "gamma_0.9"
_TOLERANCE = 0.02


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A decision threshold: a clip that scores above `value` is called anomalous.

    Attributes:
        name: the rule asked for, such as `gamma_0.9`.
        value: the threshold.
        method: what was done in the end: `gamma`, or `empirical_quantile` where the gamma did not fit.
        location: shift of the gamma distribution, subtracted from the scores before its fit.
        n_normal: number of normal clips it was fitted on.
        fitted_on: which scores those were, for example `out_of_fold` or `validation`.
    """

    name: str
    value: float
    method: str
    location: float
    n_normal: int
    fitted_on: str


def parse(name: str) -> float:
    """Quantile of a rule's name: `gamma_0.9` is 0.9.

    Raises:
        InputError: no rule of that name.
    """
    match = re.fullmatch(r"gamma_(0\.\d+)", name)
    if not match or not 0 < float(match[1]) < 1:
        raise InputError(f"--threshold={name}: not known; give gamma_Q with a quantile Q such as gamma_0.9")
    return float(match[1])


def fit(name: str, scores: Float[np.ndarray, " n_clips"], *, fitted_on: str) -> Threshold:
    """Fit a threshold on scores of normal clips that the scorer was not fitted on.

    `gamma_Q` is the Q quantile of a gamma distribution with a fixed location (the rule of DCASE Task 2, whose free
    location makes the fit degenerate): 0 for positive scores, else one standard deviation below the smallest. The
    fit is accepted when the quantile is finite and the share of the scores above it is within two points of 1 - Q, or
    within one clip where a clip is more than that: of six validation clips either none or one lies above, and the
    empirical quantile of six would let twice the nominal share of false alarms through. Otherwise the empirical
    quantile takes its place and `method` says so.

    Raises:
        InputError: unknown rule, or no finite score to fit on.
    """
    quantile = parse(name)
    scores = np.asarray(scores, np.float64)
    if len(scores) == 0 or not np.isfinite(scores).all():
        raise InputError(f"a threshold needs finite scores of normal clips, got {len(scores)} ({fitted_on})")
    location = 0.0 if scores.min() > 0 else float(scores.min() - scores.std() - 1e-12)
    value, method = float("nan"), "gamma"
    if np.ptp(scores) > 1e-9 * np.abs(scores).max():
        shape, _, scale = scipy.stats.gamma.fit(scores - location, floc=0)
        value = location + float(scipy.stats.gamma.ppf(quantile, shape, scale=scale))
    exceedance = np.mean(scores > value)
    if not np.isfinite(value) or abs(exceedance - (1 - quantile)) > max(_TOLERANCE, 1 / len(scores)):
        value, method = float(np.quantile(scores, quantile)), "empirical_quantile"
    return Threshold(name, value, method, location, len(scores), fitted_on)


def folds(n_clips: int, *, seed: int, n_folds: int = 5) -> Int[np.ndarray, " n_clips"]:
    """The fold that each clip is in, from 0: a seeded shuffle into equal parts, at most a part a clip."""
    return np.random.default_rng(seed).permutation(n_clips) % min(n_folds, n_clips)


def out_of_fold_scores(
    fit_scorer: Callable[[np.ndarray], Any],
    values: Float[np.ndarray, "n_clips dim"],
    *,
    seed: int,
    n_folds: int = 5,
) -> Float[np.ndarray, " n_clips"]:
    """Score of each clip by a scorer refitted on the other folds; in-sample scores would be too low."""
    fold = folds(len(values), seed=seed, n_folds=n_folds)
    scores = np.empty(len(values))
    for k in range(fold.max() + 1):
        scores[fold == k] = fit_scorer(values[fold != k]).score(values[fold == k])
    return scores


def measures(
    threshold: Threshold, scores: Float[np.ndarray, " n"], is_anomaly: Bool[np.ndarray, " n"]
) -> dict[str, Any]:
    """What a threshold does on labelled clips; an undefined ratio is None.

    Returns:
        `value`, rates, precision, recall and F1 of the anomalous class and of the normal one (`normal_precision` and
        so on), accuracy, and `confusion` as `[[true negatives, false positives], [false negatives, true positives]]`.
    """
    decision = scores > threshold.value
    tp, fp = int((decision & is_anomaly).sum()), int((decision & ~is_anomaly).sum())
    fn, tn = int((~decision & is_anomaly).sum()), int((~decision & ~is_anomaly).sum())

    def ratio(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    return {
        **dataclasses.asdict(threshold),
        "false_alarm_rate": ratio(fp, fp + tn),
        "true_positive_rate": ratio(tp, tp + fn),
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "normal_precision": ratio(tn, tn + fn),
        "normal_recall": ratio(tn, tn + fp),
        "normal_f1": ratio(2 * tn, 2 * tn + fp + fn),
        "accuracy": ratio(tp + tn, len(scores)),
        "confusion": [[tn, fp], [fn, tp]],
    }
