"""`report.html` of an archive: its worst recordings, with what drove their scores."""

from pathlib import Path

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.bundle import Detectors
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.verdicts import Timeline
from asd_jax.evaluation.heard_files import HeardFiles
from asd_jax.report import ScoredRecording, check_can_be_shown, write_scored_report
from asd_jax.runs.archive.archive import Archive
from asd_jax.runs.archive.summary import Summary
from asd_jax.runs.archive.table import Row


def write_page(archive: Archive, summary: Summary) -> Path:
    """Write the page; gives its path.

    Args:
        archive: scored by the detector of a run.
        summary: of its table.

    Raises:
        InputError: the detector cannot be read or shown.
    """
    job = archive.job
    detectors = Detectors.load(job.model)
    check_can_be_shown(detectors, Path(job.model))
    if job.threshold is not None:
        system = detectors.system.deciding_by(job.threshold)
        detectors = Detectors(system, detectors.controls, detectors.further_seeds)
    scorer = job.how.scorer or detectors.system.headline_scorer
    fitted = detectors.system.fitted[scorer]
    recordings = [_recording(row, fitted[Machine(row.machine_type, row.machine_id)]) for row in summary.worst]
    read = HeardFiles([], detectors.system, job.how).read
    return write_scored_report(
        archive.out / "report.html", recordings, detectors, read, run=job.model, scorer=scorer, of=summary.counts
    )


def _recording(row: Row, fitted: FittedScorer) -> ScoredRecording:
    return ScoredRecording(
        name=row.file_name,
        machine=Machine(row.machine_type, row.machine_id),
        score=row.score,
        threshold=row.threshold,
        decision=row.decision,
        share_of_normal_above=row.share_of_normal_above,
        start_seconds=row.worst_start_seconds,
        remarks=row.remarks,
        timeline=Timeline(np.asarray(row.clip_start_seconds), np.asarray(row.clip_scores), fitted.threshold.value),
    )
