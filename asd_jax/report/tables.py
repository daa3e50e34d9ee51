"""The tables of a report, from `metrics.json`: what it holds decides what they show."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from asd_jax.evaluation import metrics


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        caption: what it shows.
        header: of the columns; the first column holds the rows' names.
        rows: cells.
        kinds: a word a row for its looks: `headline`, `exploratory` or `control`.
        note: what a reader should know.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    kinds: Sequence[str] = ()
    note: str = ""


def number(value: float | None, digits: int = 3) -> str:
    """A value as text; a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"


def signed(value: float, digits: int = 3) -> str:
    """A value with its sign, a minus as wide as a plus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def interval(values: dict[str, Any], measure: str) -> list[float] | None:
    """The 95 % interval of a measure, where there is one."""
    return values.get("interval_95", {}).get(measure)


def _measures(values: dict[str, Any]) -> str:
    text = " / ".join(number(values.get(name)) for name in metrics.MEASURES)
    return f"undefined: {values['undefined']}" if "undefined" in values else text


def _range(values: dict[str, Any], measure: str) -> str:
    found = interval(values, measure)
    return "" if found is None else f"{found[0]:.3f} to {found[1]:.3f}"


def measures_table(results: dict[str, Any]) -> Table:
    """Every scorer and control by machine id."""
    headline = results["headline_scorer"]
    machine_ids = list(results["scorers"][headline]["machine_ids"])
    rows, kinds = [], []

    def add(name: str, summary: dict[str, Any], kind: str) -> None:
        of_ids = [_measures(summary["machine_ids"][machine_id]) for machine_id in machine_ids]
        rows.append([name, *of_ids, _measures(summary["mean"]), *map(_range, (summary["mean"],) * 2, ("auc", "pauc"))])
        kinds.append(kind)

    for scorer in sorted(results["scorers"], key=lambda scorer: scorer != headline):
        add(scorer, results["scorers"][scorer], "headline" if scorer == headline else "exploratory")
    for control, by_scorer in results["controls"].items():
        for scorer, summary in by_scorer.items():
            add(f"{control}, {scorer}", summary, "control")
    return Table(
        "AUC / pAUC / average precision",
        ["scorer", *machine_ids, "mean", "AUC, 95 %", "pAUC, 95 %"],
        rows,
        kinds,
        "The headline scorer was fixed beforehand and is the result. The other scorers are exploratory. The controls "
        "are no result of the model: what it adds is its difference to them.",
    )


def means_table(results: dict[str, Any]) -> Table | None:
    """Other means than the arithmetic one over machine ids, domains, and the release's official score."""
    headline = results["headline_scorer"]
    first = results["scorers"][headline]
    columns = {}
    if len(first["machine_ids"]) > 1:
        columns = {"harmonic mean": ("harmonic_mean",), "all clips pooled": ("pooled",)}
    if metrics.REPORT_POOL in first:
        columns["ids 00, 02, 04 pooled"] = (metrics.REPORT_POOL,)
    columns |= {f"domain {name}": ("domains", name, "mean") for name in first.get("domains", {})}
    # The official score of 2020 is the mean over machine ids, which stands above.
    official = first["official"] if "score" in first.get("official", {}) else None
    if not columns and not official:
        return None
    rows, kinds = [], []
    summaries = [
        (name, of, "headline" if name == headline else "exploratory") for name, of in results["scorers"].items()
    ]
    for control, by_scorer in results["controls"].items():
        summaries += [(f"{control}, {scorer}", of, "control") for scorer, of in by_scorer.items()]
    for name, summary, kind in sorted(summaries, key=lambda row: row[2] != "headline"):
        row = [name]
        for path in columns.values():
            values = summary
            for step in path:
                values = values[step]
            row.append(f"{number(values['auc'])} / {number(values['pauc'])}")
        if official:
            row.append(number(summary["official"]["score"]))
        rows.append(row)
        kinds.append(kind)
    notes = []
    if metrics.REPORT_POOL in first:
        notes.append("Ids 00, 02 and 04 are pooled as student reports do; the release's own mean is over all ids.")
    if official:
        notes.append(f"Official score of {official['release']}: {official['rule']}.")
    header = ["AUC / pAUC", *columns, *(["official score"] if official else [])]
    return Table("Other means", header, rows, kinds, " ".join(notes))


def gains_table(results: dict[str, Any]) -> Table | None:
    """Differences to the controls with their intervals."""
    rows = []
    for scorer, by_control in results.get("differences", {}).items():
        for control, gain in by_control.items():
            if gain.get("auc_difference") is not None:
                low, high = gain["interval_95"]
                verdict = "better" if low > 0 else "worse" if high < 0 else "cannot be told apart"
                rows.append(
                    [scorer, control, signed(gain["auc_difference"]), f"{signed(low)} to {signed(high)}", verdict]
                )
    header = ["scorer", "against the control", "gain in mean AUC", "95 % interval (paired bootstrap)", ""]
    return Table("What the model adds to its controls", header, rows) if rows else None


_RATES = {
    "false_alarm_rate": "false alarms",
    "true_positive_rate": "found",
    "precision": "precision",
    "f1": "F1",
    "normal_precision": "normal: precision",
    "normal_recall": "recall",
    "normal_f1": "F1",
    "accuracy": "accuracy",
}


def decisions_table(results: dict[str, Any]) -> Table:
    """Measures at each threshold of the headline scorer."""
    headline, rows = results["headline_scorer"], []
    for rule, by_id in results["thresholds"][headline].items():
        for machine_id, at in by_id.items():
            if isinstance(at, dict) and "value" in at:
                limit = "–" if at["value"] is None else f"{at['value']:.4g}"
                rows.append([rule, machine_id, limit, *(number(at.get(name)) for name in _RATES)])
    oracle = any(row[0].startswith("oracle") for row in rows)
    note = "Thresholds are fitted on scores of normal clips that the scorer was not fitted on."
    if oracle:
        note += " Those named oracle are chosen with the labels of the test clips: they are no result."
    kinds = ["exploratory" if row[0].startswith("oracle") else "" for row in rows]
    header = ["rule", "machine id", "threshold", *_RATES.values()]
    return Table(f"Decisions of {headline}", header, rows, kinds, note)


def seeds_table(results: dict[str, Any]) -> Table | None:
    """Mean and standard deviation over seeds."""
    rows, n_seeds = [], 0
    for scorer, by_measure in results.get("seeds", {}).items():
        cells = [
            f"{by_measure[name]['mean']:.3f} ± {by_measure[name]['standard_deviation']:.3f}"
            if name in by_measure
            else "–"
            for name in metrics.MEASURES
        ]
        rows.append([scorer, *cells])
        n_seeds = max(n_seeds, *(len(of["values"]) for of in by_measure.values()), 0)
    header = ["scorer", "AUC", "pAUC", "average precision"]
    return Table(f"Mean ± standard deviation of {n_seeds} seeds", header, rows) if rows else None
