"""Scores of recordings over the time at which they were made."""

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from asd_jax.report.plots import style


@style.styled
def over_time(
    times: Mapping[str, Sequence[datetime.datetime]],
    scores: Mapping[str, Float[np.ndarray, " _"]],
    is_alarm: Mapping[str, Bool[np.ndarray, " _"]],
    limits: Mapping[str, Float[np.ndarray, " _"]],
    *,
    is_anomaly: Mapping[str, Bool[np.ndarray, " _"]] | None = None,
    what: str = "recordings",
) -> Figure:
    """Score of each recording over time with its threshold, alarms marked, a panel a machine id.

    Args:
        times: at which each recording of a machine id was made, in any order.
        scores: of them; what is not finite is not drawn.
        is_alarm: whether each is called anomalous.
        limits: what each score is held against; not drawn where infinite or NaN.
        is_anomaly: labels, where there are any: anomalous ones are triangles.
        what: the recordings are called.
    """
    figure = style.new_figure(1.1 + 1.45 * len(times))
    panels = figure.subplots(len(times), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (machine_id, of) in zip(panels, times.items(), strict=True):
        order = np.argsort(np.asarray(of, "datetime64[s]"), kind="stable")
        at, values, limit = np.asarray(of)[order], scores[machine_id][order], limits[machine_id][order]
        alarm = is_alarm[machine_id][order]
        true = np.zeros(len(at), bool) if is_anomaly is None else is_anomaly[machine_id][order]
        for label, mask, colour in (
            ("called normal", ~alarm, style.NORMAL),
            ("called anomalous", alarm, style.ANOMALOUS),
        ):
            axes.plot(at[mask & ~true], values[mask & ~true], "o", color=colour, ms=3.5, alpha=0.8, label=label)
            axes.plot(at[mask & true], values[mask & true], "^", color=colour, ms=5, alpha=0.8)
        axes.plot(
            at, np.where(np.isfinite(limit), limit, np.nan), "--", color=style.LIMIT, lw=1.1, drawstyle="steps-mid",
            label="threshold",
        )  # fmt: skip
        style.log_where_wide(axes, values)
        axes.set_ylabel("score")
        if len(times) > 1:
            axes.set_title(style.plain(machine_id))
    if is_anomaly is not None and any(of.any() for of in is_anomaly.values()):
        panels[0].plot([], [], "^", color="#555555", ms=5, label="labelled anomalous")
    locator = AutoDateLocator(minticks=3, maxticks=6)
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    style.title(figure, _finding(times, is_alarm, what))
    return figure


def _finding(times: Mapping[str, Sequence[datetime.datetime]], is_alarm: Mapping[str, np.ndarray], what: str) -> str:
    n_all = sum(map(len, times.values()))
    alarms = sorted(
        time for name, of in times.items() for time, alarm in zip(of, is_alarm[name].tolist(), strict=True) if alarm
    )
    if not alarms:
        return f"None of {n_all} {what} called anomalous"
    first, last = (f"{time:%Y-%m-%d %H:%M}" for time in (alarms[0], alarms[-1]))
    when = f"at {first}" if first == last else f"from {first} to {last}"
    return f"{len(alarms)} of {n_all} {what} called anomalous, {when}"
