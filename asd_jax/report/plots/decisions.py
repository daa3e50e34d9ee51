"""Scores against thresholds: histograms of normal and anomalous clips, and the confusion matrix."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from asd_jax.detectors.thresholds import decide
from asd_jax.report.plots import style

_LOGARITHMIC = 30.0  # ratio of the largest to the smallest score from which on their axis is logarithmic
_BINS = 28


@style.styled
def score_histograms(
    scores: Mapping[str, Float[np.ndarray, " _"]],
    is_anomaly: Mapping[str, Bool[np.ndarray, " _"]] | None,
    thresholds: Mapping[str, float],
    *,
    scorer: str = "score",
) -> Figure:
    """Histograms of the scores of normal and of anomalous clips with the decision threshold, a panel a machine id.

    Args:
        scores: of the clips of each machine id; what is not finite is left out.
        is_anomaly: their labels; None where there are none.
        thresholds: of each machine id; a clip above it is called anomalous. An infinite one is not drawn.
        scorer: name of the scorer, for the axis.
    """
    figure = style.new_figure(1.0 + 1.35 * len(scores))
    panels = figure.subplots(len(scores), 1, squeeze=False)[:, 0]
    above = {"normal": [], "anomalous": [], "unlabelled": []}
    for axes, (machine_id, values) in zip(panels, scores.items(), strict=True):
        limit = thresholds[machine_id]
        parts = {"unlabelled": values}
        if is_anomaly is not None:
            anomalous = is_anomaly[machine_id]
            parts = {"normal": values[~anomalous], "anomalous": values[anomalous]}
        for name, part in parts.items():
            above[name].extend(decide(part, limit).filled(False))
        _histogram(axes, parts, limit)
        axes.set_title(style.plain(machine_id))
        axes.set_ylabel("clips")
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    panels[-1].set_xlabel(f"anomaly score ({style.plain(scorer)})")
    panels[0].legend(loc="upper right")
    shares = [f"{style.percent(np.mean(part))} of the {name}" for name, part in above.items() if part]
    text = f"Above the threshold: {', '.join(shares)} clips"
    style.title(figure, text)
    return figure


def _histogram(axes: Axes, parts: dict[str, np.ndarray], limit: float) -> None:
    parts = {name: values[np.isfinite(values)] for name, values in parts.items()}
    shown = np.concatenate(list(parts.values()))
    low, high = (shown.min(), shown.max()) if len(shown) else (0.0, 1.0)
    if low > 0 and high / low > _LOGARITHMIC:
        edges = np.geomspace(low * 0.98, high * 1.02, _BINS)
        axes.set_xscale("log")
    else:
        # Clips far out would leave all others in one bar.
        outer = np.quantile(shown, 0.85) if len(shown) else high
        outer = max(outer, limit) if np.isfinite(limit) else outer
        if high > low + 3 * (outer - low) > low:
            high = low + 2.5 * (outer - low)
            axes.text(1.0, 0.12, f"{int((shown > high).sum())} further out →", transform=axes.transAxes, ha="right")
        margin = 0.02 * (high - low) or 0.05 * abs(high) or 1.0
        edges = np.linspace(low - margin, max(high, min(limit, 2 * high - low)) + margin, _BINS)
    for name, values in parts.items():
        colour, alpha = (style.ANOMALOUS, 0.55) if name == "anomalous" else (style.NORMAL, 0.75)
        axes.hist(values, edges, color=colour, alpha=alpha, label=name, histtype="stepfilled", edgecolor=colour)
    if np.isfinite(limit):
        axes.axvline(limit, color=style.LIMIT, ls="--", lw=1.5, label="threshold")


@style.styled
def confusion_matrix(counts: Int[np.ndarray, "2 2"], *, rule: str = "the threshold") -> Figure:
    """Clips by truth and decision, with the shares of each truth.

    Args:
        counts: `[[true negatives, false positives], [false negatives, true positives]]`.
        rule: name of the threshold, for the title.
    """
    figure = style.new_figure(3.4)
    axes = figure.subplots()
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        names = (("quiet, rightly", "false alarms"), ("missed", "found"))
        share = style.percent(shares[row, column]) if totals[row, 0] else "–"
        colour = "white" if shares[row, column] > 0.7 else "black"
        axes.text(column, row - 0.1, f"{count}", ha="center", va="center", fontsize=22, color=colour)
        axes.text(column, row + 0.24, f"{names[row][column]}, {share}", ha="center", va="center", color=colour)
    axes.set_xticks([0, 1], ["normal", "anomalous"])
    axes.set_yticks([0, 1], ["normal", "anomalous"], rotation=90, va="center")
    axes.set(xlabel="decision", ylabel="truth")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    alarm = f"{style.percent(shares[0, 1])} false alarms" if totals[0, 0] else "no normal clips"
    hit = f"{style.percent(shares[1, 1])} of the anomalies found" if totals[1, 0] else "no anomalous clips"
    style.title(figure, f"{rule}: {hit}, {alarm}")
    return figure
