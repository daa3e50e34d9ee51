"""The detector: front end, representation, scorers and thresholds in one object that scores waveforms."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
import soxr
from jaxtyping import Bool, Float

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.input_health import InputHealth
from asd_jax.detectors.known_machines import candidates
from asd_jax.detectors.thresholds import decide
from asd_jax.detectors.verdicts import Piece, Verdict, cut_waveform
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import Representation

_PIECES_AT_ONCE = 128  # clips of a stream that are scored together
_LARGEST = np.finfo(np.float64).max  # in place of scores that are not finite, where machines are chosen between

# Shapes and dtype are checked at run time, since these come from users.
Waveforms = np.ndarray | jax.Array | Sequence[np.ndarray | jax.Array]
Given = str | None | Sequence[str | None]


@dataclasses.dataclass(frozen=True)
class Detector:
    """Scores recordings; made by an experiment and loaded with `load_detector`.

    Attributes:
        front_end: from waveform to frames.
        representation: from frames to what scorers read.
        fitted: scorers by name and machine.
        headline_scorer: the one that `score` and `decide` use unless told otherwise.
        min_frames: fewest frames that a clip must have.
        cutting: how recordings are cut into clips, as the training recordings were: a recording scores as its worst
            clip does, and the thresholds are those of recordings. None scores waveforms whole.
        health: level, bandwidth and the like of the training recordings; None where they were not measured.
    """

    front_end: FrontEnd
    representation: Representation
    fitted: dict[str, dict[Machine, FittedScorer]]
    headline_scorer: str
    min_frames: int = 1
    cutting: Cutting | None = None
    health: InputHealth | None = None

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Machines that the scorers are fitted for."""
        return tuple(self.fitted[self.headline_scorer])

    @property
    def machine_ids(self) -> tuple[str, ...]:
        """Their ids, each once: several machine types may have the same."""
        return tuple(dict.fromkeys(machine.machine_id for machine in self.machines))

    def of_machine_type(self, machine_type: str) -> "Detector":
        """The same detector for the machines of one type."""
        fitted = {
            name: {machine: of for machine, of in by.items() if machine.machine_type == machine_type}
            for name, by in self.fitted.items()
        }
        return dataclasses.replace(self, fitted=fitted)

    def deciding_by(self, rule: str) -> "Detector":
        """The same detector with the thresholds of another rule."""
        fitted = {
            name: {machine: of.deciding_by(rule) for machine, of in by.items()} for name, by in self.fitted.items()
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

    def score(self, waveforms: Waveforms, *, sample_rate: int, **options: Any) -> np.ndarray:
        """Anomaly scores of waveforms, higher is more anomalous: one each, a scalar array for a single one.

        Arguments and errors are those of `judge`.
        """
        return self.judge(waveforms, sample_rate=sample_rate, **options).scores

    def decide(self, waveforms: Waveforms, *, sample_rate: int, **options: Any) -> Bool[np.ndarray, "*n"]:
        """True where a waveform scores above the threshold of its machine; arguments and errors are those of `judge`.

        With `unknown_machine_id="min"` a clip is anomalous when it is so for the machine with the smallest score.

        Raises:
            InputError: a score that is not finite, of which nothing can be said.
        """
        decisions = self.judge(waveforms, sample_rate=sample_rate, **options).is_anomalous
        if n_bad := np.ma.count_masked(decisions):
            raise InputError(f"{n_bad} of {decisions.size} scores are not finite, so that there is no decision")
        return np.asarray(decisions)

    def judge(
        self,
        waveforms: Waveforms,
        *,
        sample_rate: int,
        machine_id: Given = None,
        machine_type: Given = None,
        scorer: str | None = None,
        unknown_machine_id: str = "error",
    ) -> Verdict:
        """Scores, decisions and what they rest on.

        Args:
            waveforms: mono floating-point samples: `(n_samples,)`, `(n_clips, n_samples)`, or a list of arrays of
                any lengths.
            sample_rate: of the waveforms, in Hz; another rate than the detector's is resampled.
            machine_id: one for all, or one a waveform; may be left out when the detector knows only one machine.
            machine_type: likewise; needed only where an id belongs to several of the detector's machine types.
            scorer: its name; the headline scorer by default.
            unknown_machine_id: `error`, or `min` for the smallest score over all known machines.

        Raises:
            InputError: unknown machine or scorer, or a waveform that is too short, not finite or not floating.
        """
        is_single = isinstance(waveforms, np.ndarray | jax.Array) and waveforms.ndim == 1
        clips = [waveforms] if is_single else list(waveforms)

        def pieces() -> Iterator[Piece]:
            for index, clip in enumerate(clips):
                for start, part in cut_waveform(np.asarray(clip), self.cutting, sample_rate=sample_rate):
                    ready = self.prepare(part, sample_rate=sample_rate, name=f"waveform {index}")
                    yield Piece(index, start, ready)

        verdict = self.judge_pieces(
            pieces(),
            _one_each(machine_id, len(clips), "machine ids"),
            machine_type=machine_type,
            scorer=scorer,
            unknown_machine_id=unknown_machine_id,
        )
        if is_single:
            return Verdict(*(getattr(verdict, field.name).reshape(()) for field in dataclasses.fields(Verdict)))
        return verdict

    def judge_pieces(
        self,
        pieces: Iterable[Piece],
        machine_ids: Sequence[str | None],
        *,
        machine_type: Given = None,
        scorer: str | None = None,
        unknown_machine_id: str = "error",
    ) -> Verdict:
        """Scores, decisions and what they rest on of recordings that come a clip at a time.

        Clips are taken some at a time, so that memory does not grow with a recording's length.

        Args:
            pieces: the clips, from `prepare`.
            machine_ids: of each recording; None where it is not known.
            machine_type, scorer, unknown_machine_id: as in `judge`.

        Returns:
            an entry a recording. One without a clip scores NaN.

        Raises:
            InputError: unknown machine or scorer.
        """
        name = scorer or self.headline_scorer
        if name not in self.fitted:
            raise InputError(f"scorer {name!r} is not in this detector, which has {', '.join(self.fitted)}")
        types = _one_each(machine_type, len(machine_ids), "machine types")
        held_against = [
            candidates(self.machines, *given, unknown_machine_id=unknown_machine_id)
            for given in zip(machine_ids, types, strict=True)
        ]
        column = {machine: number for number, machine in enumerate(self.machines)}
        scores = np.full((len(held_against), len(column)), np.nan)
        starts = np.zeros(scores.shape)
        stream = iter(pieces)
        while chunk := list(itertools.islice(stream, _PIECES_AT_ONCE)):
            frames = extract_waveforms((piece.waveform for piece in chunk), self.front_end, n_clips=len(chunk))
            pairs = [(row, machine) for row, piece in enumerate(chunk) for machine in held_against[piece.recording]]
            rows, machines = np.asarray([row for row, _ in pairs]), [machine for _, machine in pairs]
            # A clip comes once for each machine that it is held against, which is one unless `min` is asked for.
            clips = frames if len(rows) == len(chunk) else frames.select(rows)
            found = self.score_frames(clips, machines, scorers=[name])[name]
            for score, row, machine in zip(found, rows, machines, strict=True):
                place = chunk[row].recording, column[machine]
                if score > scores[place] or np.isnan(scores[place]):
                    scores[place], starts[place] = score, chunk[row].start_seconds
        return self._verdict(name, held_against, scores, starts)

    def _verdict(
        self, name: str, held_against: Sequence[tuple[Machine, ...]], scores: np.ndarray, starts: np.ndarray
    ) -> Verdict:
        """The verdict by the machine with the smallest of the scores `(n_recordings, n_machines)`."""
        may_be = np.asarray([[machine in own for machine in self.machines] for own in held_against], bool)
        finite = np.nan_to_num(scores, nan=_LARGEST, posinf=_LARGEST)
        rows, nearest = np.arange(len(scores)), np.where(may_be.reshape(scores.shape), finite, np.inf).argmin(axis=1)
        own = scores[rows, nearest]
        machines = [self.machines[column] for column in nearest]
        fitted = [self.fitted[name][machine] for machine in machines]
        limits = np.asarray([of.threshold.value for of in fitted])
        above = np.asarray([np.mean(of.normal_scores > score) for of, score in zip(fitted, own, strict=True)])
        types, ids = (np.asarray([getattr(of, part) for of in machines], object) for part in Machine._fields)
        above = np.where(np.isnan(own), np.nan, above)
        return Verdict(own, decide(own, limits), limits, above, ids, types, starts[rows, nearest])

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


def _one_each(given: Given, n_waveforms: int, what: str) -> list[str | None]:
    if given is None or isinstance(given, str):
        return [given] * n_waveforms
    if len(given) != n_waveforms:
        raise InputError(f"{len(given)} {what} for {n_waveforms} waveforms; give one, or one a waveform")
    return list(given)
