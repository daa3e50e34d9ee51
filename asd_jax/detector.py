"""The detector: front end, representation, scorers and thresholds in one object that scores waveforms."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import soxr
from jaxtyping import Float, PyTree

from asd_jax import embeddings
from asd_jax.errors import InputError
from asd_jax.extraction import ClipFrames, extract_waveforms
from asd_jax.features import FrontEnd
from asd_jax.fitted_scorers import FittedScorer
from asd_jax.representations import Representation, represent

# Shapes and dtype are checked at run time, since these come from users.
Waveforms = np.ndarray | jax.Array | Sequence[np.ndarray | jax.Array]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a detector says of waveforms, an entry each (scalars for a single waveform).

    Attributes:
        scores: anomaly scores.
        is_anomalous: whether the score is above the threshold.
        thresholds: of the machine id that each waveform was held against.
        share_of_normal_above: share of the normal clips unseen by the scorer that score higher.
        machine_ids: the id that each waveform was held against.
    """

    scores: np.ndarray
    is_anomalous: np.ndarray
    thresholds: np.ndarray
    share_of_normal_above: np.ndarray
    machine_ids: np.ndarray


@dataclasses.dataclass(frozen=True)
class Detector:
    """Scores recordings; made by an experiment and loaded with `load_detector`.

    Attributes:
        front_end: from waveform to frames.
        representation: from frames to what scorers read.
        fitted: scorers by name and machine id.
        headline_scorer: the one that `score` and `decide` use unless told otherwise.
        min_frames: fewest frames that a clip must have.
    """

    front_end: FrontEnd
    representation: Representation
    fitted: dict[str, dict[str, FittedScorer]]
    headline_scorer: str
    min_frames: int = 1

    @property
    def machine_ids(self) -> tuple[str, ...]:
        """Machine ids that the scorers are fitted for."""
        return tuple(self.fitted[self.headline_scorer])

    def score_frames(self, clips: ClipFrames, machine_ids: Sequence[str]) -> dict[str, Float[np.ndarray, " n_clips"]]:
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
    ) -> "Verdict":
        """Scores, decisions and what they rest on; arguments and errors as in `score`."""
        name = scorer or self.headline_scorer
        if name not in self.fitted:
            raise InputError(f"scorer {name!r} is not in this detector, which has {', '.join(self.fitted)}")
        is_single = isinstance(waveforms, np.ndarray | jax.Array) and waveforms.ndim == 1
        clips = [waveforms] if is_single else list(waveforms)
        candidates = self._candidates(machine_id, len(clips), unknown_machine_id)
        ready = [
            self.prepare(np.asarray(clip), sample_rate=sample_rate, name=f"waveform {index}")
            for index, clip in enumerate(clips)
        ]
        scores = np.full(len(clips), np.inf)
        nearest = np.full(len(clips), "", dtype=object)
        if ready:
            frames = extract_waveforms(ready, self.front_end, n_clips=len(ready))
            values = represent(self.representation, frames)
            for known_id, fitted in self.fitted[name].items():
                of_id = np.asarray([known_id in ids for ids in candidates])
                if of_id.any():
                    by_id = np.full(len(clips), np.inf)
                    by_id[of_id] = fitted.score(values(known_id).of(of_id))
                    nearest[by_id < scores] = known_id
                    scores = np.minimum(scores, by_id)
        fitted = [self.fitted[name][known_id] for known_id in nearest]
        limits = np.asarray([f.threshold.value for f in fitted])
        above = np.asarray([np.mean(f.normal_scores > s) for f, s in zip(fitted, scores, strict=True)])
        verdict = Verdict(scores, scores > limits, limits, above, nearest)
        if is_single:
            return Verdict(*(getattr(verdict, field.name).reshape(()) for field in dataclasses.fields(Verdict)))
        return verdict

    def _candidates(self, machine_id: Any, n_clips: int, unknown_machine_id: str) -> list[tuple[str, ...]]:
        """Machine ids that each clip is compared with: its own, or all where it is unknown and `min` is asked."""
        if unknown_machine_id not in ("error", "min"):
            raise InputError(f"unknown_machine_id={unknown_machine_id!r}: give 'error' or 'min'")
        if machine_id is None and len(self.machine_ids) == 1:
            machine_id = self.machine_ids[0]
        ids = [machine_id] * n_clips if machine_id is None or isinstance(machine_id, str) else list(machine_id)
        if len(ids) != n_clips:
            raise InputError(f"{len(ids)} machine ids for {n_clips} waveforms; give one, or one a waveform")
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
        waveform = waveform.astype(np.float32, copy=False)
        if sample_rate != self.front_end.sample_rate:
            waveform = soxr.resample(waveform, sample_rate, self.front_end.sample_rate)
        if len(waveform) == 0 or self.front_end.n_frames(len(waveform)) < self.min_frames:
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
        kind = embeddings.REGISTRY[settings["representation"]["kind"]]
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
        )


def save_detectors(run: str | Path, detectors: dict[str, Detector]) -> None:
    """Save the detector of a run and its controls as one bundle below `run/checkpoints`."""
    from asd_jax import checkpoints  # late: Orbax takes a second to import

    settings, arrays = {}, {}
    for name, detector in detectors.items():
        settings[name], arrays[name] = detector.to_state()
    checkpoints.save_bundle(Path(run) / "checkpoints" / "bundle", arrays, {"detectors": settings})


def load_detectors(run: str | Path) -> dict[str, Detector]:
    """The detector of a run (`detector`) and its controls, by name.

    Raises:
        InputError: there is no finished run, or another version of this library wrote it.
    """
    from asd_jax import checkpoints  # late: Orbax takes a second to import

    arrays, metadata = checkpoints.load_bundle(Path(run) / "checkpoints" / "bundle")
    return {name: Detector.from_state(state, arrays[name]) for name, state in metadata["detectors"].items()}


def load_detector(run: str | Path) -> Detector:
    """The detector of a finished run folder; errors as in `load_detectors`."""
    return load_detectors(run)["detector"]
