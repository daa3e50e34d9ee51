"""What a worker does: it loads the detector once, and scores some files at a time, decoding ahead."""

import contextlib
import dataclasses
import faulthandler
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.read_ahead import in_a_thread
from asd_jax.detectors.judging import Judge
from asd_jax.errors import InputError
from asd_jax.evaluation.heard_files import HeardFiles, Listening
from asd_jax.runs.archive.table import Row

_AHEAD = 32  # clips that are decoded while others are scored


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything that decides what the rows of an archive are.

    Attributes:
        model: folder of a run, or file of an exported detector.
        sha256: digest of the detector that is expected there.
        threshold: rule of the thresholds where others than the detector's own are wanted.
        how: recordings are heard.
        file_seconds: that a file may take to give its next clip, before its worker is replaced.
    """

    model: str
    sha256: str
    how: Listening
    threshold: str | None = None
    file_seconds: float = 60.0

    def load(self) -> Judge:
        """The detector.

        Raises:
            InputError: it cannot be read, or is another.
        """
        path = Path(self.model)
        if digest_of_model(path) != self.sha256:
            raise InputError(f"{path} is another detector than at the start; give every worker the same")
        if path.is_dir():
            from asd_jax.detectors.bundle import load_detector

            judge = load_detector(path)
            judge.check_hears()
        else:
            from asd_jax.detectors import exported

            judge = exported.load(path, threads=1)
        return judge if self.threshold is None else judge.deciding_by(self.threshold)


def digest_of_model(path: Path) -> str:
    """SHA-256 of a run's detectors, or of an exported file."""
    if path.is_dir():
        from asd_jax.detectors.bundle import digest

        return digest(path)
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the folder of a run or a file") from error


class Scoring:
    """A worker. It is made at once; `start` loads what it needs, and tells what is wrong with it.

    A decoder that hangs is ended together with the process, by a clock of Python's own that needs nobody's consent.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def start(self) -> None:
        """Load the detector; errors as in `Job.load`."""
        self._judge = self._job.load()

    def score(self, names: Sequence[str], refused: Mapping[str, str]) -> list[Row]:
        """Rows of some files.

        Args:
            names: of the files.
            refused: those that are not to be read, and why.
        """
        heard = HeardFiles(names, self._judge, self._job.how, refused=refused)
        with contextlib.closing(in_a_thread(heard.pieces(), _AHEAD)) as pieces:
            verdict = heard.judged(self._within_time(pieces))
        scorer = self._job.how.scorer or self._judge.headline_scorer
        return [self._row(index, heard, verdict, scorer) for index in range(len(names))]

    def probe(self, name: str) -> None:
        """Decode a file and forget it: whoever does not come back from it has found a bad one."""
        for _ in self._within_time(HeardFiles([name], self._judge, self._job.how).pieces()):
            pass

    def _within_time(self, pieces: Iterator[Any]) -> Iterator[Any]:
        with open(os.devnull, "w") as nowhere:
            while True:
                faulthandler.dump_traceback_later(self._job.file_seconds, exit=True, file=nowhere)
                try:
                    piece = next(pieces, None)
                finally:
                    faulthandler.cancel_dump_traceback_later()
                if piece is None:
                    return
                yield piece

    def _row(self, index: int, heard: HeardFiles, verdict: Any, scorer: str) -> Row:
        scored = heard.scored(index, verdict)
        if index in heard.reasons:
            return Row(scored.file_name, "", *scored[1:], float("nan"), [], [])
        kind, timeline = verdict.machine_types[index], verdict.timelines[index]
        normal = self._judge.fitted[scorer][Machine(kind, scored.machine_id)].normal_scores
        reached = scored.threshold if np.isfinite(scored.threshold) else float(normal[-1])
        margin = (scored.score - reached) / (float(np.std(normal)) or abs(reached) or 1.0)
        clips = [np.asarray(of, np.float64).tolist() for of in timeline[:2]]
        return Row(scored.file_name, kind, *scored[1:], float(margin), *clips)
