"""Runs on the same test clips side by side, with paired bootstrap intervals of their differences to the first."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.errors import InputError
from asd_jax.evaluation import metrics
from asd_jax.evaluation.metrics import Labels, Measured
from asd_jax.evaluation.results import Difference, Interval, Results, Role
from asd_jax.evaluation.score_files import ScoredClips, read_scores
from asd_jax.report.numbers import spread, with_interval
from asd_jax.report.table import Table
from asd_jax.runs.result_rows import Row, rows_of


@dataclasses.dataclass(frozen=True)
class Compared:
    """A row of a comparison.

    Attributes:
        row: the scorer of a run.
        gain: its difference to the first run's headline; None for the first itself and for controls.
    """

    row: Row
    gain: Difference | None = None

    @property
    def differs(self) -> bool | None:
        """Whether the interval of the AUC difference leaves out 0; None where there is none."""
        if self.gain is None or self.gain.interval_95 is None:
            return None
        low, high = self.gain.interval_95
        return not low <= 0 <= high


def compare(runs: Sequence[str | Path], *, scorers: Sequence[str] = ()) -> list[Compared]:
    """Rows of runs: their headline scorers, and their controls once each.

    Args:
        runs: folders of runs or of evaluations; the differences are to the first one's headline scorer.
        scorers: further scorers of each run that has them, as exploratory rows; `all` for every one.

    Raises:
        InputError: no run, a folder that holds none, or runs that were not evaluated on the same clips of
            one data set, with the reason.
    """
    if not runs:
        raise InputError("no runs given; name the folders of the runs to compare")
    names = [str(run) for run in runs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{repeated[0]} is given twice; name each run once")
    results = [Results.read(run) for run in runs]
    scored = [read_scores(Path(run) / "scores.csv") for run in runs]
    for name, of_run, of in zip(names[1:], results[1:], scored[1:], strict=True):
        _check_same(names[0], results[0], scored[0], name, of_run, of)
    labels = Labels.of(scored[0].clips, machine=results[0].machine, dataset=results[0].dataset)
    resamples = labels.resamples()
    first: Measured | None = None
    compared, controls = [], []
    order = [clip.file_name for clip in scored[0].clips]
    for name, of_run, of in zip(names, results, scored, strict=True):
        place = {clip.file_name: index for index, clip in enumerate(of.clips)}
        indices = np.asarray([place[file_name] for file_name in order])
        for row in rows_of(of_run, name):
            if row.role is Role.CONTROL:
                controls.append(row)
            elif row.role is Role.HEADLINE or row.scorer in scorers or "all" in scorers:
                measured = metrics.measure_all(of.scores[row.scorer][indices], labels, resamples)
                gain = None if first is None else metrics.difference(measured, first)
                first = first or measured
                compared.append(Compared(row, gain))
    return compared + [Compared(row) for row in _distinct(controls)]


def _distinct(controls: list[Row]) -> list[Row]:
    """Each control once: that without a network is the same for all runs unless their audio settings differ."""
    found: dict[Any, Row] = {}
    for row in controls:
        found.setdefault((row.system, row.summary.mean.auc, row.summary.mean.pauc), row)
    return list(found.values())


def _check_same(
    first: str,
    results: Results,
    scored: ScoredClips,
    other: str,
    other_results: Results,
    other_scored: ScoredClips,
) -> None:
    """Raise InputError where two runs were not evaluated on the same labelled clips."""
    for what, word in (("dataset", "data sets"), ("machine", "machines")):
        mine, theirs = getattr(results, what), getattr(other_results, what)
        if mine != theirs:
            raise InputError(
                f"runs of different {word}: {first} is of {mine}, {other} of {theirs}; compare runs of the same "
                "recordings"
            )
    mine, theirs = ({clip.file_name: clip for clip in of.clips} for of in (scored, other_scored))
    missing = sorted(set(mine) ^ set(theirs))
    if missing:
        lacking = other if missing[0] in mine else first
        raise InputError(
            f"runs of different test clips: {first} has {len(mine)}, {other} {len(theirs)}, and {missing[0]} is not in "
            f"{lacking}; evaluate both on the same recordings (`data_dir`, `machine_id`)"
        )
    for name, clip in mine.items():
        if clip != theirs[name]:
            raise InputError(
                f"{first} and {other} disagree on the label, machine id or domain of {name}; evaluate both again"
            )


def csv_table(compared: Sequence[Compared]) -> Table:
    """A number a cell, for programs; empty where there is none."""
    rows = []
    for of in compared:
        row, mean, results = of.row, of.row.summary.mean, of.row.results
        gain = of.gain or Difference(None, None)
        rows.append(
            {
                "run": row.run,
                "experiment": results.experiment,
                "scorer": row.scorer,
                "role": row.role_in_words,
                "selection": results.selection,
                "dataset": results.dataset,
                "machine": results.machine,
                **_measure_cells(row, "auc"),
                **_measure_cells(row, "pauc"),
                "average_precision": mean.average_precision,
                **_cells("official", row.official.score, row.official.interval_95.get("score")),
                **_cells("auc_difference", gain.auc_difference, gain.interval_95),
                **_cells("pauc_difference", gain.pauc_difference, gain.pauc_interval_95),
                "differs": None if of.differs is None else int(of.differs),
            }
        )
    return Table(list(rows[0]), [[_plain(value) for value in cells.values()] for cells in rows])


def _measure_cells(row: Row, name: str) -> dict[str, float | None]:
    mean, seeds = row.summary.mean, row.seeds.get(name)
    return _cells(name, getattr(mean, name), mean.interval_95.get(name)) | {
        f"{name}_seeds_mean": seeds and seeds.mean,
        f"{name}_seeds_standard_deviation": seeds and seeds.standard_deviation,
    }


def _cells(name: str, value: float | None, interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def reading_table(compared: Sequence[Compared]) -> Table:
    """The same for people: intervals beside their values, columns that all rows leave empty left out."""
    header = ["run", "experiment", "scorer", "role", "selection", "AUC [95 %]", "pAUC [95 %]", "official score [95 %]"]
    header += ["AUC over seeds", "pAUC over seeds", "AUC - first [95 %]", "pAUC - first [95 %]", "differs"]
    rows = []
    for each in compared:
        row, mean, official, gain = each.row, each.row.summary.mean, each.row.official, each.gain
        spreads = (row.seeds.get(name) for name in ("auc", "pauc"))
        rows.append(
            [
                *(row.run, row.results.experiment, row.scorer, row.role_in_words, row.results.selection),
                *(with_interval(getattr(mean, name), mean.interval_95.get(name)) for name in ("auc", "pauc")),
                "" if official.score is None else with_interval(official.score, official.interval_95.get("score")),
                *(
                    "" if of_seeds is None else spread(of_seeds.mean, of_seeds.standard_deviation)
                    for of_seeds in spreads
                ),
                with_interval(gain.auc_difference, gain.interval_95, "+") if gain else "",
                with_interval(gain.pauc_difference, gain.pauc_interval_95, "+") if gain else "",
                {None: "", True: "yes", False: "no"}[each.differs],
            ]
        )
    kept = [column for column in range(len(header)) if any(row[column] for row in rows)]
    return Table([header[column] for column in kept], [[row[column] for column in kept] for row in rows])
