"""Runs on the same test clips side by side, with paired bootstrap intervals of their differences to the first."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.errors import InputError
from asd_jax.evaluation import metrics
from asd_jax.evaluation.metrics import Labels, Measured
from asd_jax.evaluation.score_files import ScoredClips, read_scores
from asd_jax.runs.result_rows import EXPLORATORY, Row, read_metrics, rows_of


@dataclasses.dataclass(frozen=True)
class Compared:
    """A row of a comparison.

    Attributes:
        row: the scorer of a run.
        gain: its differences to the first run's headline, as `metrics.difference` gives them; None for the first
            itself and for controls.
    """

    row: Row
    gain: dict[str, Any] | None = None

    @property
    def differs(self) -> bool | None:
        """Whether the interval of the AUC difference leaves out 0; None where there is none."""
        if self.gain is None or self.gain["interval_95"] is None:
            return None
        low, high = self.gain["interval_95"]
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
    reports = [read_metrics(run) for run in runs]
    scored = [read_scores(Path(run) / "scores.csv") for run in runs]
    for name, report, of in zip(names[1:], reports[1:], scored[1:], strict=True):
        _check_same(names[0], reports[0], scored[0], name, report, of)
    labels = Labels.of(scored[0].clips, machine=reports[0]["machine"], dataset=reports[0]["dataset"])
    resamples = labels.resamples()
    first: Measured | None = None
    compared, controls = [], []
    order = [clip.file_name for clip in scored[0].clips]
    for name, report, of in zip(names, reports, scored, strict=True):
        place = {clip.file_name: index for index, clip in enumerate(of.clips)}
        indices = np.asarray([place[file_name] for file_name in order])
        for row in rows_of(report, name):
            if row.role.startswith("control"):
                controls.append(row)
            elif row.role != EXPLORATORY or row.scorer in scorers or "all" in scorers:
                measured = metrics.measure_all(of.scores[row.scorer][indices], labels, resamples)
                gain = None if first is None else metrics.difference(measured, first)
                first = first or measured
                compared.append(Compared(row, gain))
    return compared + [Compared(row) for row in _distinct(controls)]


def _distinct(controls: list[Row]) -> list[Row]:
    """Each control once: that without a network is the same for all runs unless their audio settings differ."""
    found: dict[Any, Row] = {}
    for row in controls:
        found.setdefault((row.system, row.auc, row.pauc), row)
    return list(found.values())


def _check_same(
    first: str,
    report: dict[str, Any],
    scored: ScoredClips,
    other: str,
    other_report: dict[str, Any],
    other_scored: ScoredClips,
) -> None:
    """Raise InputError where two runs were not evaluated on the same labelled clips."""
    for what in ("dataset", "machine"):
        if report[what] != other_report[what]:
            word = "data sets" if what == "dataset" else "machines"
            raise InputError(
                f"runs of different {word}: {first} is of {report[what]}, {other} of {other_report[what]}; "
                "compare runs of the same recordings"
            )
    mine, theirs = ({clip.file_name: clip for clip in of.clips} for of in (scored, other_scored))
    missing = sorted(set(mine) ^ set(theirs))
    if missing:
        lacking = other if missing[0] in mine else first
        raise InputError(
            f"runs of different test clips: {first} has {len(mine)}, {other} {len(theirs)}, and {missing[0]} is not in "
            f"{lacking}; evaluate both on the same recordings (experiments.evaluate --data_dir, --machine_id)"
        )
    for name, clip in mine.items():
        if clip != theirs[name]:
            raise InputError(
                f"{first} and {other} disagree on the label, machine id or domain of {name}; evaluate both again"
            )


def csv_table(compared: Sequence[Compared]) -> list[list[str]]:
    """A number a cell, for programs; empty where there is none."""
    table = []
    for of in compared:
        row, gain = of.row, of.gain or {}
        cells: dict[str, Any] = {
            name: getattr(row, name)
            for name in ("run", "experiment", "scorer", "role", "selection", "dataset", "machine")
        }
        for name in ("auc", "pauc"):
            cells[name] = getattr(row, name)
            cells[f"{name}_low"], cells[f"{name}_high"] = getattr(row, f"{name}_interval") or (None, None)
            spread = getattr(row, f"{name}_over_seeds") or (None, None)
            cells[f"{name}_seeds_mean"], cells[f"{name}_seeds_standard_deviation"] = spread
        cells["average_precision"] = row.average_precision
        cells["official"] = row.official
        cells["official_low"], cells["official_high"] = row.official_interval or (None, None)
        for name, key in (("auc", "interval_95"), ("pauc", "pauc_interval_95")):
            cells[f"{name}_difference"] = gain.get(f"{name}_difference")
            low_high = gain.get(key) or (None, None)
            cells[f"{name}_difference_low"], cells[f"{name}_difference_high"] = low_high
        cells["differs"] = None if of.differs is None else int(of.differs)
        if not table:
            table.append(list(cells))
        table.append([_plain(value) for value in cells.values()])
    return table


def reading_table(compared: Sequence[Compared]) -> list[list[str]]:
    """The same for people: intervals beside their values, columns that all rows leave empty left out."""
    header = ["run", "experiment", "scorer", "role", "selection", "AUC [95 %]", "pAUC [95 %]", "official score [95 %]"]
    header += ["AUC over seeds", "pAUC over seeds", "AUC - first [95 %]", "pAUC - first [95 %]", "differs"]
    table = [header]
    for of in compared:
        row, gain = of.row, of.gain or {}
        table.append(
            [
                *(row.run, row.experiment, row.scorer, row.role, row.selection),
                _with_interval(row.auc, row.auc_interval),
                _with_interval(row.pauc, row.pauc_interval),
                "" if row.official is None else _with_interval(row.official, row.official_interval),
                _spread(row.auc_over_seeds),
                _spread(row.pauc_over_seeds),
                _with_interval(gain["auc_difference"], gain["interval_95"], "+") if gain else "",
                _with_interval(gain.get("pauc_difference"), gain.get("pauc_interval_95"), "+") if gain else "",
                {None: "", True: "yes", False: "no"}[of.differs],
            ]
        )
    kept = [column for column in range(len(header)) if any(row[column] for row in table[1:])]
    return [[row[column] for column in kept] for row in table]


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _with_interval(value: float | None, interval: Sequence[float] | None, sign: str = "") -> str:
    if value is None:
        return "undefined"
    text = f"{value:{sign}.3f}"
    return text if interval is None else f"{text} [{interval[0]:{sign}.3f}, {interval[1]:{sign}.3f}]"


def _spread(spread: tuple[float, float] | None) -> str:
    return "" if spread is None else f"{spread[0]:.3f} ± {spread[1]:.3f}"
