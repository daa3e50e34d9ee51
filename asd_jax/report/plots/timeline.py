"""Scores of a long recording's clips over time."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from asd_jax.report.plots import style


@style.styled
def timeline(
    start_seconds: Float[np.ndarray, " n_clips"],
    scores: Float[np.ndarray, " n_clips"],
    *,
    clip_seconds: float,
    threshold: float,
    limit: float,
    shown: tuple[float, float],
) -> Figure:
    """The score of each clip, with the threshold of a clip and the limit of the recording.

    Args:
        start_seconds: where each clip starts, at least one.
        scores: of each.
        clip_seconds: how long a clip is.
        threshold: of a single clip; those above it are marked.
        limit: that the worst three in a row are held against, not drawn where it is infinite.
        shown: where the clips that decide start and end, in seconds.
    """
    unit, name = max(
        (of for of in ((1.0, "s"), (60.0, "min"), (3600.0, "h")) if of[0] <= max(1.0, start_seconds[-1] / 2)),
        key=lambda of: of[0],
    )
    figure = style.new_figure(2.6)
    above = scores > threshold
    style.title(figure, f"{int(above.sum())} of {len(scores)} clips above the threshold of a clip")
    axes = figure.add_subplot()
    centre = (start_seconds + clip_seconds / 2) / unit
    axes.axvspan(shown[0] / unit, shown[1] / unit, color=style.ANOMALOUS, alpha=0.2, lw=0, label="decides")
    axes.plot(centre, scores, color=style.NORMAL, lw=0.9)
    axes.plot(centre[~above], scores[~above], ".", color=style.NORMAL, ms=4)
    axes.plot(centre[above], scores[above], "o", color=style.ANOMALOUS, ms=4)
    for value, dashes, label in ((threshold, "--", "threshold of a clip"), (limit, "-", "limit of the recording")):
        if np.isfinite(value):
            axes.axhline(value, color=style.LIMIT, lw=1.0, ls=dashes, label=label)
    style.log_where_wide(axes, scores)
    axes.set(xlabel=f"time ({name})", ylabel="score", xlim=(0, (start_seconds[-1] + clip_seconds) / unit))
    figure.legend(loc="outside lower center", ncols=3)
    return figure
