"""Results as tidy tables: a row a system, machine, machine id, domain, seed and measure, the same columns everywhere.

Three tables hold what a run found, and can be put under one another: measures, differences to the controls, decisions
at the thresholds. pandas reads them as they are: `pandas.read_csv("table.csv").query("role == 'headline'")`.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

from asd_jax.detectors.bundle import LOG_MEL_MEAN
from asd_jax.evaluation import official_scores, published_figures
from asd_jax.evaluation.official_scores import arithmetic_mean, harmonic_mean
from asd_jax.evaluation.published_figures import Figure
from asd_jax.evaluation.results import MEASURES, AtThreshold, Difference, Groups, Interval, Measures, Results, Summary
from asd_jax.files import csv_text
from asd_jax.report.published import over_machines as published_over_machines
from asd_jax.runs.result_rows import Row

ALL_MACHINES = "all"  # the machine of a row over the machine types of a table
_RATES = ("false_alarm_rate", "true_positive_rate", "precision", "recall", "f1", "accuracy")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TidyRow:
    """One number and what it is of; a text that does not apply is empty.

    Attributes:
        run: what the run is called.
        dataset, machine: of the test clips; the machine is `all` for what is over the machine types of a table.
        system: the experiment, or the control, with the experiment where that is its own.
        scorer: its scorer.
        role: `headline`, `exploratory` or `control`.
        machine_id: the id, or `mean`, `harmonic_mean`, `pooled` and `pooled_id_00_02_04` over ids.
        domain: `source` or `target`; empty for all clips.
        seed: of the network or scorer; empty where a run does not say.
        measure: `auc`, `pauc`, `average_precision`, `official_score`, a rate at a threshold, `auc_difference`, ...
        rule: of the threshold, in decisions.
        against: what the difference is to, in differences.
        value: empty where undefined.
        low, high: 95 % interval over test clips.
        selection: `label-free`, `oracle` or `supervised`.
        baseline, best_label_free: published figures of the same test, where a release is recognised.
        published_in: their sources.
    """

    run: str
    dataset: str
    machine: str
    system: str
    scorer: str
    role: str
    machine_id: str = ""
    domain: str = ""
    seed: int | None = None
    measure: str = ""
    rule: str = ""
    against: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    selection: str = ""
    baseline: float | None = None
    best_label_free: float | None = None
    published_in: str = ""


COLUMNS = tuple(field.name for field in dataclasses.fields(TidyRow))


def csv(rows: Iterable[TidyRow]) -> str:
    """The rows as comma-separated values under their header; numbers to nine digits."""
    return csv_text([COLUMNS, *(_cells(row) for row in rows)])


def swept_csv(rows: Iterable[tuple[TidyRow, Mapping[str, str]]], settings: Sequence[str]) -> str:
    """The same of a sweep, behind a column for each setting that it went through; empty of a run that lacks it."""
    lines = ([*(values.get(name, "") for name in settings), *_cells(row)] for row, values in rows)
    return csv_text([[*settings, *COLUMNS], *lines])


def _cells(row: TidyRow) -> list[str]:
    return [_cell(getattr(row, name)) for name in COLUMNS]


def _cell(value: str | float | int | None) -> str:
    return "" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value)


def of_row(row: Row) -> TidyRow:
    """What all numbers of a scorer of a run have in common."""
    results = row.results
    return TidyRow(
        run=row.run,
        dataset=results.dataset,
        machine=results.machine,
        system=_system(row),
        scorer=row.scorer,
        role=row.role.value,
        seed=results.seed,
        selection=results.selection,
    )


def _system(row: Row) -> str:
    if row.control == LOG_MEL_MEAN:  # the same for every experiment
        return row.control
    return f"{row.results.experiment} {row.control}".rstrip()


def measures(rows: Sequence[Row]) -> list[TidyRow]:
    """AUC, pAUC and average precision by machine id and domain, the official score, seconds; of every seed."""
    found: list[TidyRow] = []
    for row in rows:
        common = of_row(row)
        lines = [*_summary(common, row.summary), *_further_seeds(common, row)]
        found += [_beside_published(line, row) for line in lines]
        for name, parts in (("fit_seconds", ("train", "fit_scorers")), ("score_seconds", ("score",))):
            if (seconds := row.seconds(*parts)) is not None:
                found.append(dataclasses.replace(common, measure=name, value=seconds))
    return found + over_machines(rows)


def _beside_published(line: TidyRow, row: Row) -> TidyRow:
    if line.domain:
        return line
    figures = published_figures.of_id(line.dataset, line.machine, line.machine_id)
    if line.machine_id == "mean":
        figures = published_figures.of_machine(line.dataset, line.machine, row.summary.machine_ids)
    return with_figures(line, figures)


def with_figures(line: TidyRow, figures: Sequence[Figure]) -> TidyRow:
    """The row with those published figures that are of its measure."""
    figures = [of for of in figures if line.measure in of.measures]
    if not figures:
        return line
    by_kind = {of.kind: of.measures[line.measure] for of in figures}
    return dataclasses.replace(
        line,
        baseline=by_kind.get(published_figures.BASELINE),
        best_label_free=by_kind.get(published_figures.BEST),
        published_in="; ".join(dict.fromkeys(of.source for of in figures)),
    )


def _further_seeds(common: TidyRow, row: Row) -> Iterator[TidyRow]:
    by_seed = {} if row.control else row.results.by_seed
    for seed, by_scorer in by_seed.items():
        yield from _summary(dataclasses.replace(common, seed=int(seed)), by_scorer[row.scorer])


def _summary(common: TidyRow, summary: Summary) -> Iterator[TidyRow]:
    yield from _groups(common, summary)
    if summary.pooled_id_00_02_04 is not None:
        yield from _measures(dataclasses.replace(common, machine_id="pooled_id_00_02_04"), summary.pooled_id_00_02_04)
    for domain, of_domain in summary.domains.items():
        yield from _groups(dataclasses.replace(common, domain=domain), of_domain)
    official = summary.official
    if official is not None and official.score is not None:
        interval = official.interval_95.get("score")
        yield _valued(dataclasses.replace(common, measure="official_score"), official.score, interval)


def _groups(common: TidyRow, groups: Groups) -> Iterator[TidyRow]:
    of = dict(groups.machine_ids) | {"mean": groups.mean, "harmonic_mean": groups.harmonic_mean}
    for machine_id, values in (of | {"pooled": groups.pooled}).items():
        yield from _measures(dataclasses.replace(common, machine_id=machine_id), values)


def _measures(common: TidyRow, values: Measures) -> Iterator[TidyRow]:
    for name in MEASURES:
        row = dataclasses.replace(common, measure=name)
        yield _valued(row, getattr(values, name), values.interval_95.get(name))


def _valued(row: TidyRow, value: float | None, interval: Interval | None = None) -> TidyRow:
    low, high = interval or (None, None)
    return dataclasses.replace(row, value=value, low=low, high=high)


def over_machines(rows: Sequence[Row]) -> list[TidyRow]:
    """Means over machine types of each system that was run on all of them, and the official score over them.

    Args:
        rows: of several runs. Where a system has several runs on a machine the last one counts.
    """
    machines = list(dict.fromkeys(row.results.machine for row in rows))
    by_system: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by_system.setdefault((_system(row), row.scorer), {})[row.results.machine] = row
    found: list[TidyRow] = []
    for by_machine in by_system.values():
        if len(machines) > 1 and len(by_machine) == len(machines):
            found += _over_machines(list(by_machine.values()))
    return found


def _over_machines(rows: Sequence[Row]) -> Iterator[TidyRow]:
    selection = ", ".join(sorted({row.results.selection for row in rows}))
    common = dataclasses.replace(of_row(rows[0]), run="", machine=ALL_MACHINES, selection=selection)
    figures = published_over_machines(row.results for row in rows)
    for name in MEASURES:
        values = [getattr(row.summary.mean, name) for row in rows]
        for machine_id, mean in (("mean", arithmetic_mean), ("harmonic_mean", harmonic_mean)):
            value = None if None in values else float(mean(values))
            line = dataclasses.replace(common, machine_id=machine_id, measure=name, value=value)
            yield with_figures(line, figures if machine_id == "mean" else ())
    if all(row.official.score is not None for row in rows):
        score = official_scores.compute(common.dataset, [row.official.parts for row in rows])["score"]
        yield with_figures(dataclasses.replace(common, measure="official_score", value=float(score)), figures)


def differences(results: Results, run: str) -> Iterator[TidyRow]:
    """AUC and pAUC of a run's scorers minus those of its controls, in the mean over machine ids."""
    for scorer, by_control in results.differences.items():
        common = _of_scorer(results, run, scorer)
        for against, gain in by_control.items():
            yield from difference(dataclasses.replace(common, against=against), gain)


