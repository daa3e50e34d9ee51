"""Thresholds set by the labels of the very clips they are judged on, as student reports and many papers set theirs.

They reproduce published tables and never make a decision. Everything made here is called `oracle` and is marked
`"selection": "oracle"`.
"""

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.detectors.thresholds import Method, Source, Threshold

RULES = ("oracle_max_f1", "oracle_tpr_0.8")


def fit(name: str, scores: Float[np.ndarray, " n_clips"], is_anomaly: Bool[np.ndarray, " n_clips"]) -> Threshold | None:
    """The threshold that the labels favour, midway between two neighbouring scores.

    Args:
        name: `oracle_max_f1`: the highest F1 of the anomalous class, of equals the highest threshold;
            `oracle_tpr_0.8`: the highest threshold that finds at least 80 % of the anomalous clips.
        scores: of labelled clips.
        is_anomaly: their labels.

    Returns:
        the threshold; None where a class is missing or a score is not finite.

    Raises:
        ValueError: unknown rule.
    """
    if name not in RULES:
        raise ValueError(f"no rule {name!r}; there are {', '.join(RULES)}")
    if is_anomaly.all() or not is_anomaly.any() or not np.isfinite(scores).all():
        return None
    levels = np.unique(scores)[::-1].astype(np.float64)
    below = np.append(levels[1:], levels[-1] - 1.0)
    values = (levels + below) / 2
    values = np.where(values < levels, values, below)  # neighbours so close that nothing lies between them
    found = _share_above(scores[is_anomaly], values)
    false_alarms = _share_above(scores[~is_anomaly], values)
    if name == "oracle_tpr_0.8":
        chosen = int(np.argmax(found >= 0.8 - 1e-12))
    else:
        tp, fp = found * is_anomaly.sum(), false_alarms * (~is_anomaly).sum()
        chosen = int(np.argmax(2 * tp / (tp + fp + is_anomaly.sum())))
    return Threshold(name, float(values[chosen]), Method.ORACLE, int((~is_anomaly).sum()), Source.LABELLED_TEST)


def _share_above(
    scores: Float[np.ndarray, " n_scores"], values: Float[np.ndarray, " n_values"]
) -> Float[np.ndarray, " n_values"]:
    """Share of some scores above each value."""
    return 1 - np.searchsorted(np.sort(scores), values, side="right") / len(scores)
