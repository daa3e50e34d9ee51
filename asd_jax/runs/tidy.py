"""The results of many runs as one table for other programs: a number a cell, a line a scorer and group of clips."""

from collections.abc import Iterable, Mapping, Sequence

from asd_jax.evaluation.results import Measures, Results
from asd_jax.files import csv_text
from asd_jax.runs.result_rows import rows_of

_AREAS = ("auc", "pauc")
_COLUMNS = (
    *("role", "control", "scorer", "machine_id"),
    *("auc", "auc_low", "auc_high", "pauc", "pauc_low", "pauc_high", "average_precision"),
    *("n_normal", "n_anomaly", "selection", "fit_seconds", "score_seconds"),
)


def tidy_csv(runs: Iterable[tuple[Results, Mapping[str, str]]], settings: Sequence[str]) -> str:
    """Results of runs as CSV; what is not known is empty, `machine_id` is `mean` for the mean over ids.

    Args:
        runs: results, and the value of each setting in which they differ.
        settings: names of these, a column each.
    """
    lines = [["machine", "experiment", "seed", *settings, *_COLUMNS]]
    for results, values in runs:
        before = [results.machine, results.experiment, results.seed, *(values.get(name, "") for name in settings)]
        for row in rows_of(results, run=""):
            what = [row.role.value, row.control, row.scorer]
            seconds = [_number(row.seconds(*names)) for names in (("train", "fit_scorers"), ("score",))]
            for machine_id, measures in {**row.summary.machine_ids, "mean": row.summary.mean}.items():
                lines.append([*before, *what, machine_id, *_measured(measures), results.selection, *seconds])
    return csv_text(lines)


def _measured(measures: Measures) -> list[str]:
    cells = []
    for name in _AREAS:
        low, high = measures.interval_95.get(name, (None, None))
        cells += [_number(getattr(measures, name)), _number(low), _number(high)]
    cells.append(_number(measures.average_precision))
    return cells + ["" if of is None else str(of) for of in (measures.n_normal, measures.n_anomaly)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
