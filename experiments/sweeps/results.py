"""The tables and the chart of a sweep's finished runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import launch
from experiments.sweeps.run import Run


def write(base: Path, runs: Sequence[Run], settings: Sequence[str]) -> None:
    """Write `results.csv` of those that are finished, a column for each setting that was gone through.

    Args:
        base: the folder to write into.
        runs: of the sweep; `results.csv` has them in this order, whichever was finished first.
        settings: that the runs differ in.
    """
    from asd_jax import files
    from asd_jax.evaluation.results import Results
    from asd_jax.runs import result_rows, tidy

    finished = [run for run in runs if run.is_finished]
    found = []
    for run in finished:
        rows = result_rows.rows_of(Results.read(run.folder), run=run.folder.relative_to(run.base).as_posix())
        found += [(line, run.point) for line in tidy.measures(rows)]
    files.write_text(base / "results.csv", tidy.swept_csv(found, [name for name in settings if name != "seed"]))
    print(f"{len(finished)} of {len(runs)} runs in {base / 'results.csv'}")


def write_systems(base: Path, runs: Sequence[Run]) -> None:
    """Print systems × machines and write the tables and the chart, of runs that differ in nothing else."""
    rows = launch.write_table(base, [base / run.machine / run.system for run in runs])
    if rows:
        _draw(base, rows)


def _draw(base: Path, rows: list[Any]) -> None:
    from asd_jax import files
    from asd_jax.detectors.bundle import LOG_MEL_MEAN
    from asd_jax.evaluation.results import Role
    from asd_jax.report import plots

    values: dict[str, dict[str, Any]] = {}
    controls: dict[str, dict[str, float]] = {}
    for row in rows:
        mean, machine = row.summary.mean, row.results.machine
        if mean.auc is None:
            continue
        if row.role is Role.HEADLINE:
            values.setdefault(machine, {})[row.results.experiment] = (mean.auc, mean.interval_95.get("auc"))
        elif row.control == LOG_MEL_MEAN:
            controls.setdefault(machine, {})[f"{LOG_MEL_MEAN}, {row.scorer}"] = mean.auc
    if values:
        files.write_bytes(base / "chart.png", plots.png(plots.systems(values, controls=controls)))
        print(f"chart in {base}/chart.png")
