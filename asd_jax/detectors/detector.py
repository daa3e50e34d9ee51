"""The detector: front end, representation, scorers and thresholds in one object that scores waveforms."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import SHORT, Cutting
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.input_health import InputHealth
from asd_jax.detectors.judging import Judge
from asd_jax.detectors.known_machines import candidates
from asd_jax.detectors.verdicts import Piece
from asd_jax.detectors.waveforms import Given, Waveforms, as_clips, one_each
from asd_jax.errors import InputError
from asd_jax.features import AnyFrontEnd, Vectors
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import Representation


@dataclasses.dataclass(frozen=True)
class Detector(Judge):
    """Scores recordings; made by an experiment and loaded with `load_detector`.

    Attributes:
        front_end: from waveform to frames.
        representation: from frames to what scorers read.
        fitted: scorers by name and machine.
        headline_scorer: the one that `score` and `decide` use unless told otherwise.
        min_frames: fewest frames that a clip must have.
        cutting: how all recordings are cut into clips, as the training recordings were; None cuts only long ones.
        clip_seconds: how long the clips were that it was fitted on (median): recordings far longer are cut into such
            clips and judged by `recordings.statistic`, of recordings far shorter nothing is said. None for detectors
            of before this was kept: a recording scores whole, or with `cutting` as its worst clip.
        health: level, bandwidth and the like of each machine's training recordings; empty where they were not measured.
    """

    front_end: AnyFrontEnd
    representation: Representation
    fitted: dict[str, dict[Machine, FittedScorer]]
    headline_scorer: str
    min_frames: int = 1
    cutting: Cutting | None = None
    clip_seconds: float | None = None
    health: Mapping[Machine, InputHealth] = dataclasses.field(default_factory=dict)

    def of_machine_type(self, machine_type: str) -> "Detector":
        """The same detector for the machines of one type."""
        fitted = {
            name: {machine: of for machine, of in by.items() if machine.machine_type == machine_type}
            for name, by in self.fitted.items()
        }
        return dataclasses.replace(self, fitted=fitted)

    def score_frames(
        self, clips: StoredClips, machines: Sequence[Machine], *, scorers: Sequence[str] = ()
    ) -> dict[str, Float[np.ndarray, " n_clips"]]:
        """Scores of clips by every scorer, or by some.

        Args:
            clips: frames from this detector's front end.
            machines: of each clip, all known.
            scorers: names; all by default.
        """
        values = self.representation(clips, machines)
        result = {name: np.full(len(machines), np.nan) for name in scorers or self.fitted}
        for machine in dict.fromkeys(machines):
            own = np.asarray([of == machine for of in machines])
            part = values.of(own)
            for name, scores in result.items():
                scores[own] = self.fitted[name][machine].score(part)
        return result

    @property
    def sample_rate(self) -> int:
        """Of its front end, in Hz."""
        return self.front_end.sample_rate

    def embed(
        self, waveforms: Waveforms, *, sample_rate: int, machine_id: Given = None, machine_type: Given = None
    ) -> np.ndarray:
        """The vector of each waveform that vector scorers read: an embedding, statistics, a mean residual.

        Args:
            waveforms, sample_rate, machine_id, machine_type: as in `judge`; the machine matters only where each has a
                network of its own.

        Returns:
            `(n_clips, dim)`, for a single waveform `(dim,)`. No waveform is cut, however long.

        Raises:
            InputError: as in `judge`, or no waveforms.
        """
        clips, is_single = as_clips(waveforms)
        given = one_each(machine_id, len(clips), "machine ids"), one_each(machine_type, len(clips), "machine types")
        machines = [
            candidates(self.machines, *of, unknown_machine_id="min" if of[0] is None else "error")[0]
            for of in zip(*given, strict=True)
        ]
        ready = [self.prepare(clip, sample_rate=sample_rate, name=f"waveform {i}") for i, clip in enumerate(clips)]
        for index, waveform in enumerate(ready):
            if self.front_end.n_frames(len(waveform)) < self.min_frames:
                raise InputError(f"waveform {index} is too short for this detector")
        frames = extract_waveforms(ready, self.front_end, n_clips=len(ready))
        vectors = self.representation(frames, machines).vector
        return vectors[0] if is_single else vectors

    def score_pieces(
        self, pieces: Sequence[Piece], held_against: Sequence[Sequence[Machine]], scorer: str
    ) -> Float[np.ndarray, "n_pieces n_machines"]:
        """See `Judge`."""
        column = {machine: number for number, machine in enumerate(self.machines)}
        frames = extract_waveforms((piece.waveform for piece in pieces), self.front_end, n_clips=len(pieces))
        pairs = [(row, machine) for row, own in enumerate(held_against) for machine in own]
        rows, machines = np.asarray([row for row, _ in pairs]), [machine for _, machine in pairs]
        # A clip comes once for each machine that it is held against, which is one unless `min` is asked for.
        clips = frames if len(rows) == len(pieces) else frames.select(rows)
        scores = np.full((len(pieces), len(column)), np.nan)
        found = self.score_frames(clips, machines, scorers=[scorer])[scorer]
        scores[rows, [column[machine] for machine in machines]] = found
        return scores

    def too_short(self, waveform: np.ndarray) -> str:
        """See `Judge`."""
        seconds = len(waveform) / self.front_end.sample_rate
        if self.clip_seconds is None:
            return ""
        if seconds < SHORT * self.clip_seconds:
            return f"{seconds:.3g} s is shorter than half of {self.clip_seconds:.4g} s, the clips of training"
        if self.front_end.n_frames(len(waveform)) < self.min_frames:
            return f"{seconds:.3g} s is shorter than what the detector looks at"
        return ""

    @property
    def hears(self) -> bool:
        """See `Judge`."""
        return not isinstance(self.front_end, Vectors)

    def check_hears(self) -> None:
        """Raise InputError for a detector of vectors that were computed elsewhere, which hears no waveform."""
        if not self.hears:
            raise InputError(
                "this detector reads vectors that were computed elsewhere and hears no recordings; give those of new "
                "ones to python -m experiments.evaluate by `embeddings`"
            )

    def prepare(self, waveform: np.ndarray, *, sample_rate: int, name: str) -> Float[np.ndarray, " n_resampled"]:
        """A waveform as the front end takes it, at its rate; an InputError calls it by `name` where it cannot be."""
        self.check_hears()
        waveform = super().prepare(waveform, sample_rate=sample_rate, name=name)
        if self.clip_seconds is None and self.front_end.n_frames(len(waveform)) < self.min_frames:
            seconds = (self.min_frames - 1) * self.front_end.hop_length / self.front_end.sample_rate
            raise InputError(f"{name} is too short; this detector needs at least {seconds:.2f} s")
        return waveform
