"""From waveforms to verdicts by whatever scores their clips: what a detector and an exported file have in common."""

import abc
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting, cutting_of_long
from asd_jax.detectors.calibration import Calibrated
from asd_jax.detectors.known_machines import candidates
from asd_jax.detectors.verdicts import Piece, Verdict, cut_waveform, judged
from asd_jax.detectors.waveforms import Given, Waveforms, as_clips, at_rate, one_each
from asd_jax.errors import InputError
from asd_jax.features.shapes import Bool, Float


class Judge(abc.ABC):
    """Judges recordings clip by clip.

    Attributes:
        fitted: scorers, or what scores are held against, by name and machine.
        headline_scorer: the one that `score` and `decide` use unless told otherwise.
        cutting: how all recordings are cut into clips, as the training recordings were; None cuts only long ones.
        clip_seconds: how long the clips were that it was fitted on; None where that was not kept.
        health: level, bandwidth and the like of each machine's training recordings; empty where not measured.
    """

    fitted: Mapping[str, Mapping[Machine, Calibrated]]
    headline_scorer: str
    cutting: Cutting | None
    clip_seconds: float | None
    health: Mapping[Machine, Any]  # of InputHealth
    pieces_at_once = 128  # clips of a stream that are scored together

    @property
    @abc.abstractmethod
    def sample_rate(self) -> int:
        """Of the clips that it scores, in Hz."""

    @abc.abstractmethod
    def score_pieces(
        self, pieces: Sequence[Piece], held_against: Sequence[Sequence[Machine]], scorer: str
    ) -> Float[np.ndarray, "n_pieces n_machines"]:
        """Scores of clips by the machines that each is held against, in the order of `machines`; the others are NaN."""

    @abc.abstractmethod
    def too_short(self, waveform: Float[np.ndarray, " n_samples"]) -> str:
        """Why nothing can be said of a clip that is shorter than those of training; empty where it is long enough."""

    @property
    def consecutive(self) -> int:
        """Number of consecutive clips whose median a recording's score is."""
        return 1 if self.clip_seconds is None else 3

    def cutting_of(self, seconds: float) -> Cutting | None:
        """How a recording of so many seconds is cut into clips; None where it is a clip itself."""
        if self.cutting is not None or self.clip_seconds is None:
            return self.cutting
        return cutting_of_long(seconds, self.clip_seconds)

    @property
    def hears(self) -> bool:
        """Whether it is given recordings, and not vectors that were computed elsewhere."""
        return True

    def remarks(self, scorer: str | None = None) -> tuple[str, ...]:
        """What the user must know of the verdicts by a scorer, the headline scorer by default: a line each."""
        lines = [
            f"warning: {machine.machine_id}: {of.threshold.never_alarms}"
            for machine, of in self.fitted[scorer or self.headline_scorer].items()
            if of.threshold.never_alarms
        ]
        if self.clip_seconds is None and self.hears:
            scored = "whole" if self.cutting is None else "as their worst clip"
            lines.append(
                "note: this detector was saved before detectors knew how long their clips are: recordings are scored "
                f"{scored}, and those of other lengths than in training get wrong verdicts; train it again"
            )
        return tuple(lines)

    def unlike_training(self, machine: Machine, sound: Any) -> tuple[str, ...]:
        """What of a recording's typical clip (a `Sound`) is unlike its machine's training recordings, in words."""
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

    def deciding_by(self, rule: str) -> "Judge":
        """The same with the thresholds of another rule."""
        fitted = {
            name: {machine: of.deciding_by(rule) for machine, of in by.items()} for name, by in self.fitted.items()
        }
        return dataclasses.replace(self, fitted=fitted)

    def score(self, waveforms: Waveforms, *, sample_rate: int, **options: Any) -> np.ndarray:
        """Anomaly scores of waveforms, higher is more anomalous: one each, a scalar array for a single one.

        Arguments and errors are those of `judge`.
        """
        return self.judge(waveforms, sample_rate=sample_rate, **options).scores

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
                if reason := self.too_short(piece.waveform):
                    reasons[piece.recording] = reason
                else:
                    yield piece

        stream = long_enough()
        while chunk := list(itertools.islice(stream, self.pieces_at_once)):
            scores = self.score_pieces(chunk, [held_against[piece.recording] for piece in chunk], name)
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

    def prepare(self, waveform: np.ndarray, *, sample_rate: int, name: str) -> Float[np.ndarray, " n_resampled"]:
        """A waveform at the detector's rate; an InputError calls it by `name` where it cannot be."""
        return at_rate(waveform, sample_rate=sample_rate, target_rate=self.sample_rate, name=name)
