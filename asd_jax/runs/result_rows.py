"""The results of several runs as rows, and tables of them: what `table`, `compare` and `benchmark` print."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from asd_jax.detectors.bundle import LOG_MEL_MEAN
from asd_jax.evaluation import official_scores
from asd_jax.evaluation.official_scores import arithmetic_mean, harmonic_mean
from asd_jax.evaluation.results import Official, Results, Role, Spread, Summary
from asd_jax.report import published
from asd_jax.report.numbers import joined, with_interval
from asd_jax.report.table import Table


@dataclasses.dataclass(frozen=True)
class Row:
    """One scorer of one run.

    Attributes:
        run: what the run is called.
        results: of the run.
        scorer: name of the scorer.
        summary: its measures.
        control: of which control it is; empty for the system's own scorers.
    """

    run: str
    results: Results
    scorer: str
    summary: Summary
    control: str = ""

    @property
    def role(self) -> Role:
        """What the row is there for."""
        if self.control:
            return Role.CONTROL
        return Role.HEADLINE if self.scorer == self.results.headline_scorer else Role.EXPLORATORY

    @property
    def role_in_words(self) -> str:
        """The role, and which control it is."""
        return f"{self.role}: {self.control}" if self.control else self.role.value

    @property
    def system(self) -> str:
        """What a table calls it: the experiment for its headline, else the control or scorer too, marked so."""
        experiment = self.results.experiment
        if self.role is Role.HEADLINE:
            return experiment
        if self.role is Role.EXPLORATORY:
            return f"{experiment}, {self.scorer} ({self.role})"
        if self.control == LOG_MEL_MEAN:  # the same for every experiment
            return f"{self.role_in_words}, {self.scorer}"
        return f"{experiment}, {self.role_in_words}, {self.scorer}"

    @property
    def official(self) -> Official:
        """The release's score, for releases with domains: that of 2020 is the mean over machine ids."""
        found = self.summary.official
        return Official() if found is None or found.score is None else found

    @property
    def seeds(self) -> Mapping[str, Spread]:
        """Measures over seeds, where there are several."""
        return {} if self.control else self.results.seeds.get(self.scorer, {})

    def seconds(self, *names: str) -> float | None:
        """Seconds that parts of the whole run took together; None where that is not known."""
        known = [self.results.seconds[name] for name in names if name in self.results.seconds]
        return sum(known) if known and not self.control else None


def rows_of(results: Results, run: str) -> list[Row]:
    """The rows of a run: headline, exploratory scorers, controls; `run` is what it is called."""
    headline = results.headline_scorer
    names = sorted(results.scorers, key=lambda name: name != headline)
    return [Row(run, results, name, results.scorers[name]) for name in names] + [
        Row(run, results, name, summary, control)
        for control, by_scorer in results.controls.items()
        for name, summary in by_scorer.items()
    ]


def systems_table(rows: Iterable[Row], *, exploratory: bool = False) -> Table:
    """Systems × machine types: AUC / pAUC, their arithmetic and harmonic means, and seconds summed over the machines.

    Releases with domains have their official score over all the machine types too.

    Args:
        rows: of several runs. Where a system has several runs on a machine the last one counts.
        exploratory: whether scorers beside the headlines are rows too.

    Returns:
        the table; a machine that a system was not run on is empty, and then it has no means.
    """
    rows = [row for row in rows if exploratory or row.role is not Role.EXPLORATORY]
    machines = list(dict.fromkeys(row.results.machine for row in rows))
    by_system: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_system.setdefault(row.system, {})[row.results.machine] = row
    several = len(machines) > 1
    has_official = any(row.official.score is not None for row in rows)
    header = ["AUC / pAUC", *machines, *(["mean", "harmonic mean"] if several else [])]
    header += [*(["official score"] if has_official else []), "selection", "seconds to fit", "to score"]
    table = []
    for system, by_machine in by_system.items():
        of = list(by_machine.values())
        cells = [joined(_areas(by_machine[name])) if name in by_machine else "" for name in machines]
        if several:
            cells += [_over_machines(of, len(machines), mean) for mean in (arithmetic_mean, harmonic_mean)]
        if has_official:
            cells.append(_official(of, len(machines)))
        selection = ", ".join(sorted({row.results.selection for row in of}))
        times = [_sum([row.seconds(*names) for row in of]) for names in (("train", "fit_scorers"), ("score",))]
        table.append([system, *cells, selection, *times])
    figures = published.of_machines(row.results for row in rows)
    table += published.rows(header[1:], figures, published.AREAS)
    return Table(header, table, notes=published.notes(rows[0].results.dataset if rows else "", figures))


