"""Published figures as rows of the tables that show results of the same recordings."""

from collections.abc import Iterable, Mapping, Sequence

from asd_jax.evaluation import published_figures
from asd_jax.evaluation.published_figures import BASELINE, BEST, Figure
from asd_jax.evaluation.results import Results
from asd_jax.report.numbers import joined, number

AREAS = ("auc", "pauc")


def of_ids(results: Results) -> dict[str, tuple[Figure, ...]]:
    """Figures by column of the table of one run: machine ids and `mean`."""
    dataset, machine, ids = results.dataset, results.machine, list(results.headline.machine_ids)
    found = {machine_id: published_figures.of_id(dataset, machine, machine_id) for machine_id in ids}
    return found | {"mean": published_figures.of_machine(dataset, machine, ids)}


def of_machines(results: Iterable[Results]) -> dict[str, tuple[Figure, ...]]:
    """Figures by column of a table of machine types: their names, `mean` and `official score`."""
    results = list(results)
    found = {
        of.machine: published_figures.of_machine(of.dataset, of.machine, of.headline.machine_ids) for of in results
    }
    return found | dict.fromkeys(("mean", "official score"), over_machines(results))


def over_machines(results: Iterable[Results]) -> tuple[Figure, ...]:
    """Figures over all machine types, where these are the whole development set of one release."""
    results = list(results)
    datasets = {of.dataset for of in results}
    if len(datasets) != 1:
        return ()
    return published_figures.of_release(datasets.pop(), {of.machine: of.headline.machine_ids for of in results})


def rows(columns: Sequence[str], figures: Mapping[str, Sequence[Figure]], measures: Sequence[str]) -> list[list[str]]:
    """A row a kind of figure that there is: its name, then a cell a column.

    Args:
        columns: of the table, without that of the rows' names.
        figures: by column.
        measures: those of a cell, joined by slashes; under `official score` that score stands.
    """
    found = []
    for kind in (BASELINE, BEST):
        cells = [_cell(kind, figures.get(name, ()), measures, name) for name in columns]
        if any(cells):
            found.append([f"published {kind}", *cells])
    return found


def _cell(kind: str, figures: Sequence[Figure], measures: Sequence[str], column: str) -> str:
    wanted = ("official_score",) if column == "official score" else measures
    values = [figure.measures for figure in figures if figure.kind == kind]
    of = next((by_name for by_name in values if set(wanted) <= set(by_name)), None)
    if of is None:
        return ""
    return joined([of[name] for name in wanted]) if len(wanted) > 1 else number(of[wanted[0]])


def notes(dataset: str, figures: Mapping[str, Sequence[Figure]]) -> list[str]:
    """Where the figures are from, a line; none without figures."""
    return published_figures.note(dataset, [figure for of in figures.values() for figure in of])
