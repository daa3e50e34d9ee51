"""`plots/` and `report.html` of a run."""

from collections.abc import Mapping
from pathlib import Path

from asd_jax.datasets import Dataset
from asd_jax.detectors.bundle import Detectors
from asd_jax.evaluation.evaluate import Evaluation
from asd_jax.evaluation.results import Results
from asd_jax.features import AnyFrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import write_bytes, write_text
from asd_jax.report.clips import clip_rows
from asd_jax.report.page import render
from asd_jax.report.ranking import rank_clips
from asd_jax.report.run_page import run_page
from asd_jax.report.run_plots import read_history, run_plots


def write_report(
    workdir: Path,
    results: Results,
    evaluation: Evaluation,
    detectors: Detectors,
    frames: Mapping[AnyFrontEnd, StoredClips],
    dataset: Dataset,
) -> Path:
    """Write `plots/` and `report.html`.

    Args:
        workdir: folder of the run.
        results: what `metrics.json` holds.
        evaluation: the scored test clips.
        detectors: of the run.
        frames: of the test clips, by front end.
        dataset: reads the waveforms of the few clips that are shown whole.

    Returns:
        path of the report.
    """
    scores = evaluation.scores[results.headline_scorer]
    ranked = rank_clips(detectors.system, evaluation.clips, scores, evaluation.decisions)
    history = read_history(Path(results.evaluated_run or workdir))
    plots = run_plots(results, evaluation, detectors.system, history)
    rows, map_title = clip_rows(ranked, evaluation.worst, detectors, frames, dataset)
    folder, path = workdir / "plots", workdir / "report.html"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("worst_*.png"):  # of an evaluation before, which may have had more
        old.unlink()
    pictures = {plot.name: plot.png for plot in plots}
    pictures |= {f"worst_{number:02d}": row.picture for number, row in enumerate(rows, 1) if row.picture}
    for name, content in pictures.items():
        write_bytes(folder / f"{name}.png", content)
    write_text(path, render(run_page(results, dataset.description or dataset.name, plots, rows, map_title)))
    return path
