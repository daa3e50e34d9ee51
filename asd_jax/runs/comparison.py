"""Runs on the same test clips side by side, with paired bootstrap intervals of their differences to the first."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.errors import InputError
from asd_jax.evaluation import bootstrap, metrics
from asd_jax.evaluation.metrics import Labels, Measured
from asd_jax.evaluation.official_scores import arithmetic_mean, harmonic_mean
from asd_jax.evaluation.results import MEASURES, Difference, Measures, Results, Role, Summary
from asd_jax.evaluation.score_files import ScoredClips, read_scores
from asd_jax.report.numbers import spread, with_interval
from asd_jax.report.table import Table
from asd_jax.runs import folder, tidy
from asd_jax.runs.result_rows import Row, rows_of
from asd_jax.runs.setting_differences import config_of, settings_table
from asd_jax.runs.tidy import TidyRow

_UNDEFINED = Measures(None, None, None)


@dataclasses.dataclass(frozen=True)
class Compared:
    """A row of a comparison.

    Attributes:
        row: the scorer of a run.
        gain: its difference to the first run's headline; None for the first itself and for controls.
        measured: what it rests on; None for controls.
    """

    row: Row
    gain: Difference | None = None
    measured: Measured | None = None

    @property
    def differs(self) -> bool | None:
        """Whether the interval of the AUC difference leaves out 0; None where there is none."""
        if self.gain is None or self.gain.interval_95 is None:
            return None
        low, high = self.gain.interval_95
        return not low <= 0 <= high


def by_machine(runs: Iterable[str | Path]) -> list[list[str]]:
    """Runs of the same machine type and data set together, in the order in which these come.

    Args:
        runs: folders of runs or evaluations, or such as hold them; see `folder.finished`.

    Raises:
        InputError: no two runs are of the same, a run is given twice, or a folder holds none.
    """
    named = [str(run) for run in runs]
    if not named:
        raise InputError("no runs given; name the folders of the runs to compare")
    repeated = sorted({name for name in named if named.count(name) > 1})
    if repeated:
        raise InputError(f"{repeated[0]} is given twice; name each run once")
    found: dict[tuple[str, str], list[str]] = {}
    for run in folder.finished(named):
        results = Results.read(run)
        found.setdefault((results.dataset, results.machine), []).append(str(run))
    groups = list(found.values())
    if len(groups) > 1 and max(map(len, groups)) == 1:
        (dataset, machine), (other_dataset, other_machine) = list(found)[:2]
        word, mine, theirs = (
            ("machines", machine, other_machine) if dataset == other_dataset else ("data sets", dataset, other_dataset)
        )
        raise InputError(
            f"runs of different {word}: {groups[0][0]} is of {mine}, {groups[1][0]} of {theirs}; compare runs of the "
            "same recordings"
        )
    return groups


def compare(runs: Sequence[str | Path], *, scorers: Sequence[str] = (), seed: int = 0) -> list[Compared]:
    """Rows of runs: their headline scorers, and their controls once each.

    Args:
        runs: folders of runs or of evaluations; the differences are to the first one's headline scorer.
        scorers: further scorers of each run that has them, as exploratory rows; `all` for every one.
        seed: of the resamples; another one for each machine type where their mean is taken.

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
    resamples = labels.resamples(seed=seed)
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
                compared.append(Compared(row, gain, measured))
    return compared + [Compared(row) for row in _distinct(controls)]


def over_machines(groups: Sequence[Sequence[Compared]]) -> list[Compared]:
    """Means over machine types of systems that were run on all of them, and their differences to the first.

    Args:
        groups: `compare` of each machine type, with a seed of its own each. Rows belong together by their place where
            they are of the same experiment and scorer in each.

    Returns:
        rows of the machine `all`, each machine type in the place of a machine id; none where the groups do not match.
    """
    systems = [[(of.row.results.experiment, of.row.scorer) for of in group if of.measured] for group in groups]
    if len(groups) < 2 or any(of != systems[0] for of in systems) or not systems[0]:
        return []
    found: list[Compared] = []
    for number in range(len(systems[0])):
        row, measured = _mean_over(groups, number)
        gain = metrics.difference(measured, found[0].measured) if found else None
        found.append(Compared(row, gain, measured))
    return found


def _mean_over(groups: Sequence[Sequence[Compared]], number: int) -> tuple[Row, Measured]:
    """The row at the same place of each machine type, its measures averaged over these."""
    of_types = [[of for of in group if of.measured][number] for group in groups]
    means = {of.row.results.machine: of.row.summary.mean for of in of_types}
    resampled = {}
    if all(("mean",) in of.measured.resampled for of in of_types):
        drawn = [of.measured.resampled["mean",] for of in of_types]
        resampled = {("mean",): {name: arithmetic_mean([of[name] for of in drawn]) for name in ("auc", "pauc")}}
    mean, harmonic = (_mean(list(means.values()), mean) for mean in (arithmetic_mean, harmonic_mean))
    if resampled:
        mean = dataclasses.replace(
            mean, interval_95={name: bootstrap.interval(of) for name, of in resampled["mean",].items()}
        )
    summary = Summary(means, _UNDEFINED, mean, harmonic)
    first = of_types[0].row
    results = dataclasses.replace(first.results, machine=tidy.ALL_MACHINES, seconds={}, seeds={}, by_seed={})
    return dataclasses.replace(first, run=first.results.experiment, results=results, summary=summary), Measured(
        summary, resampled
    )


def _mean(of: Sequence[Measures], mean: Any) -> Measures:
    values = [[getattr(one, name) for one in of] for name in MEASURES]
    return Measures(*(None if None in each else float(mean(each)) for each in values))


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


def tidy_rows(compared: Sequence[Compared], first: str = "") -> list[TidyRow]:
    """Measures of every row, and its differences to the first run, as `tidy` has them.

    Args:
        compared: of one machine type, or over several.
        first: what the first run is called.
    """
    found = []
    for of in compared:
        found += tidy.measures([of.row])
        if of.gain is not None:
            found += tidy.difference(dataclasses.replace(tidy.of_row(of.row), against=first), of.gain)
    return found


def settings_of(runs: Sequence[str]) -> Table | None:
    """The settings in which runs differ, a column a run; None where there are none, or none are known."""
    return settings_table(runs, [config_of(run, Results.read(run)) for run in runs])


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