def difference(common: TidyRow, gain: Difference) -> Iterator[TidyRow]:
    """Both differences; `common` says of what to what."""
    row = dataclasses.replace(common, machine_id="mean")
    yield _valued(dataclasses.replace(row, measure="auc_difference"), gain.auc_difference, gain.interval_95)
    yield _valued(dataclasses.replace(row, measure="pauc_difference"), gain.pauc_difference, gain.pauc_interval_95)


def decisions(results: Results, run: str) -> Iterator[TidyRow]:
    """Thresholds and the rates at them, by scorer, rule, machine id and domain; oracle rules say that they are."""
    for scorer, by_rule in results.thresholds.items():
        common = _of_scorer(results, run, scorer)
        for rule, by_id in by_rule.items():
            for machine_id, at in by_id.items():
                row = dataclasses.replace(common, rule=rule, machine_id=machine_id)
                if at.selection == "oracle":
                    row = dataclasses.replace(row, selection="oracle")
                yield from _rates(row, {"": at, **at.domains})


def _rates(common: TidyRow, by_domain: Mapping[str, AtThreshold]) -> Iterator[TidyRow]:
    for domain, at in by_domain.items():
        for measure, value in (("threshold", at.value), *((name, getattr(at, name)) for name in _RATES)):
            yield dataclasses.replace(common, domain=domain, measure=measure, value=value)


def _of_scorer(results: Results, run: str, scorer: str) -> TidyRow:
    return of_row(Row(run, results, scorer, results.scorers[scorer]))
