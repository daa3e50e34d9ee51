"""`report.html` of a run: one file that needs no other and no network, and the same plots as files below `plots/`."""

from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets import Dataset
from asd_jax.detectors.detector import Detector
from asd_jax.evaluation.evaluate import Evaluation
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import write_bytes, write_text
from asd_jax.report.clips import clip_rows
from asd_jax.report.page import render
from asd_jax.report.ranking import rank_clips
from asd_jax.report.run_plots import read_history, run_plots

__all__ = ["write_report"]


def write_report(
    workdir: Path,
    results: dict[str, Any],
    evaluation: Evaluation,
    detectors: dict[str, Detector],
    frames: dict[FrontEnd, StoredClips],
    dataset: Dataset,
) -> Path:
    """Write `plots/` and `report.html`.

    Args:
        workdir: folder of the run.
        results: what `metrics.json` holds.
        evaluation: the scored test clips.
        detectors: `detector` and its controls.
        frames: of the test clips, by front end.
        dataset: reads the waveforms of the few clips that are shown whole.

    Returns:
        path of the report.
    """
    detector = detectors["detector"]
    scores = evaluation.scores["detector"][detector.headline_scorer]
    ranked = rank_clips(detector, evaluation.clips, scores, np.asarray(evaluation.decisions, bool))
    history = read_history(Path(results.get("evaluated_run", workdir)))
    plots = run_plots(results, evaluation, detector, history)
    rows, map_title = clip_rows(ranked, evaluation.worst, detectors, frames, dataset)
    folder, path = workdir / "plots", workdir / "report.html"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("worst_*.png"):  # of an evaluation before, which may have had more
        old.unlink()
    pictures = {plot.name: plot.png for plot in plots}
    pictures |= {f"worst_{number:02d}": row.picture for number, row in enumerate(rows, 1) if row.picture}
    for name, content in pictures.items():
        write_bytes(folder / f"{name}.png", content)
    write_text(path, render(results, dataset.description or dataset.name, plots, rows, map_title))
    return path
