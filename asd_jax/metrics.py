"""Measures of anomaly scores against labels, per machine id and over them."""

from typing import Any

import numpy as np
import scipy.stats
from jaxtyping import Bool, Float
from sklearn.metrics import average_precision_score, roc_auc_score

MAX_FPR = 0.1
MEASURES = ("auc", "pauc", "average_precision")


def measure(scores: Float[np.ndarray, " n_clips"], is_anomaly: Bool[np.ndarray, " n_clips"]) -> dict[str, Any]:
    """AUC, pAUC (up to a false-alarm rate of 0.1, McClish-standardised: chance is 0.5) and average precision.

    Where only one class is there a measure is None, with the reason under `undefined`.
    """
    n_anomaly = int(is_anomaly.sum())
    n_normal = len(is_anomaly) - n_anomaly
    counts = {"n_normal": n_normal, "n_anomaly": n_anomaly}
    missing = "normal" if n_normal == 0 else "anomalous" if n_anomaly == 0 else None
    if missing:
        return dict.fromkeys(MEASURES) | counts | {"undefined": f"no {missing} test clips"}
    return {
        "auc": float(roc_auc_score(is_anomaly, scores)),
        "pauc": float(roc_auc_score(is_anomaly, scores, max_fpr=MAX_FPR)),
        "average_precision": float(average_precision_score(is_anomaly, scores)),
        **counts,
    }


def summarize(
    scores: Float[np.ndarray, " n_clips"], is_anomaly: Bool[np.ndarray, " n_clips"], machine_ids: list[str]
) -> dict[str, Any]:
    """Measures of each machine id, their arithmetic and harmonic means over ids, and of all clips pooled.

    Ids whose measures are undefined are left out of the means; with none left the mean is undefined too.
    """
    ids = np.asarray(machine_ids)
    per_id = {
        machine_id: measure(scores[ids == machine_id], is_anomaly[ids == machine_id])
        for machine_id in sorted(set(machine_ids))
    }
    defined = [values for values in per_id.values() if "undefined" not in values]

    def over_ids(mean: Any) -> dict[str, Any]:
        if not defined:
            return dict.fromkeys(MEASURES) | {"undefined": "no machine id with both normal and anomalous test clips"}
        return {name: float(mean([values[name] for values in defined])) for name in MEASURES}

    return {
        "machine_ids": per_id,
        "mean": over_ids(np.mean),
        "harmonic_mean": over_ids(scipy.stats.hmean),
        "pooled": measure(scores, is_anomaly),
    }


def _auc_of_resamples(
    normal: Float[np.ndarray, "n_resamples n_normal"], anomaly: Float[np.ndarray, "n_resamples n_anomaly"]
) -> Float[np.ndarray, " n_resamples"]:
    """AUC of each row by ranks (Mann and Whitney), ties counting half."""
    ranks = scipy.stats.rankdata(np.concatenate([normal, anomaly], axis=1), axis=1)
    n_normal, n_anomaly = normal.shape[1], anomaly.shape[1]
    rank_sum = ranks[:, n_normal:].sum(axis=1)
    return (rank_sum - n_anomaly * (n_anomaly + 1) / 2) / (n_normal * n_anomaly)


def paired_bootstrap(
    scores: Float[np.ndarray, " n_clips"],
    other_scores: Float[np.ndarray, " n_clips"],
    is_anomaly: Bool[np.ndarray, " n_clips"],
    machine_ids: list[str],
    *,
    seed: int = 0,
    n_resamples: int = 1000,
) -> dict[str, Any]:
    """How much higher the mean AUC of the first scores is, with a 95 % interval over resampled test clips.

    Clips are drawn with replacement within each machine id and class, the same ones for both scores.

    Returns:
        `auc_difference`, `interval_95` (two values) and `n_resamples`; None and `undefined` with one class only.
    """
    ids, rng, differences, observed = np.asarray(machine_ids), np.random.default_rng(seed), [], []
    for machine_id in sorted(set(machine_ids)):
        normal = np.flatnonzero((ids == machine_id) & ~is_anomaly)
        anomaly = np.flatnonzero((ids == machine_id) & is_anomaly)
        if len(normal) == 0 or len(anomaly) == 0:
            continue
        drawn_normal = rng.choice(normal, (n_resamples, len(normal)))
        drawn_anomaly = rng.choice(anomaly, (n_resamples, len(anomaly)))
        first, second = (_auc_of_resamples(s[drawn_normal], s[drawn_anomaly]) for s in (scores, other_scores))
        differences.append(first - second)
        first, second = (_auc_of_resamples(s[None, normal], s[None, anomaly]) for s in (scores, other_scores))
        observed.append(first[0] - second[0])
    if not observed:
        return {"auc_difference": None, "interval_95": None, "undefined": "no machine id with both classes"}
    low, high = np.quantile(np.mean(differences, axis=0), [0.025, 0.975])
    return {
        "auc_difference": float(np.mean(observed)),
        "interval_95": [float(low), float(high)],
        "n_resamples": n_resamples,
    }
