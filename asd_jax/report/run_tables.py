"""The tables that a run prints: measures with their intervals, other means and domains, gains, decisions."""

from typing import Any

from asd_jax.evaluation import metrics
from asd_jax.report import text_tables as tables

_DECISION_COLUMNS = {
    "accuracy": "accuracy",
    "false_alarm_rate": "false alarms",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "normal_precision": "normal: precision",
    "normal_recall": "recall",
    "normal_f1": "F1",
}


def format_report(report: dict[str, Any]) -> str:
    """The tables of a run.

    Args:
        report: what `metrics.json` holds of the scores.
    """
    headline = report["headline_scorer"]
    labelled = _labelled_summaries(report)
    parts = [
        _measures(report, labelled),
        "* headline; the other scorers are exploratory, the controls are no result of the model",
        _other_means(labelled),
    ]
    gains = [["scorer", "against control", "AUC gain", "95 % (paired bootstrap)", "pAUC gain", "95 %"]]
    for scorer, by_control in report["differences"].items():
        for control, gain in by_control.items():
            if gain["auc_difference"] is not None:
                gains.append([scorer, control, *_gain(gain["auc_difference"], gain["interval_95"])])
                gains[-1] += _gain(gain["pauc_difference"], gain["pauc_interval_95"])
    if len(gains) > 1:
        parts.append(tables.text(gains))
    parts.append(_decisions(headline, report["thresholds"][headline]))
    if any(rule.startswith("oracle") for rule in report["thresholds"][headline]):
        parts.append("oracle rules are set by these labels: they show what a threshold could do and decide nothing")
    for scorer, summary in report.get("single_windows", {}).items():
        if summary["thresholds"]:
            parts.append(_decisions(f"{scorer}, single frames", summary["thresholds"]))
    return "\n\n".join(part for part in parts if part)


def _labelled_summaries(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every scorer's and control's summary with the words for its row."""
    headline = report["headline_scorer"]
    rows = [(f"* {name}" if name == headline else f"  {name}", of) for name, of in report["scorers"].items()]
    for control, by_scorer in report["controls"].items():
        rows += [(f"  control: {control}, {scorer}", of) for scorer, of in by_scorer.items()]
    return rows


def _cell(values: dict[str, Any]) -> str:
    return "undefined" if values["auc"] is None else " / ".join(f"{values[name]:.3f}" for name in metrics.MEASURES)


def _interval(values: dict[str, Any], name: str) -> str:
    if "interval_95" not in values:
        return ""
    low, high = values["interval_95"][name]
    return f"[{low:.3f}, {high:.3f}]"


def _gain(value: float, interval: list[float]) -> list[str]:
    return [f"{value:+.3f}", f"[{interval[0]:+.3f}, {interval[1]:+.3f}]"]


def _measures(report: dict[str, Any], labelled: list[tuple[str, dict[str, Any]]]) -> str:
    machine_ids = list(labelled[0][1]["machine_ids"])
    table = [["AUC / pAUC / AP", *machine_ids, "mean", "AUC 95 %", "pAUC 95 %"]]
    windows = [(f"  {name}, single frames", of) for name, of in report.get("single_windows", {}).items()]
    for label, summary in [*labelled, *windows]:
        cells = [_cell(summary["machine_ids"][machine_id]) for machine_id in machine_ids]
        mean = summary["mean"]
        table.append([label, *cells, _cell(mean), _interval(mean, "auc"), _interval(mean, "pauc")])
    for scorer, by_measure in report.get("seeds", {}).items():
        if "auc" in by_measure:
            cells = [f"{at['mean']:.3f} ± {at['standard_deviation']:.3f}" for at in by_measure.values()]
            label = f"  {scorer}, mean of {len(by_measure['auc']['values'])} seeds"
            table.append([label, *[""] * len(machine_ids), " / ".join(cells), "", ""])
    return tables.text(table)


def _other_means(labelled: list[tuple[str, dict[str, Any]]]) -> str:
    """Harmonic mean, pooled clips, the pool of student reports, domains, and the official score: AUC / pAUC."""
    first = labelled[0][1]
    columns: list[tuple[str, Any]] = []
    if len(first["machine_ids"]) > 1:
        columns += [("harmonic mean", lambda of: of["harmonic_mean"]), ("pooled", lambda of: of["pooled"])]
    if metrics.REPORT_POOL in first:
        columns.append(("00, 02, 04 pooled †", lambda of: of[metrics.REPORT_POOL]))
    for domain in first.get("domains", {}):
        columns.append((domain, lambda of, domain=domain: of["domains"][domain]["mean"]))
    official = "score" in first.get("official", {})
    if not columns and not official:
        return ""
    table = [["AUC / pAUC", *(name for name, _ in columns), *(["official score", "95 %"] if official else [])]]
    for label, summary in labelled:
        row = [label]
        for _, pick in columns:
            values = pick(summary)
            row.append("undefined" if values["auc"] is None else f"{values['auc']:.3f} / {values['pauc']:.3f}")
        if official:
            of = summary["official"]
            row += ["undefined" if of["score"] is None else f"{of['score']:.3f}", _interval(of, "score")]
        table.append(row)
    notes = []
    if metrics.REPORT_POOL in first:
        notes.append("† as student reports pool them; the release's own mean is over all ids")
    if official:
        notes.append(f"official score of {first['official']['release']}: {first['official']['rule']}")
    return "\n".join([tables.text(table), *notes])


def _decisions(title: str, by_rule: dict[str, Any]) -> str:
    """The rule that decides by machine id, the others in the mean over ids; `metrics.json` has them by id too."""
    rows = [["decisions", "machine id", "threshold", "method", *_DECISION_COLUMNS.values()]]
    for number, (rule, by_id) in enumerate(by_rule.items()):
        if number == 0 or len(by_id) == 1:
            for machine_id, at in by_id.items():
                value = "none" if at["value"] is None else f"{at['value']:.4g}"
                cells = [_rate([at[name]]) for name in _DECISION_COLUMNS]
                rows.append([f"{'*' if number == 0 else ' '} {rule}", machine_id, value, at["method"], *cells])
        else:
            methods = ", ".join(dict.fromkeys(at["method"].split(",")[0] for at in by_id.values()))
            cells = [_rate([at[name] for at in by_id.values()]) for name in _DECISION_COLUMNS]
            rows.append([f"  {rule}", f"mean of {len(by_id)}", "", methods, *cells])
    for row in rows[1:]:
        row[3] = row[3].replace("_", " ")
    return f"{title}: * decides\n{tables.text(rows)}"


def _rate(values: list[float | None]) -> str:
    defined = [value for value in values if value is not None]
    return f"{sum(defined) / len(defined):.3f}" if defined else "undefined"
