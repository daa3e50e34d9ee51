"""What thresholds do on labelled clips."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.detectors.thresholds import Threshold, decide
from asd_jax.evaluation.results import AtThreshold


def method_in_words(threshold: Threshold) -> str:
    """How a threshold was found, and why it never alarms where it does not."""
    if threshold.n_needed is None:
        return threshold.method.value
    return f"{threshold.method}, never alarms: needs {threshold.n_needed} normal clips"


def at_threshold(
    threshold: Threshold,
    scores: Float[np.ndarray, " n"],
    is_anomaly: Bool[np.ndarray, " n"],
    *,
    limits: Float[np.ndarray, " n"] | None = None,
    **more: Any,
) -> AtThreshold:
    """Rates of decisions on labelled clips; where a score is not finite there is no decision, and no rate either.

    Args:
        threshold: that decides.
        scores: of the clips.
        is_anomaly: their labels.
        limits: what each score is held against, the threshold by default (see `recordings.limit`).
        **more: further fields of the result.
    """
    decisions = decide(scores, threshold.value if limits is None else limits)
    n_bad = int(np.ma.count_masked(decisions))
    alarms = decisions.filled(False)
    tp, fp = int((alarms & is_anomaly).sum()), int((alarms & ~is_anomaly).sum())
    fn, tn = int(is_anomaly.sum()) - tp, int((~is_anomaly).sum()) - fp

    def ratio(part: int, whole: int) -> float | None:
        return part / whole if whole and not n_bad else None

    return AtThreshold(
        name=threshold.name,
        value=threshold.value if math.isfinite(threshold.value) else None,
        method=method_in_words(threshold),
        location=threshold.location,
        n_normal=threshold.n_normal,
        fitted_on=threshold.fitted_on,
        false_alarm_rate=ratio(fp, fp + tn),
        true_positive_rate=ratio(tp, tp + fn),
        precision=ratio(tp, tp + fp),
        recall=ratio(tp, tp + fn),
        f1=ratio(2 * tp, 2 * tp + fp + fn),
        normal_precision=ratio(tn, tn + fn),
        normal_recall=ratio(tn, tn + fp),
        normal_f1=ratio(2 * tn, 2 * tn + fp + fn),
        accuracy=ratio(tp + tn, len(scores)),
        confusion=None if n_bad else ((tn, fp), (fn, tp)),
        undefined=f"{n_bad} of {len(scores)} scores are not finite" if n_bad else None,
        **more,
    )
