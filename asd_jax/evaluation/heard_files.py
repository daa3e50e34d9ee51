"""Recordings in files on their way to a detector and to the lines of a table: of which machine, why one is refused."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from asd_jax.datasets.audio import duration_seconds, read_audio
from asd_jax.datasets.clips import Clip, Machine
from asd_jax.datasets.cutting import cut
from asd_jax.datasets.machines import explicit_id_in, machine_id_in
from asd_jax.datasets.sound import Sound, measure
from asd_jax.datasets.tree import check_name
from asd_jax.detectors.judging import Judge
from asd_jax.detectors.verdicts import Piece, Verdict
from asd_jax.errors import InputError
from asd_jax.evaluation.score_files import DECISIONS, Scored
from asd_jax.features.shapes import Float


@dataclasses.dataclass(frozen=True)
class Listening:
    """How recordings are heard and judged.

    Attributes:
        channel: that is read; see `read_audio`.
        machine_id: that all files are of; by default what their paths say.
        machine_type: that all files are of; needed where an id belongs to several of the detector's types.
        scorer: that is asked; the headline scorer by default.
        unknown_machine_id: of a file of a machine that the detector does not know: `error`, or `min`.
        unlike: of a recording unlike those in training: `say` so, or `refuse` a verdict.
    """

    channel: str = "mix"
    machine_id: str | None = None
    machine_type: str | None = None
    scorer: str | None = None
    unknown_machine_id: str = "error"
    unlike: str = "say"


class HeardFiles:
    """What is heard of each file: what is measured of its clips, and why one was refused.

    Attributes:
        names: of the files.
        how: they are heard.
        reasons: why a file was refused, by its number.
        machine_ids: that each is held against; None where any may be its own.
    """

    def __init__(
        self,
        names: Sequence[str],
        judge: Judge,
        how: Listening,
        *,
        refused: Mapping[str, str] | None = None,
        skip_bad: bool = False,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Find out which machine each file is of; nothing is read.

        Args:
            names: of the files.
            judge: the detector that hears them.
            how: they are heard.
            refused: files that are not to be read, and why.
            skip_bad: judge a file that breaks off by what was heard of it.
            say: takes warnings.
        """
        self.names, self.how, self._judge, self._skip_bad, self._say = list(names), how, judge, skip_bad, say
        self.reasons: dict[int, str] = {}
        self.machine_ids: list[str | None] = []
        self._sounds: dict[int, list[Sound]] = {}
        for index, name in enumerate(self.names):
            try:
                if name in (refused or {}):
                    raise InputError(refused[name])
                self.machine_ids.append(_machine_id(Path(name), judge.machine_ids, how))
            except InputError as error:
                self._refuse(index, error)
                self.machine_ids.append(judge.machine_ids[0])  # in the place of one; the file is not read

    def pieces(self) -> Iterator[Piece]:
        """The clips of all files."""
        for index in range(len(self.names)):
            if index not in self.reasons:
                try:
                    yield from self._clips(index)
                except InputError as error:
                    self._refuse(index, error)

    def judged(self, pieces: Iterator[Piece] | None = None) -> Verdict:
        """What the detector says of the files.

        Args:
            pieces: what `pieces` gave, on whatever way it took.
        """
        return self._judge.judge_pieces(
            self.pieces() if pieces is None else pieces,
            self.machine_ids,
            machine_type=self.how.machine_type,
            scorer=self.how.scorer,
            unknown_machine_id=self.how.unknown_machine_id,
        )

    def scored(self, index: int, verdict: Verdict) -> Scored:
        """The line of a file, from what was heard of it and what the detector says."""
        name = self.names[index]
        if index in self.reasons:
            return Scored(name, "", math.nan, DECISIONS[None], math.nan, math.nan, 0, math.nan, self.reasons[index])
        machine = Machine(verdict.machine_types[index], verdict.machine_ids[index])
        remarks = verdict.reasons[index] or self._remarks(index, machine)
        decision = None if remarks and self.how.unlike == "refuse" else verdict.is_anomalous.tolist()[index]
        scorer = self.how.scorer or self._judge.headline_scorer
        return Scored(
            name,
            machine.machine_id,
            float(verdict.scores[index]),
            DECISIONS[decision],
            float(verdict.worst_start_seconds[index]),
            float(verdict.thresholds[index]),
            self._judge.fitted[scorer][machine].threshold.n_normal,
            float(verdict.share_of_normal_above[index]),
            remarks,
        )

    def read(self, name: str, start_seconds: float, clip_seconds: float | None) -> Float[np.ndarray, " n_samples"]:
        """Samples of a file, from a second on and for so many seconds (None to its end), at the detector's rate."""
        rate, where = self._judge.sample_rate, {"start_seconds": start_seconds, "clip_seconds": clip_seconds}
        return read_audio(Path(name), sample_rate=rate, channel=self.how.channel, **where)

    def _clips(self, index: int) -> Iterator[Piece]:
        name, judge = self.names[index], self._judge
        whole, rate, silent = Clip(name, self.machine_ids[index] or "", "test"), judge.sample_rate, True
        cutting = judge.cutting_of(duration_seconds(Path(name)))
        for part in [whole] if cutting is None else cut(whole, Path(), cutting):
            waveform = self.read(name, part.start_seconds, part.clip_seconds)
            ready = judge.prepare(waveform, sample_rate=rate, name=part.file_name)
            silent &= not ready.any()
            self._sounds.setdefault(index, []).append(measure(ready, sample_rate=rate))
            yield Piece(index, part.start_seconds, ready)
        if silent:
            self._say(f"warning: {name} is silent; is the microphone connected?")

    def _refuse(self, index: int, error: InputError) -> None:
        if self._skip_bad:
            self._say(f"warning: left out{' from there on' if index in self._sounds else ''}: {error}")
            if index in self._sounds:
                return
        self.reasons[index] = str(error)

    def _remarks(self, index: int, machine: Machine) -> str:
        """What of a file is unlike the training recordings of its machine: of its typical clip."""
        typical = Sound(*np.median(np.asarray(self._sounds[index]), axis=0).tolist())
        return "; ".join(self._judge.unlike_training(machine, typical))


def _machine_id(path: Path, known: tuple[str, ...], how: Listening) -> str | None:
    """The id that was given, that the name carries, or a folder above it where that is a known one, or the only one."""
    check_name(str(path))
    if how.machine_id:
        return how.machine_id
    found = machine_id_in(path.as_posix())
    if found in known:
        return found
    if named := explicit_id_in(path.name):  # a folder far above may be called id_07 for reasons of its own
        if how.unknown_machine_id == "error":
            raise InputError(
                f"{path}: {named} is not known to the detector, which has {', '.join(known)}; if it is one of these, "
                "pass it as `machine_id`"
            )
        return named
    if len(known) > 1 and how.unknown_machine_id == "error":
        raise InputError(
            f"{path}: its path does not say which machine it is; pass `machine_id` with one of {', '.join(known)}, "
            "or `unknown_machine_id=min`"
        )
    return known[0] if len(known) == 1 else None
