"""Decision thresholds from the scores of normal clips alone, and the measures at a threshold.

The rules, of which a run takes one for its decisions and reports the others beside it:

* `gamma_Q` takes the Q quantile of a gamma distribution, the rule of DCASE Task 2;
* `percentile_Q` takes the empirical percentile, `percentile_90` or `percentile_0.9`;
* `conformal` (0.9) or `conformal_Q` takes the order statistic that bounds the false-alarm rate for any finite number of
  clips.

Rules that look at labels live in `oracle_thresholds`.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from asd_jax.errors import InputError

DEFAULT = "gamma_0.9"
REPORTED = ("gamma_0.9", "percentile_90", "conformal")
_TOLERANCE = 0.02


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A decision threshold: a clip that scores above `value` is called anomalous.

    Attributes:
        name: the rule asked for, such as `gamma_0.9`.
        value: the threshold; infinite where the rule cannot keep its promise and so never raises an alarm.
        method: what was done in the end: `gamma`, `empirical_quantile` (also where the gamma did not fit),
            `conformal`, or `conformal, never alarms` with the reason.
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

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: None for an infinite value."""
        return dataclasses.asdict(self) | {"value": self.value if math.isfinite(self.value) else None}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "Threshold":
        """Rebuild from `to_dict`."""
        value = saved["value"]
        return cls(**(dict(saved) | {"value": math.inf if value is None else value}))


def parse(name: str) -> tuple[str, float]:
    """Kind and quantile of a rule's name: `gamma_0.9` is `("gamma", 0.9)`, `percentile_95` `("percentile", 0.95)`.

    Raises:
        InputError: no rule of that name.
    """
    match = re.fullmatch(r"(gamma|conformal|percentile)(?:_(\d+(?:\.\d+)?))?", name)
    if match:
        kind, given = match[1], match[2]
        quantile = float(given) if given else 0.9 if kind == "conformal" else 0.0
        if kind == "percentile" and quantile >= 1:
            quantile /= 100
        if 0 < quantile < 1:
            return kind, quantile
    reason = "looks at labels and makes no decisions" if name.startswith("oracle") else "not known"
    raise InputError(
        f"--threshold={name}: {reason}; give gamma_Q with a quantile Q such as gamma_0.9, percentile_Q such as "
        "percentile_95, or conformal (conformal_Q)"
    )


def fit(name: str, scores: Float[np.ndarray, " n_clips"], *, fitted_on: str) -> Threshold:
    """Fit a threshold on scores of normal clips that the scorer was not fitted on.

    `gamma_Q` is the Q quantile of a gamma distribution with a fixed location (the rule of DCASE Task 2, whose free
    location makes the fit degenerate): 0 for positive scores, else one standard deviation below the smallest. The
    fit is accepted when the quantile is finite and the share of the scores above it is within two points of 1 - Q, or
    within one clip where a clip is more than that: of six validation clips either none or one lies above, and the
    empirical quantile of six would let twice the nominal share of false alarms through. Otherwise the empirical
    quantile takes its place and `method` says so.

    `conformal_Q` is the k-th smallest of n scores, k = ceil((n + 1) Q): split conformal prediction (Vovk et al. 2005).
    A new normal clip whose score is exchangeable with them lies above with a probability of at most 1 - Q, whatever
    n and the distribution. So it does where the scorer saw none of the clips (validation clips); with out-of-fold
    scores, whose scorers saw slightly fewer clips than the final one, the bound holds approximately. Below
    Q / (1 - Q) clips no score keeps the promise, and the threshold is infinite.

    Raises:
        InputError: unknown rule, or no finite score to fit on.
    """
    kind, quantile = parse(name)
    scores = np.asarray(scores, np.float64)
    n_bad = int((~np.isfinite(scores)).sum())
    if len(scores) == 0 or n_bad:
        found = f"{n_bad} of {len(scores)} are not finite" if n_bad else "there are none"
        raise InputError(
            f"a threshold needs finite scores of normal clips, and {found} ({fitted_on}); a network that diverged "
            "wants a lower --learning_rate"
        )
    if kind == "percentile":
        return Threshold(name, float(np.quantile(scores, quantile)), "empirical_quantile", 0.0, len(scores), fitted_on)
    if kind == "conformal":
        value, method = _conformal(scores, quantile)
        return Threshold(name, value, method, 0.0, len(scores), fitted_on)
    location = 0.0 if scores.min() > 0 else float(scores.min() - scores.std() - 1e-12)
    value, method = float("nan"), "gamma"
    if np.ptp(scores) > 1e-9 * np.abs(scores).max():
        from scipy.stats import gamma

        shape, _, scale = gamma.fit(scores - location, floc=0)
        value = location + float(gamma.ppf(quantile, shape, scale=scale))
    exceedance = np.mean(scores > value)
    if not np.isfinite(value) or abs(exceedance - (1 - quantile)) > max(_TOLERANCE, 1 / len(scores)):
        value, method = float(np.quantile(scores, quantile)), "empirical_quantile"
    return Threshold(name, value, method, location, len(scores), fitted_on)


def _conformal(scores: Float[np.ndarray, " n_clips"], quantile: float) -> tuple[float, str]:
    rank = math.ceil((len(scores) + 1) * quantile - 1e-9)  # so that 10 * 0.9 is not 9.000000001
    if rank > len(scores):
        needed = math.ceil(quantile / (1 - quantile) - 1e-9)
        return math.inf, f"conformal, never alarms: needs {needed} normal clips"
    return float(np.sort(scores)[rank - 1]), "conformal"


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
        Where a score is not finite there is no decision: all are None and `undefined` says why.
    """
    n_bad = int((~np.isfinite(scores)).sum())
    decision = scores > threshold.value
    tp, fp = int((decision & is_anomaly).sum()), int((decision & ~is_anomaly).sum())
    fn, tn = int((~decision & is_anomaly).sum()), int((~decision & ~is_anomaly).sum())

    def ratio(part: int, whole: int) -> float | None:
        return part / whole if whole and not n_bad else None

    return {
        **threshold.to_dict(),
        "false_alarm_rate": ratio(fp, fp + tn),
        "true_positive_rate": ratio(tp, tp + fn),
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "normal_precision": ratio(tn, tn + fn),
        "normal_recall": ratio(tn, tn + fp),
        "normal_f1": ratio(2 * tn, 2 * tn + fp + fn),
        "accuracy": ratio(tp + tn, len(scores)),
        "confusion": None if n_bad else [[tn, fp], [fn, tp]],
    } | ({"undefined": f"{n_bad} of {len(scores)} scores are not finite"} if n_bad else {})
