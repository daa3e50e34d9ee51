"""The detector: front end, representation, scorers and thresholds in one object that scores waveforms."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import soxr
from jaxtyping import Float, PyTree

from asd_jax import representations
from asd_jax.datasets.cutting import Cutting
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.verdicts import Piece, Verdict, cut_waveform
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.per_machine import represent
from asd_jax.representations.representation import Representation

_PIECES_AT_ONCE = 128  # clips of a stream that are scored together
_UNHEARD = np.finfo(np.float64).max  # in place of the score of a recording without a clip

# Shapes and dtype are checked at run time, since these come from users.
Waveforms = np.ndarray | jax.Array | Sequence[np.ndarray | jax.Array]


@dataclasses.dataclass(frozen=True)
class Detector:
    """Scores recordings; made by an experiment and loaded with `load_detector`.

    Attributes:
        front_end: from waveform to frames.
        representation: from frames to what scorers read.
        fitted: scorers by name and machine id.
        headline_scorer: the one that `score` and `decide` use unless told otherwise.
        min_frames: fewest frames that a clip must have.
        cutting: how recordings are cut into clips, as the training recordings were: a recording scores as its worst
            clip does, and the thresholds are those of recordings. None scores waveforms whole.
    """

    front_end: FrontEnd
    representation: Representation
    fitted: dict[str, dict[str, FittedScorer]]
    headline_scorer: str
    min_frames: int = 1
    cutting: Cutting | None = None

    @property
    def machine_ids(self) -> tuple[str, ...]:
        """Machine ids that the scorers are fitted for."""
        return tuple(self.fitted[self.headline_scorer])

    def score_frames(self, clips: StoredClips, machine_ids: Sequence[str]) -> dict[str, Float[np.ndarray, " n_clips"]]:
        """Scores of clips by every scorer.

        Args:
            clips: frames from this detector's front end.
            machine_ids: of each clip, all known.
        """
        values = represent(self.representation, clips)
        ids = np.asarray(machine_ids)
        result = {}
        for name, by_id in self.fitted.items():
            result[name] = np.full(len(ids), np.nan)
            for machine_id in sorted(set(machine_ids)):
                of_id = ids == machine_id
                result[name][of_id] = by_id[machine_id].score(values(machine_id).of(of_id))
        return result

    def score(
        self,
        waveforms: Waveforms,
        *,
        sample_rate: int,
        machine_id: str | Sequence[str] | None = None,
        scorer: str | None = None,
        unknown_machine_id: str = "error",
    ) -> np.ndarray:
        """Anomaly scores of waveforms; higher is more anomalous.

        Args:
            waveforms: mono floating-point samples: `(n_samples,)`, `(n_clips, n_samples)`, or a list of arrays of
                any lengths.
            sample_rate: of the waveforms, in Hz; another rate than the detector's is resampled.
            machine_id: one for all, or one a waveform; may be left out when the detector knows only one.
            scorer: its name; the headline scorer by default.
            unknown_machine_id: `error`, or `min` for the smallest score over all known ids.

        Returns:
            one score a waveform; a scalar array for a single one.

        Raises:
            InputError: unknown machine id or scorer, or a waveform that is too short, not finite or not floating.
        """
        verdict = self.judge(
            waveforms,
            sample_rate=sample_rate,
            machine_id=machine_id,
            scorer=scorer,
            unknown_machine_id=unknown_machine_id,
        )
        return verdict.scores

    def decide(
        self,
        waveforms: Waveforms,
        *,
        sample_rate: int,
        machine_id: str | Sequence[str] | None = None,
        scorer: str | None = None,
        unknown_machine_id: str = "error",
    ) -> np.ndarray:
        """True where a waveform scores above its machine id's threshold; arguments and errors as in `score`.

        With `unknown_machine_id="min"` a clip is anomalous when it is so for the id with the smallest score.
        """
        verdict = self.judge(
            waveforms,
            sample_rate=sample_rate,
            machine_id=machine_id,
            scorer=scorer,
            unknown_machine_id=unknown_machine_id,
        )
        return verdict.is_anomalous

    def judge(
        self,
        waveforms: Waveforms,
        *,
        sample_rate: int,
        machine_id: str | Sequence[str | None] | None = None,
        scorer: str | None = None,
        unknown_machine_id: str = "error",
    ) -> Verdict:
        """Scores, decisions and what they rest on; arguments and errors as in `score`."""
        is_single = isinstance(waveforms, np.ndarray | jax.Array) and waveforms.ndim == 1
        clips = [waveforms] if is_single else list(waveforms)
        ids = [machine_id] * len(clips) if machine_id is None or isinstance(machine_id, str) else list(machine_id)
        if len(ids) != len(clips):
            raise InputError(f"{len(ids)} machine ids for {len(clips)} waveforms; give one, or one a waveform")

        def pieces() -> Iterator[Piece]:
            for index, clip in enumerate(clips):
                for start, part in cut_waveform(np.asarray(clip), self.cutting, sample_rate=sample_rate):
                    ready = self.prepare(part, sample_rate=sample_rate, name=f"waveform {index}")
                    yield Piece(index, start, ready)

        verdict = self.judge_pieces(pieces(), ids, scorer=scorer, unknown_machine_id=unknown_machine_id)
        if is_single:
            return Verdict(*(getattr(verdict, field.name).reshape(()) for field in dataclasses.fields(Verdict)))
        return verdict

    def judge_pieces(
        self,
        pieces: Iterable[Piece],
        machine_ids: Sequence[str | None],
        *,
        scorer: str | None = None,
        unknown_machine_id: str = "error",
    ) -> Verdict:
        """Scores, decisions and what they rest on of recordings that come a clip at a time.

        Clips are taken a few hundred at a time, so that memory does not grow with a recording's length.

        Args:
            pieces: the clips, from `prepare`.
            machine_ids: of each recording; None where it is not known.
            scorer, unknown_machine_id: as in `score`.

        Returns:
            an entry a recording. One without a clip scores NaN.

        Raises:
            InputError: unknown machine id or scorer.
        """
        name = scorer or self.headline_scorer
        if name not in self.fitted:
            raise InputError(f"scorer {name!r} is not in this detector, which has {', '.join(self.fitted)}")
        candidates = self._candidates(machine_ids, unknown_machine_id)
        known = tuple(self.fitted[name])
        may_be = np.asarray([[known_id in ids for known_id in known] for ids in candidates], dtype=bool)
        may_be = may_be.reshape(-1, len(known))
        scores = np.full(may_be.shape, np.nan)
        starts = np.zeros(may_be.shape)
        stream = iter(pieces)
        while chunk := list(itertools.islice(stream, _PIECES_AT_ONCE)):
            recording = np.asarray([piece.recording for piece in chunk])
            frames = extract_waveforms((piece.waveform for piece in chunk), self.front_end, n_clips=len(chunk))
            values = represent(self.representation, frames)
            for column, known_id in enumerate(known):
                chosen = np.flatnonzero(may_be[recording, column])
                if len(chosen) == 0:
                    continue
                found = self.fitted[name][known_id].score(values(known_id).of(chosen))
                for score, piece in zip(found, (chunk[index] for index in chosen), strict=True):
                    if score > scores[piece.recording, column] or np.isnan(scores[piece.recording, column]):
                        scores[piece.recording, column] = score
                        starts[piece.recording, column] = piece.start_seconds
        return self._verdict(name, np.where(may_be, np.nan_to_num(scores, nan=_UNHEARD), np.inf), starts)

    def _verdict(self, name: str, scores: np.ndarray, starts: np.ndarray) -> Verdict:
        """The verdict for the machine id with the smallest of the scores `(n_recordings, n_ids)`."""
        rows, nearest = np.arange(len(scores)), scores.argmin(axis=1)
        own = np.where(scores[rows, nearest] == _UNHEARD, np.nan, scores[rows, nearest])
        known = tuple(self.fitted[name])
        fitted = [self.fitted[name][known[column]] for column in nearest]
        limits = np.asarray([f.threshold.value for f in fitted])
        above = np.asarray([np.mean(f.normal_scores > score) for f, score in zip(fitted, own, strict=True)])
        ids = np.asarray([known[column] for column in nearest], dtype=object)
        return Verdict(own, own > limits, limits, above, ids, starts[rows, nearest])

    def _candidates(self, machine_ids: Sequence[str | None], unknown_machine_id: str) -> list[tuple[str, ...]]:
        """Machine ids that each recording is held against: its own, or all where it is unknown and `min` is asked."""
        if unknown_machine_id not in ("error", "min"):
            raise InputError(f"unknown_machine_id={unknown_machine_id!r}: give 'error' or 'min'")
        only = self.machine_ids[0] if len(self.machine_ids) == 1 else None
        ids = [only if given is None else given for given in machine_ids]
        for given in ids:
            if given not in self.machine_ids and unknown_machine_id == "error":
                what = "no machine id was given" if given is None else f"machine id {given!r} is unknown"
                raise InputError(f"{what}; this detector knows {', '.join(self.machine_ids)}")
        return [(given,) if given in self.machine_ids else self.machine_ids for given in ids]

    def prepare(self, waveform: np.ndarray, *, sample_rate: int, name: str) -> Float[np.ndarray, " n_resampled"]:
        """A waveform as the front end takes it, at its rate; an InputError calls it by `name` where it cannot be."""
        if waveform.ndim != 1 or not np.issubdtype(waveform.dtype, np.floating):
            raise InputError(
                f"{name} is {waveform.dtype} with {waveform.ndim} axes; give mono samples as floating "
                "point numbers in [-1, 1]"
            )
        if not np.isfinite(waveform).all():
            raise InputError(f"{name} holds NaN or infinite samples")
        if not sample_rate > 0:
            raise InputError(f"{name}: sample_rate={sample_rate}; give the samples a second, above 0")
        waveform = waveform.astype(np.float32, copy=False)
        if sample_rate != self.front_end.sample_rate:
            waveform = soxr.resample(waveform, sample_rate, self.front_end.sample_rate)
        if len(waveform) == 0:
            raise InputError(f"{name} holds no samples at {self.front_end.sample_rate} Hz")
        if self.front_end.n_frames(len(waveform)) < self.min_frames:
            seconds = (self.min_frames - 1) * self.front_end.hop_length / self.front_end.sample_rate
            raise InputError(f"{name} is too short; this detector needs at least {seconds:.2f} s")
        return waveform

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """JSON settings and arrays, from which `from_state` rebuilds it."""
        representation, arrays = self.representation.to_state()
        settings: dict[str, Any] = {
            "front_end": self.front_end.to_dict(),
            "representation": representation,
            "headline_scorer": self.headline_scorer,
            "min_frames": self.min_frames,
            "cutting": self.cutting and dataclasses.asdict(self.cutting),
            "scorers": {},
        }
        fitted_arrays: dict[str, Any] = {}
        for name, by_id in self.fitted.items():
            settings["scorers"][name], fitted_arrays[name] = {}, {}
            for machine_id, fitted in by_id.items():
                settings["scorers"][name][machine_id], fitted_arrays[name][machine_id] = fitted.to_state()
        return settings, {"representation": arrays, "scorers": fitted_arrays}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "Detector":
        """Rebuild from `to_state`."""
        kind = representations.REGISTRY[settings["representation"]["kind"]]
        fitted = {
            name: {
                machine_id: FittedScorer.from_state(saved, arrays["scorers"][name][machine_id])
                for machine_id, saved in by_id.items()
            }
            for name, by_id in settings["scorers"].items()
        }
        return cls(
            FrontEnd.from_dict(settings["front_end"]),
            kind.from_state(settings["representation"], arrays["representation"]),
            fitted,
            settings["headline_scorer"],
            settings["min_frames"],
            Cutting(**settings["cutting"]) if settings.get("cutting") else None,
        )


def save_detectors(run: str | Path, detectors: dict[str, Detector]) -> None:
    """Save the detector of a run and its controls as one bundle below `run/checkpoints`."""
    from asd_jax.training import checkpoints  # late: Orbax takes a second to import

    settings, arrays = {}, {}
    for name, detector in detectors.items():
        settings[name], arrays[name] = detector.to_state()
    checkpoints.save_bundle(Path(run) / "checkpoints" / "bundle", arrays, {"detectors": settings})


def load_detectors(run: str | Path) -> dict[str, Detector]:
    """The detector of a run (`detector`) and its controls, by name.

    Raises:
        InputError: there is no finished run, or another version of this library wrote it.
    """
    from asd_jax.training import checkpoints  # late: Orbax takes a second to import

    arrays, metadata = checkpoints.load_bundle(Path(run) / "checkpoints" / "bundle")
    return {name: Detector.from_state(state, arrays[name]) for name, state in metadata["detectors"].items()}


def load_detector(run: str | Path) -> Detector:
    """The detector of a finished run folder; errors as in `load_detectors`."""
    return load_detectors(run)["detector"]
