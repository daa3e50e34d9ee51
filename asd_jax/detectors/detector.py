"""The detector: front end, representation, scorers and thresholds in one object that scores waveforms."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import SHORT, Cutting, cutting_of_long
from asd_jax.datasets.sound import Sound
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.input_health import InputHealth
from asd_jax.detectors.known_machines import candidates
from asd_jax.detectors.verdicts import Piece, Verdict, cut_waveform, judged
from asd_jax.detectors.waveforms import Given, Waveforms, as_clips, at_rate, one_each
from asd_jax.errors import InputError
from asd_jax.features import AnyFrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import Representation

_PIECES_AT_ONCE = 128  # clips of a stream that are scored together


@dataclasses.dataclass(frozen=True)
class Detector:
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

    @property
    def consecutive(self) -> int:
        """Number of consecutive clips whose median a recording's score is."""
        return 1 if self.clip_seconds is None else 3

    def cutting_of(self, seconds: float) -> Cutting | None:
        """How a recording of so many seconds is cut into clips; None where it is a clip itself."""
        if self.cutting is not None or self.clip_seconds is None:
            return self.cutting
        return cutting_of_long(seconds, self.clip_seconds)

    def remarks(self, scorer: str | None = None) -> tuple[str, ...]:
        """What the user must know of the verdicts by a scorer, the headline scorer by default: a line each."""
        lines = [
            f"warning: {machine.machine_id}: {of.threshold.never_alarms}"
            for machine, of in self.fitted[scorer or self.headline_scorer].items()
            if of.threshold.never_alarms
        ]
        if self.clip_seconds is None:
            scored = "whole" if self.cutting is None else "as their worst clip"
            lines.append(
                "note: this detector was saved before detectors knew how long their clips are: recordings are scored "
                f"{scored}, and those of other lengths than in training get wrong verdicts; train it again"
            )
        return tuple(lines)

    def unlike_training(self, machine: Machine, sound: Sound) -> tuple[str, ...]:
        """What of a recording's typical clip is unlike the training recordings of its machine, in a few words each."""
        known = self.health.get(machine)
        return known.remarks(sound, of_clip=self.clip_seconds is not None) if known else ()

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

    def decide(self, waveforms: Waveforms, *, sample_rate: int, **options: Any) -> Bool[np.ndarray, "*n"]:
        """True where a waveform scores above the threshold of its machine; arguments and errors are those of `judge`.

        With `unknown_machine_id="min"` a clip is anomalous when it is so for the machine with the smallest score.

        Raises:
            InputError: a waveform that gets no verdict, such as one that is too short.
        """
        verdict = self.judge(waveforms, sample_rate=sample_rate, **options)
        decisions = verdict.is_anomalous
        if n_bad := np.ma.count_masked(decisions):
            reason = next(filter(None, np.ravel(verdict.reasons)))
            raise InputError(f"{n_bad} of {decisions.size} waveforms have no verdict: {reason}")
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
        clips, is_single = as_clips(waveforms)

        def pieces() -> Iterator[Piece]:
            for index, clip in enumerate(clips):
                cutting = self.cutting_of(len(clip) / sample_rate) if clip.ndim == 1 and sample_rate > 0 else None
                for start, part in cut_waveform(clip, cutting, sample_rate=sample_rate):
                    ready = self.prepare(part, sample_rate=sample_rate, name=f"waveform {index}")
                    yield Piece(index, start, ready)

        verdict = self.judge_pieces(
            pieces(),
            one_each(machine_id, len(clips), "machine ids"),
            machine_type=machine_type,
            scorer=scorer,
            unknown_machine_id=unknown_machine_id,
        )
        return verdict.single() if is_single else verdict

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
        types = one_each(machine_type, len(machine_ids), "machine types")
        held_against = [
            candidates(self.machines, *given, unknown_machine_id=unknown_machine_id)
            for given in zip(machine_ids, types, strict=True)
        ]
        column = {machine: number for number, machine in enumerate(self.machines)}
        heard: list[list[tuple[float, np.ndarray]]] = [[] for _ in held_against]
        reasons = np.full(len(held_against), "", object)

        def long_enough() -> Iterator[Piece]:
            for piece in pieces:
                if reason := self._too_short(piece.waveform):
                    reasons[piece.recording] = reason
                else:
                    yield piece

        stream = long_enough()
        while chunk := list(itertools.islice(stream, _PIECES_AT_ONCE)):
            frames = extract_waveforms((piece.waveform for piece in chunk), self.front_end, n_clips=len(chunk))
            pairs = [(row, machine) for row, piece in enumerate(chunk) for machine in held_against[piece.recording]]
            rows, machines = np.asarray([row for row, _ in pairs]), [machine for _, machine in pairs]
            # A clip comes once for each machine that it is held against, which is one unless `min` is asked for.
            clips = frames if len(rows) == len(chunk) else frames.select(rows)
            scores = np.full((len(chunk), len(column)), np.nan)
            scores[rows, [column[machine] for machine in machines]] = self.score_frames(
                clips, machines, scorers=[name]
            )[name]
            for piece, row in zip(chunk, scores, strict=True):
                heard[piece.recording].append((piece.start_seconds, row))
        return judged(
            list(self.fitted[name].items()),
            [[column[machine] for machine in own] for own in held_against],
            heard,
            reasons,
            consecutive=self.consecutive,
            remarks=self.remarks(name),
        )

    def _too_short(self, waveform: np.ndarray) -> str:
        """Why nothing can be said of a clip that is shorter than those of training; empty where it is long enough."""
        seconds = len(waveform) / self.front_end.sample_rate
        if self.clip_seconds is None:
            return ""
        if seconds < SHORT * self.clip_seconds:
            return f"{seconds:.3g} s is shorter than half of {self.clip_seconds:.4g} s, the clips of training"
        if self.front_end.n_frames(len(waveform)) < self.min_frames:
            return f"{seconds:.3g} s is shorter than what the detector looks at"
        return ""

    def prepare(self, waveform: np.ndarray, *, sample_rate: int, name: str) -> Float[np.ndarray, " n_resampled"]:
        """A waveform as the front end takes it, at its rate; an InputError calls it by `name` where it cannot be."""
        waveform = at_rate(waveform, sample_rate=sample_rate, target_rate=self.front_end.sample_rate, name=name)
        if self.clip_seconds is None and self.front_end.n_frames(len(waveform)) < self.min_frames:
            seconds = (self.min_frames - 1) * self.front_end.hop_length / self.front_end.sample_rate
            raise InputError(f"{name} is too short; this detector needs at least {seconds:.2f} s")
        return waveform
