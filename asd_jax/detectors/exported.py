"""A detector that `experiments.export` wrote as one file: `asd_jax.exported.load(FILE).judge(waveforms, ...)`.

An ONNX file needs onnxruntime, NumPy and soxr, and no JAX; a StableHLO file needs JAX and nothing else of this library.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting
from asd_jax.detectors import exported_file
from asd_jax.detectors.calibration import Calibrated
from asd_jax.detectors.judging import Judge
from asd_jax.detectors.thresholds import Threshold
from asd_jax.detectors.verdicts import Piece
from asd_jax.errors import InputError
from asd_jax.features.shapes import Float

_SLACK = 2  # samples that resampling may add or take
Scores = Callable[[np.ndarray, int], np.ndarray]


@dataclasses.dataclass(frozen=True)
class ExportedScorer(Calibrated):
    """What scores of a machine are held against; see `Calibrated`."""

    normal_scores: Float[np.ndarray, " n_normal"]
    threshold: Threshold
    other_thresholds: tuple[Threshold, ...] = ()
    validation_scores: Float[np.ndarray, " n_validation"] | None = None


@dataclasses.dataclass(frozen=True)
class Exported(Judge):
    """Scores recordings as the detector does that it was exported from, of which it keeps one scorer.

    It takes clips of one length. Longer recordings are cut into such clips, even those little longer, which the
    detector scores whole; shorter ones get no verdict.

    Attributes:
        scores: of clips `(n_clips, n_samples)` of the machine with an index.
        fitted: what scores are held against, by the scorer's name and machine.
        n_samples: of a clip.
        metadata: everything that the file says of itself; see docs/deploy.md.
    """

    scores: Scores
    fitted: Mapping[str, Mapping[Machine, ExportedScorer]]
    n_samples: int
    metadata: Mapping[str, Any]
    pieces_at_once = 4  # an edge computer has little memory, and larger batches are no faster there

    @property
    def sample_rate(self) -> int:
        """Of its clips, in Hz."""
        return self.metadata["sample_rate"]

    @property
    def headline_scorer(self) -> str:
        """The one scorer that it has."""
        return self.metadata["scorer"]

    @property
    def clip_seconds(self) -> float:
        """Length of a clip."""
        return self.n_samples / self.sample_rate

    @property
    def cutting(self) -> Cutting | None:
        """How the detector cuts all recordings, if it does."""
        cutting = self.metadata["cutting"]
        return cutting and Cutting(**cutting)

    @property
    def health(self) -> dict[Machine, Any]:
        """The `InputHealth` of each machine's training recordings; empty where it was not measured."""
        from asd_jax.detectors.input_health import InputHealth  # late: it measures recordings, which few need
        from asd_jax.files import from_json

        return {Machine(kind, name): from_json(InputHealth, of) for kind, name, of in self.metadata["health"]}

    def cutting_of(self, seconds: float) -> Cutting | None:
        """How a recording of so many seconds is cut into clips; None where it is a clip itself."""
        if self.cutting is not None:
            return self.cutting
        is_longer = seconds * self.sample_rate > self.n_samples + _SLACK
        return Cutting(self.clip_seconds, self.clip_seconds) if is_longer else None

    def deciding_by(self, rule: str) -> "Exported":
        """The same with the thresholds of another rule; those that the file does not have may need SciPy."""
        try:
            return super().deciding_by(rule)
        except ImportError as error:
            known = ", ".join(self.metadata["machines"][0]["thresholds"])
            raise InputError(f"`threshold={rule}` is not in this file, which has {known}, and needs SciPy") from error

    def deciding_above(self, threshold: float) -> "Exported":
        """The same with a threshold of one's own for every machine; of longer recordings the limit is no lower."""
        name = self.headline_scorer
        fitted = {
            machine: dataclasses.replace(of, threshold=dataclasses.replace(of.threshold, value=float(threshold)))
            for machine, of in self.fitted[name].items()
        }
        return dataclasses.replace(self, fitted={name: fitted})

    def too_short(self, waveform: Float[np.ndarray, " n_samples"]) -> str:
        """See `Judge`."""
        if len(waveform) >= self.n_samples - _SLACK:
            return ""
        seconds = len(waveform) / self.sample_rate
        return f"{seconds:.4g} s is shorter than {self.clip_seconds:.4g} s, the clips that this file scores"

    def score_pieces(
        self, pieces: Sequence[Piece], held_against: Sequence[Sequence[Machine]], scorer: str
    ) -> Float[np.ndarray, "n_pieces n_machines"]:
        """See `Judge`."""
        scores = np.full((len(pieces), len(self.machines)), np.nan)
        for index, machine in enumerate(self.machines):
            rows = [row for row, own in enumerate(held_against) if machine in own]
            if rows:
                scores[rows, index] = self.scores(np.stack([self._whole(pieces[row].waveform) for row in rows]), index)
        return scores

    def _whole(self, waveform: Float[np.ndarray, " _"]) -> Float[np.ndarray, " n_samples"]:
        """A clip of exactly the file's length."""
        clip = np.zeros(self.n_samples, np.float32)
        clip[: len(waveform)] = waveform[: self.n_samples]
        return clip


def load(file: str | Path, *, threads: int = 0) -> Exported:
    """Load an exported detector.

    Args:
        file: what `experiments.export` wrote.
        threads: that an ONNX file may use; 0 for all cores.

    Raises:
        InputError: there is no such file, it is damaged, no exported detector, or of another version.
    """
    metadata, run = exported_file.read(Path(file).expanduser(), threads=threads)
    try:
        of_machines = {
            Machine(saved["machine_type"], saved["machine_id"]): _scorer(saved) for saved in metadata["machines"]
        }
        return Exported(run, {metadata["scorer"]: of_machines}, metadata["n_samples"], metadata)
    except (KeyError, TypeError) as error:
        raise InputError(f"{file} is damaged: its metadata lack {error}; export it again") from error


def _scorer(saved: Mapping[str, Any]) -> ExportedScorer:
    validation = saved["validation_scores"]
    return ExportedScorer(
        np.asarray(saved["normal_scores"], np.float64),
        Threshold.from_dict(saved["threshold"]),
        tuple(Threshold.from_dict(threshold) for threshold in saved["other_thresholds"]),
        None if validation is None else np.asarray(validation, np.float64),
    )
