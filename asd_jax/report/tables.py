"""The tables that a run prints and its report shows: measures, other means and domains, gains, decisions."""

from collections.abc import Callable, Iterable, Iterator

from asd_jax.detectors import thresholds
from asd_jax.detectors.bundle import AT_INITIALISATION, LOG_MEL_MEAN
from asd_jax.detectors.thresholds import Method
from asd_jax.evaluation.results import MEASURES, ByRule, Groups, Measures, Results, Role, Summary
from asd_jax.report import published
from asd_jax.report.numbers import bracketed, joined, number, signed, spread, verdict
from asd_jax.report.table import Table

_RATES = {
    "accuracy": "accuracy",
    "false_alarm_rate": "false alarms",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "normal_precision": "normal: precision",
    "normal_recall": "recall",
    "normal_f1": "F1",
}

_METHODS = {
    Method.GAMMA: "gamma distribution",
    Method.EMPIRICAL_QUANTILE: "quantile of scores",
    Method.CONFORMAL: "rank of scores",
    Method.ORACLE: "labels",
}
_MEASURES = (
    "AUC: how often an anomalous clip scores above a normal one (1 always, 0.5 chance); pAUC: the same at few false "
    "alarms; AP: average precision"
)


def result_tables(results: Results) -> list[Table]:
    """Those tables that the results allow."""
    headline = results.headline_scorer
    found = [measures_table(results), means_table(results), gains_table(results)]
    found.append(decisions_table(headline, results.thresholds[headline]))
    found += [
        decisions_table(f"{scorer}, single frames", of.thresholds)
        for scorer, of in results.single_windows.items()
        if of.thresholds
    ]
    return [table for table in found if table is not None]


def _labelled(results: Results) -> Iterator[tuple[str, str, Summary]]:
    """Every scorer's and control's summary with the words for its row and its kind."""
    for name, of in results.scorers.items():
        yield name, Role.HEADLINE if name == results.headline_scorer else Role.EXPLORATORY, of
    for control, by_scorer in results.controls.items():
        for scorer, of in by_scorer.items():
            yield f"control: {control}, {scorer}", Role.CONTROL, of


def measures_table(results: Results) -> Table:
    """Every scorer and control by machine id, then single windows and the means over seeds."""
    machine_ids = list(results.headline.machine_ids)
    rows, kinds = [], []

    def add(name: str, kind: str, of: Groups) -> None:
        cells = [_cell(of.machine_ids[machine_id], MEASURES) for machine_id in machine_ids]
        intervals = [bracketed(of.mean.interval_95.get(measure)) for measure in ("auc", "pauc")]
        rows.append([name, *cells, _cell(of.mean, MEASURES), *intervals])
        kinds.append(kind)

    for name, kind, summary in _labelled(results):
        add(name, kind, summary)
    for scorer, of in results.single_windows.items():
        add(f"{scorer}, single frames", "", of)
    for scorer, by_measure in results.seeds.items():
        if "auc" in by_measure:
            cell = " / ".join(spread(at.mean, at.standard_deviation) for at in by_measure.values())
            label = f"{scorer}, mean of {len(by_measure['auc'].values)} seeds"
            rows.append([label, *[""] * len(machine_ids), cell, "", ""])
            kinds.append("")
    figures = published.of_ids(results)
    for row in published.rows([*machine_ids, "mean"], figures, published.AREAS):
        rows.append([*row, "", ""])
        kinds.append("")
    note = "* headline; the other scorers are exploratory, the controls are no result of the model"
    header = ["AUC / pAUC / AP", *machine_ids, "mean", "AUC 95 %", "pAUC 95 %"]
    notes = [_MEASURES, note, *_controls(results), *published.notes(results.dataset, figures)]
    return Table(header, rows, kinds, "Measures of each machine id", notes)


def _controls(results: Results) -> list[str]:
    """What the controls are, in words."""
    words = {
        LOG_MEL_MEAN: "a Gaussian on a clip's mean log-mel, without any network",
        AT_INITIALISATION: "the same network before training",
    }
    known = [f"{name}: {words[name]}" for name in results.controls if name in words]
    return ["; ".join(known)] if known else []


