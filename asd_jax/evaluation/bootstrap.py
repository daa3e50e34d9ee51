"""Bootstrap over test clips: how far AUC and pAUC would move with other clips of the same machines.

Clips are drawn with replacement within each stratum (machine id, domain, class), so that a resample has as many normal
and anomalous clips of each as the test set. A resample is the number of times that each clip was drawn, and all
scorers are measured on the same resamples, so differences between scorers are paired.
"""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8

from asd_jax.evaluation.results import Difference, Interval, Measures

N_RESAMPLES = 1000
_LEVELS = (0.025, 0.975)


@dataclasses.dataclass(frozen=True)
class Resamples:
    """Drawn test clips.

    Attributes:
        counts: how often each clip is in each resample. A byte holds it: in a stratum of more than 255 clips a count
            above 255 does not happen.
    """

    counts: UInt8[np.ndarray, "n_resamples n_clips"]

    @classmethod
    def draw(cls, strata: Sequence[Hashable], *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> "Resamples":
        """Draw as many clips of each stratum as there are.

        Args:
            strata: the stratum of each clip.
            seed: of the draws.
            n_resamples: number of resamples.
        """
        rng = np.random.default_rng(seed)
        counts = np.zeros((n_resamples, len(strata)), np.uint8)
        members: dict[Hashable, list[int]] = {}
        for index, stratum in enumerate(strata):
            members.setdefault(stratum, []).append(index)
        row = np.arange(n_resamples)[:, None]
        for indices in members.values():
            size = len(indices)
            drawn = rng.integers(0, size, (n_resamples, size), dtype=np.int32)
            flat = np.bincount((drawn + row * size).ravel(), minlength=n_resamples * size)
            counts[:, indices] = flat.reshape(n_resamples, size)
        return cls(counts)

    def areas(
        self,
        scores: Float[np.ndarray, " n_clips"],
        is_anomaly: Bool[np.ndarray, " n_clips"],
        group: Bool[np.ndarray, " n_clips"],
        *,
        max_fpr: float,
    ) -> dict[str, Float[np.ndarray, " n_resamples"]]:
        """AUC and McClish-standardised pAUC of each resample of a group of clips that has both classes.

        As scikit-learn's `roc_auc_score`: the ROC curve is straight between distinct scores, so ties count half, and
        it is cut at `max_fpr`. The group holds whole strata.
        """
        normal, anomaly = np.flatnonzero(group & ~is_anomaly), np.flatnonzero(group & is_anomaly)
        normal, anomaly = normal[np.argsort(-scores[normal])], anomaly[np.argsort(-scores[anomaly])]
        # From here on the highest score comes first, as on the way along the ROC curve.
        heights = np.zeros((len(self.counts), len(anomaly) + 1), np.int32)
        np.cumsum(self.counts.take(anomaly, axis=1), axis=1, dtype=np.int32, out=heights[:, 1:])
        levels, first = np.unique(-scores[normal], return_index=True)
        widths = self.counts.take(normal, axis=1)
        if len(levels) < len(normal):
            widths = np.add.reduceat(widths, first, axis=1, dtype=np.int32)
        above = np.searchsorted(-scores[anomaly], levels, side="left")
        up_to = np.searchsorted(-scores[anomaly], levels, side="right")
        # The curve goes right by `widths` at each distinct score of normal clips, and up by `rises` on the way.
        starts = heights.take(above, axis=1)
        rises = heights.take(up_to, axis=1) - starts if (above != up_to).any() else None
        area = np.einsum("bn,bn->b", widths, starts, dtype=np.float64)
        if rises is not None:
            area += np.einsum("bn,bn->b", widths, rises, dtype=np.float64) / 2
        total = len(normal) * len(anomaly)

        limit = max_fpr * len(normal)
        right = np.cumsum(widths, axis=1, dtype=np.int32)
        n_inside = int((right < limit).sum(axis=1).max()) + 1  # distinct scores up to the cut, in any resample
        widths, right, starts = widths[:, :n_inside], right[:, :n_inside], starts[:, :n_inside]
        inside = np.minimum(right, limit) - np.minimum(right - widths.astype(np.int32), limit)
        partial = np.einsum("bn,bn->b", inside, starts, dtype=np.float64)
        if rises is not None:
            share = inside / np.maximum(widths, 1)
            partial += np.einsum("bn,bn,bn->b", inside, share, rises[:, :n_inside], dtype=np.float64) / 2
        least = max_fpr**2 / 2  # below the diagonal, up to the cut
        return {"auc": area / total, "pauc": 0.5 * (1 + (partial / total - least) / (max_fpr - least))}


def interval(values: Float[np.ndarray, " n_resamples"]) -> Interval:
    """The middle 95 % of resampled values, without the rounding errors by which a difference of 0 misses it."""
    low, high = np.quantile(values, _LEVELS)
    return round(float(low), 12) + 0.0, round(float(high), 12) + 0.0


def difference(
    observed: Measures,
    other: Measures,
    resampled: Mapping[str, Float[np.ndarray, " n_resamples"]],
    other_resampled: Mapping[str, Float[np.ndarray, " n_resamples"]],
) -> Difference:
    """How much higher AUC and pAUC are than another's on the same clips, with intervals of the paired resamples."""
    return Difference(
        auc_difference=observed.auc - other.auc,
        interval_95=interval(resampled["auc"] - other_resampled["auc"]),
        pauc_difference=observed.pauc - other.pauc,
        pauc_interval_95=interval(resampled["pauc"] - other_resampled["pauc"]),
        n_resamples=len(resampled["auc"]),
    )