def intervals_table(rows: Iterable[Row], *, exploratory: bool = False) -> Table:
    """The same for papers: a line a system and measure, each value with its 95 % interval over test clips.

    Args:
        rows, exploratory: as for `systems_table`.
    """
    rows = [row for row in rows if exploratory or row.role is not Role.EXPLORATORY]
    machines = list(dict.fromkeys(row.results.machine for row in rows))
    by_system: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_system.setdefault(row.system, {})[row.results.machine] = row
    several = len(machines) > 1
    table = []
    for system, by_machine in by_system.items():
        of = list(by_machine.values())
        for name, title in (("auc", "AUC"), ("pauc", "pAUC")):
            cells = [_with_interval(by_machine.get(machine), name) for machine in machines]
            for mean in (arithmetic_mean, harmonic_mean) if several else ():
                cells.append(_mean_over_machines(of, len(machines), name, mean))
            table.append([system if name == "auc" else "", title, *cells])
        if all(row.official.score is not None for row in of):
            cells = [_official_with_interval(by_machine.get(machine)) for machine in machines]
            table.append(["", "official score", *cells, *(["", _official(of, len(machines))] if several else [])])
    columns = [*machines, *(["mean", "harmonic mean"] if several else [])]
    figures = published.of_machines(row.results for row in rows)
    aucs, paucs = ({row[0]: row[1:] for row in published.rows(columns, figures, [name])} for name in published.AREAS)
    for kind, cells in aucs.items():
        table += [[kind, "AUC", *cells], ["", "pAUC", *paucs[kind]]]
    notes = published.notes(rows[0].results.dataset if rows else "", figures)
    return Table(["system", "measure", *columns], table, notes=notes)


def _with_interval(row: Row | None, name: str) -> str:
    if row is None:
        return ""
    mean = row.summary.mean
    return with_interval(getattr(mean, name), mean.interval_95.get(name))


def _official_with_interval(row: Row | None) -> str:
    return "" if row is None else with_interval(row.official.score, row.official.interval_95.get("score"))


def _mean_over_machines(rows: Sequence[Row], n_machines: int, name: str, mean: Callable[[Sequence[Any]], Any]) -> str:
    values = [getattr(row.summary.mean, name) for row in rows]
    return "" if len(values) < n_machines or None in values else f"{float(mean(values)):.3f}"


def _areas(row: Row) -> tuple[float | None, float | None]:
    return row.summary.mean.auc, row.summary.mean.pauc


def _over_machines(rows: Sequence[Row], n_machines: int, mean: Callable[[Sequence[Any]], Any]) -> str:
    values = [_areas(row) for row in rows]
    if len(values) < n_machines or any(None in of for of in values):
        return ""
    return joined(mean(values).tolist())


def _official(rows: Sequence[Row], n_machines: int) -> str:
    if len(rows) < n_machines or any(row.official.score is None for row in rows):
        return ""
    dataset = rows[0].results.dataset
    return f"{official_scores.compute(dataset, [row.official.parts for row in rows])['score']:.3f}"


def _sum(seconds: Sequence[float | None]) -> str:
    return "" if None in seconds else f"{sum(seconds):.1f}"
