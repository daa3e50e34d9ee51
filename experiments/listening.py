"""Recordings on their way to a detector: which files, of which machine, what is measured, why one is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from asd_jax.errors import InputError
from experiments import wording

if TYPE_CHECKING:  # imported late, so that --help answers at once
    import numpy as np

    from asd_jax.datasets import Machine
    from asd_jax.detectors.judging import Judge
    from asd_jax.detectors.verdicts import Piece

FLAGS = flags.FLAGS


def _machine_id(path: Path, known: tuple[str, ...]) -> str | None:
    """The id that was given, that the name carries, or a folder above it where that is a known one, or the only one."""
    from asd_jax.datasets.machines import explicit_id_in, machine_id_in
    from asd_jax.datasets.tree import check_name

    check_name(str(path))
    if FLAGS.machine_id:
        if len(FLAGS.machine_id) > 1:
            raise InputError("--machine_id: give one id, the machine that all the files are of")
        return FLAGS.machine_id[0]
    found = machine_id_in(path.as_posix())
    if found in known:
        return found
    if named := explicit_id_in(path.name):  # a folder far above may be called id_07 for reasons of its own
        if FLAGS.unknown_machine_id == "error":
            raise InputError(
                f"{path}: {named} is not known to the detector, which has {', '.join(known)}; if it is one of these, "
                "pass it as --machine_id"
            )
        return named
    if len(known) > 1 and FLAGS.unknown_machine_id == "error":
        raise InputError(
            f"{path}: its path does not say which machine it is; pass --machine_id with one of {', '.join(known)}, "
            "or --unknown_machine_id=min"
        )
    return known[0] if len(known) == 1 else None


def files_in(arguments: list[str]) -> list[str]:
    """The files that the arguments name, and those in the folders that they name."""
    from asd_jax.datasets.tree import list_tree

    found = []
    for name in arguments:
        below = [str(Path(name) / path) for path in list_tree(Path(name)).audio] if Path(name).is_dir() else [name]
        if not below:
            raise InputError(f"{name}: no recordings in this folder")
        found += below
    return list(dict.fromkeys(found))


class Heard:
    """What is heard of each file on its way to the detector: what is measured of its clips, and why one was refused."""

    def __init__(self, names: list[str], detector: "Judge", channel: str) -> None:
        self.names, self._detector, self._channel = names, detector, channel
        self.sounds: dict[int, list[Any]] = {}  # of Sound
        self.reasons: dict[int, str] = {}
        self.machine_ids: list[str | None] = [None] * len(names)
        for index, name in enumerate(names):
            try:
                self.machine_ids[index] = _machine_id(Path(name), detector.machine_ids)
            except InputError as error:
                self._refuse(index, error)
                self.machine_ids[index] = detector.machine_ids[0]  # in the place of one; the file is not read

    def pieces(self) -> "Iterator[Piece]":
        """The clips of all files."""
        for index in range(len(self.names)):
            if index not in self.reasons:
                try:
                    yield from self._clips(index)
                except InputError as error:
                    self._refuse(index, error)

    def read(self, name: str, start_seconds: float, clip_seconds: float | None) -> "np.ndarray":
        """Samples of a file, from a second on and for so many seconds (None to its end), at the detector's rate."""
        from asd_jax.datasets.audio import read_audio

        rate = self._detector.sample_rate
        where = {"start_seconds": start_seconds, "clip_seconds": clip_seconds}
        return read_audio(Path(name), sample_rate=rate, channel=self._channel, **where)

    def _clips(self, index: int) -> "Iterator[Piece]":
        from asd_jax.datasets import Clip
        from asd_jax.datasets.audio import duration_seconds
        from asd_jax.datasets.cutting import cut
        from asd_jax.datasets.sound import measure
        from asd_jax.detectors.verdicts import Piece

        name, detector = self.names[index], self._detector
        whole, rate, silent = Clip(name, self.machine_ids[index] or "", "test"), detector.sample_rate, True
        cutting = detector.cutting_of(duration_seconds(Path(name)))
        for part in [whole] if cutting is None else cut(whole, Path(), cutting):
            waveform = self.read(name, part.start_seconds, part.clip_seconds)
            ready = detector.prepare(waveform, sample_rate=rate, name=part.file_name)
            silent &= not ready.any()
            self.sounds.setdefault(index, []).append(measure(ready, sample_rate=rate))
            yield Piece(index, part.start_seconds, ready)
        if silent:
            print(f"warning: {name} is silent; is the microphone connected?")

    def _refuse(self, index: int, error: InputError) -> None:
        if FLAGS.skip_bad_files:
            wording.say(f"warning: left out{' from there on' if index in self.sounds else ''}: {error}")
            if index in self.sounds:
                return
        self.reasons[index] = wording.in_flags(str(error))

    def remarks(self, index: int, machine: "Machine") -> str:
        """What of a file is unlike the training recordings of its machine: of its typical clip."""
        import numpy as np

        from asd_jax.datasets.sound import Sound

        typical = Sound(*np.median(np.asarray(self.sounds[index]), axis=0).tolist())
        return "; ".join(self._detector.unlike_training(machine, typical))
