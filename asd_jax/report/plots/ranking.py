"""How well scores rank clips, at any threshold: ROC and precision-recall curves, and bars a machine id."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from asd_jax.evaluation import metrics
from asd_jax.evaluation.results import Measures
from asd_jax.report.plots import style


def _defined(
    scores: Mapping[str, np.ndarray], is_anomaly: Mapping[str, np.ndarray]
) -> dict[str, tuple[np.ndarray, np.ndarray, Measures]]:
    """Scores, labels and measures of the machine ids that have both classes."""
    result = {}
    for name, values in scores.items():
        finite = np.isfinite(values)
        values, labels = values[finite], is_anomaly[name][finite]
        measures = metrics.measure(values, labels)
        if measures.undefined is None:
            result[name] = (values, labels, measures)
    return result


@style.styled
def roc(
    scores: Mapping[str, Float[np.ndarray, " _"]],
    is_anomaly: Mapping[str, Bool[np.ndarray, " _"]],
    *,
    max_fpr: float = metrics.MAX_FPR,
) -> Figure:
    """ROC curve of each machine id, the region of the pAUC shaded; ids of one class only are left out.

    Args:
        scores: of the clips of each machine id.
        is_anomaly: their labels.
        max_fpr: false-alarm rate up to which the pAUC counts.
    """
    figure = style.new_figure(4.2)
    axes = figure.subplots()
    defined = _defined(scores, is_anomaly)
    axes.axvspan(0, max_fpr, color="#dddddd", lw=0, label=f"pAUC region (up to {max_fpr:g})")
    axes.plot([0, 1], [0, 1], color="#888888", lw=1, ls=":", label="chance")
    for number, (name, (values, labels, measures)) in enumerate(defined.items()):
        false_alarm_rate, true_positive_rate, _ = roc_curve(labels, values)
        label = f"{style.plain(name)}: {measures.auc:.3f} / {measures.pauc:.3f}"
        axes.plot(false_alarm_rate, true_positive_rate, lw=1.8, label=label, **style.line_style(number))
    axes.set(xlabel="false-alarm rate", ylabel="share of anomalies found", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(loc="lower right", title="AUC / pAUC", alignment="left")
    if defined:
        auc, pauc = (np.mean([getattr(of, name) for _, _, of in defined.values()]) for name in ("auc", "pauc"))
        found = "an anomaly outscores a normal clip"
        style.title(figure, f"In {style.percent(auc)} of pairs {found} (AUC {auc:.3f}, pAUC {pauc:.3f})")
    else:
        style.title(figure, "No machine id has both normal and anomalous clips")
    return figure


@style.styled
def precision_recall(
    scores: Mapping[str, Float[np.ndarray, " _"]], is_anomaly: Mapping[str, Bool[np.ndarray, " _"]]
) -> Figure:
    """Precision-recall curve of each machine id with its average precision; ids of one class only are left out."""
    figure = style.new_figure(4.2)
    axes = figure.subplots()
    defined = _defined(scores, is_anomaly)
    for number, (name, (values, labels, measures)) in enumerate(defined.items()):
        precision, recall, _ = precision_recall_curve(labels, values)
        label = f"{style.plain(name)}: {measures.average_precision:.3f}"
        axes.step(recall, precision, where="post", lw=1.8, label=label, **style.line_style(number))
    if defined:
        base = np.mean([labels.mean() for _, labels, _ in defined.values()])
        axes.axhline(base, color="#888888", lw=1, ls=":", label=f"share of anomalies: {base:.2f}")
        mean = np.mean([measures.average_precision for _, _, measures in defined.values()])
        axes.legend(loc="lower left", title="average precision", alignment="left")
        style.title(figure, f"Average precision {mean:.3f}, where guessing gives {base:.2f}")
    else:
        style.title(figure, "No machine id has both normal and anomalous clips")
    axes.set(xlabel="recall (share of anomalies found)", ylabel="precision (share of alarms that are right)")
    axes.set(xlim=(0, 1), ylim=(0, 1.01))
    return figure


@style.styled
def machine_id_bars(
    names: Sequence[str],
    values: Mapping[str, Float[np.ndarray, " n_ids"]],
    *,
    intervals: Mapping[str, Float[np.ndarray, "n_ids 2"]] | None = None,
    controls: Mapping[str, Mapping[str, Float[np.ndarray, " n_ids"]]] | None = None,
    scorer: str = "",
) -> Figure:
    """A bar from chance (0.5) for each machine id and measure, with intervals and the controls' values as marks.

    Args:
        names: of the bars: machine ids, and perhaps `mean` as the last.
        values: of each measure, such as `auc` and `pauc`; NaN where undefined.
        intervals: 95 % intervals of each measure, NaN where there are none.
        controls: values of each control's measures.
        scorer: for the title.
    """
    intervals, controls = intervals or {}, controls or {}
    figure = style.new_figure(1.7 + 0.55 * len(names) + 0.2 * len(controls))
    axes = figure.subplots()
    rows, thickness = np.arange(len(names)), 0.8 / len(values)
    for number, (measure, of_ids) in enumerate(values.items()):
        places = rows + (number - (len(values) - 1) / 2) * thickness
        colour = style.LINES[number % len(style.LINES)]
        label = measure.replace("pauc", "pAUC").replace("auc", "AUC") if measure in ("auc", "pauc") else measure
        widths = np.nan_to_num(of_ids, nan=0.5) - 0.5
        axes.barh(places, widths, thickness * 0.92, left=0.5, color=colour, alpha=0.8, label=label)
        if measure in intervals:
            low, high = intervals[measure].T
            known = np.isfinite(low) & np.isfinite(of_ids)
            span = np.stack([(of_ids - low)[known], (high - of_ids)[known]]).clip(0)
            axes.errorbar(of_ids[known], places[known], xerr=span, fmt="none", ecolor="black", capsize=2.5, lw=1.1)
        for index, (control, by_measure) in enumerate(controls.items()):
            if measure in by_measure:
                mark = {"marker": "Dovs^"[index % 5], "ms": 5, "mfc": "white", "mec": style.CONTROL, "ls": ""}
                name = f"control: {style.plain(control)}" if number == 0 else None
                axes.plot(by_measure[measure], places, label=name, zorder=5, **mark)
    axes.axvline(0.5, color="black", lw=1)
    shown = [of_ids for of_ids in values.values()] + [v for by in controls.values() for v in by.values()]
    smallest = np.nanmin([np.nanmin(v) if np.isfinite(v).any() else 0.5 for v in shown])
    axes.set(xlim=(min(0.45, smallest - 0.03), 1.005), xlabel="0.5 is chance, 1 is perfect")
    axes.set_yticks(rows, [style.plain(name) for name in names])
    axes.invert_yaxis()
    handles, labels = axes.get_legend_handles_labels()
    order = np.argsort([label.startswith("control") for label in labels], kind="stable")  # the bars first
    figure.legend([handles[i] for i in order], [labels[i] for i in order], loc="outside lower left", ncols=2)
    style.title(figure, _bars_title(names, values, controls, scorer))
    return figure


def _bars_title(names: Sequence[str], values: Mapping, controls: Mapping, scorer: str) -> str:
    measure, of_ids = next(iter(values.items()))
    last = of_ids[-1]
    if not np.isfinite(last):
        return f"{scorer}: undefined without both normal and anomalous clips".lstrip(": ")
    text = f"{scorer} {measure.upper()} {last:.3f} ({names[-1]})".strip()
    for control, by_measure in controls.items():
        if measure in by_measure and np.isfinite(by_measure[measure][-1]):
            gain = last - by_measure[measure][-1]
            where = "level with" if abs(gain) < 0.005 else f"{abs(gain):.3f} {'above' if gain > 0 else 'below'}"
            return f"{text}, {where} the control {control}"
    return text
