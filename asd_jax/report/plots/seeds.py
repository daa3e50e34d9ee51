"""How far networks that differ in their seed alone agree on the same clips."""

import itertools
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.stats import rankdata

from asd_jax.report.plots import style


def spearman(first: Float[np.ndarray, " _"], second: Float[np.ndarray, " _"]) -> float:
    """Spearman's rank correlation, that of ranks; equal values share their mean rank; NaN where one is constant."""
    ranks = np.stack([rankdata(first), rankdata(second)]) if len(first) > 1 else np.zeros((2, 1))
    apart = ranks - ranks.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.prod(np.square(apart).sum(axis=1)))
    return float((apart[0] * apart[1]).sum() / scale) if scale > 0 else float("nan")


@style.styled
def seed_agreement(
    scores: Mapping[str, Float[np.ndarray, "n_seeds _"]],
    decisions: Mapping[str, Bool[np.ndarray, "n_seeds _"]],
    is_anomaly: Mapping[str, Bool[np.ndarray, " _"]] | None = None,
) -> Figure:
    """The place of each clip among those of its machine id, from the lowest to the highest that a seed gives it.

    Clips are sorted by their mean place; those on which seeds decide differently are marked.

    Args:
        scores: of each seed, by machine id; clips with a score that is not finite are left out.
        decisions: whether each seed calls a clip anomalous.
        is_anomaly: labels, for the colours; None where there are none.
    """
    places, disputed, truth, correlations, n_seeds = [], [], [], [], 0
    for machine_id, of in scores.items():
        known = np.isfinite(of).all(axis=0)
        of, n_seeds = of[:, known], len(of)
        if not of.shape[1]:
            continue
        places.append((rankdata(of, axis=1) - 0.5) / of.shape[1])
        decided = decisions[machine_id][:, known]
        disputed.append((decided != decided[0]).any(axis=0))
        truth.append(np.zeros(of.shape[1], bool) if is_anomaly is None else is_anomaly[machine_id][known])
        correlations += [spearman(of[a], of[b]) for a, b in itertools.combinations(range(n_seeds), 2)]
    figure = style.new_figure(3.4)
    axes = figure.subplots()
    axes.set(xlabel="clips, by their mean place", ylabel="place (1: most anomalous)", ylim=(-0.06, 1.02))
    if not places:
        style.title(figure, "No clip has a score of every seed")
        return figure
    place, differ, anomalous = np.concatenate(places, axis=1), np.concatenate(disputed), np.concatenate(truth)
    order = np.argsort(place.mean(axis=0), kind="stable")
    place, differ, anomalous = place[:, order], differ[order], anomalous[order]
    at = np.arange(len(order))
    least = 0.006  # of what is drawn: seeds that agree exactly would be nothing
    low, high = place.min(axis=0) - least, place.max(axis=0) + least
    for name, mask, colour in (("normal", ~anomalous, style.NORMAL), ("anomalous", anomalous, style.ANOMALOUS)):
        lines = [[(x, a), (x, b)] for x, a, b in zip(at[mask], low[mask], high[mask], strict=True)]
        label = name if is_anomaly is not None else None
        width = min(4.0, max(0.8, 250 / len(order)))
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, label=label if lines else None))
    axes.plot(at[differ], np.full(differ.sum(), -0.035), "x", color="black", ms=4, label="decided differently")
    axes.set_xlim(-1, len(order))
    axes.legend(loc="upper left")
    defined = [value for value in correlations if np.isfinite(value)]
    least_alike = f", at least {min(defined):.3f}" if len(defined) > 1 else ""
    rank = f" (Spearman correlation of scores {np.mean(defined):.3f}{least_alike})" if defined else ""
    style.title(figure, f"{n_seeds} seeds decide alike on {int((~differ).sum())} of {len(order)} clips{rank}")
    return figure