def means_table(results: Results) -> Table | None:
    """Harmonic mean, pooled clips, the pool of student reports, domains, and the official score: AUC / pAUC."""
    first = results.headline
    columns: dict[str, Callable[[Summary], Measures]] = {}
    notes = []
    if len(first.machine_ids) > 1:
        columns |= {"harmonic mean": lambda of: of.harmonic_mean, "pooled": lambda of: of.pooled}
    if first.pooled_id_00_02_04 is not None:
        columns["00, 02, 04 pooled †"] = lambda of: of.pooled_id_00_02_04
        notes.append("† as student reports pool them; the release's own mean is over all ids")
    for domain in first.domains:
        columns[domain] = lambda of, domain=domain: of.domains[domain].mean
    header = ["AUC / pAUC", *columns]
    official = first.official if first.official is not None and first.official.auc is None else None
    if official is not None:  # in 2020 it is the mean of the table above
        header += ["official score", "95 %"]
        notes.append(f"official score of {official.release}: {official.rule}")
    if len(header) == 1:
        return None
    rows, kinds = [], []
    for name, kind, summary in _labelled(results):
        row = [name, *(_cell(pick(summary), ("auc", "pauc")) for pick in columns.values())]
        if official is not None:
            row += [number(summary.official.score), bracketed(summary.official.interval_95.get("score"))]
        rows.append(row)
        kinds.append(kind)
    return Table(header, rows, kinds, "Other means", notes)


def gains_table(results: Results) -> Table | None:
    """Differences to the controls with their intervals, and what these say of the AUC."""
    rows = [
        [
            scorer,
            control,
            signed(gain.auc_difference),
            bracketed(gain.interval_95, "+"),
            signed(gain.pauc_difference),
            bracketed(gain.pauc_interval_95, "+"),
            verdict(gain.interval_95),
        ]
        for scorer, by_control in results.differences.items()
        for control, gain in by_control.items()
        if gain.auc_difference is not None
    ]
    header = ["scorer", "against control", "AUC gain", "95 % (paired bootstrap)", "pAUC gain", "95 %", "AUC"]
    return Table(header, rows, caption="What the model adds to its controls") if rows else None


def decisions_table(scorer: str, by_rule: ByRule) -> Table:
    """The rule that decides by machine id, the others in the mean over ids; `metrics.json` has them by id too."""
    rows, kinds = [], []
    for place, (rule, by_id) in enumerate(by_rule.items()):
        kind = "decides" if place == 0 else "oracle" if _looks_at_labels(rule, by_rule) else "other"
        if place == 0 or len(by_id) == 1:
            for machine_id, at in by_id.items():
                value = "none" if at.value is None else f"{at.value:.4g}"
                rates = [number(getattr(at, name)) for name in _RATES]
                rows.append([rule, machine_id, value, str(at.n_normal), _method(at.method), *rates])
        else:
            # Why one never alarms is told by machine id.
            methods = dict.fromkeys("conformal" if at.value is None else at.method for at in by_id.values())
            n_normal = "–".join(dict.fromkeys(str(of([at.n_normal for at in by_id.values()])) for of in (min, max)))
            rates = [_mean([getattr(at, name) for at in by_id.values()]) for name in _RATES]
            rows.append([rule, f"mean of {len(by_id)}", "", n_normal, ", ".join(map(_method, methods)), *rates])
        kinds += [kind] * (len(rows) - len(kinds))
    notes = ["* decides; normal clips: how many a threshold rests on"]
    notes += _meanings(by_rule)
    if "oracle" in kinds:
        notes.append("oracle rules are set by these labels: they show what a threshold could do and decide nothing")
    header = [f"decisions of {scorer}", "machine id", "threshold", "normal clips", "set by", *_RATES.values()]
    return Table(header, rows, kinds, f"Decisions of {scorer}", notes)


def _method(method: str) -> str:
    """In words; what it says of itself beyond its name stays."""
    name, comma, more = method.partition(",")
    return f"{_METHODS.get(name, name.replace('_', ' '))}{comma}{more}"


def _meanings(rules: Iterable[str]) -> list[str]:
    """How many normal clips rules expect above their thresholds; oracle rules expect nothing."""
    by_share: dict[str, list[str]] = {}
    for rule in rules:
        if not rule.startswith("oracle"):
            by_share.setdefault(f"{100 * (1 - thresholds.parse(rule)[1]):.3g} %", []).append(rule)
    return [f"{share} of normal clips are expected above {', '.join(names)}" for share, names in by_share.items()]


def _looks_at_labels(rule: str, by_rule: ByRule) -> bool:
    return any(at.selection == "oracle" for at in by_rule[rule].values())


def _cell(values: Measures, names: tuple[str, ...]) -> str:
    return joined([getattr(values, name) for name in names])


def _mean(values: list[float | None]) -> str:
    defined = [value for value in values if value is not None]
    return number(sum(defined) / len(defined) if defined else None)
