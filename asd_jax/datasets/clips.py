"""A clip and a data set: what every source of recordings comes down to."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asd_jax.features.shapes import Float, Int


class Machine(NamedTuple):
    """What is fitted separately: ids alone are not unique, since every machine type has an `id_00`.

    Attributes:
        machine_type: canonical name, such as `slide_rail`; empty where it is not known.
        machine_id: machine id or section, such as `id_00`.
    """

    machine_type: str
    machine_id: str


@dataclasses.dataclass(frozen=True)
class Clip:
    """One recording, or a clip cut from one, and what its name says of it.

    Attributes:
        file_name: names the clip, once in a data set: the POSIX path relative to the data directory; for a clip cut
            from a recording that path, `@` and where it starts.
        machine_id: the machine (or section) it belongs to, such as `id_00`.
        split: `train` or `test`; `supplemental` where such clips are asked for.
        is_anomaly: the label; None where it is not known. Metrics, `oracle` thresholds and the supervised
            reference read it, nothing else.
        domain: `source` or `target` where the release has domains and says which, else empty.
        attributes: what the name says beside that, such as `car_C2_spd_34V_mic_1` or `noAttribute`.
        recording: the file that it is read from, relative to the data directory; `file_name` where not given.
        start_seconds: where in the recording it starts.
        clip_seconds: how long it is; None up to the recording's end.
        machine_type: canonical name of the machine type, such as `slide_rail`.
    """

    file_name: str
    machine_id: str
    split: str
    is_anomaly: bool | None = None
    domain: str = ""
    attributes: str = ""
    recording: str = ""
    start_seconds: float = 0.0
    clip_seconds: float | None = None
    machine_type: str = ""

    @property
    def machine(self) -> Machine:
        """What is fitted for it: its machine type and id."""
        return Machine(self.machine_type, self.machine_id)

    def __post_init__(self) -> None:
        if not self.recording:
            object.__setattr__(self, "recording", self.file_name)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """The clips of one machine type, and how to read one.

    Attributes:
        name: the release or kind of source, for the results.
        machine: the machine's canonical name, such as `slide_rail`.
        clips: training clips (all normal) and test clips, in a fixed order.
        read: waveform of a clip, mono float32 at the sample rate asked for; None where there are no recordings.
        description: what a reader of the results should know of the recordings.
        channel: `mix` or the number of the channel that `read` takes; `0-1` is channel 0 without what 1 explains.
        warnings: what is odd about the recordings, a line each.
        vectors: of each clip by its file name, where they were computed elsewhere.
        pair: waveforms of the near and the far microphone, where what the far one explains is taken away.
        sample_rate: in Hz, where waveforms are at hand in one rate alone.
    """

    name: str
    machine: str
    clips: tuple[Clip, ...]
    read: Callable[[Clip], Float[np.ndarray, " n_samples"]] | None
    description: str = ""
    channel: str = "mix"
    warnings: tuple[str, ...] = ()
    vectors: Mapping[str, Float[np.ndarray, " dim"]] | None = None
    pair: Callable[[Clip], tuple[np.ndarray, np.ndarray]] | None = None
    sample_rate: int | None = None

    def split(self, name: str) -> tuple[Clip, ...]:
        """Clips of the split `train` or `test`."""
        return tuple(clip for clip in self.clips if clip.split == name)


def names_of(machines: Iterable[Machine]) -> dict[Machine, str]:
    """How each is called in lines for the user, in order: by its id, with its type where there are several."""
    known = sorted(set(machines))
    several = len({machine.machine_type for machine in known}) > 1
    return {of: f"{of.machine_type} {of.machine_id}" if several else of.machine_id for of in known}


def recording_index(recordings: Sequence[str]) -> Int[np.ndarray, " n_clips"]:
    """A number for each clip's recording, from 0 in the order in which recordings first come."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(recordings))}
    return np.asarray([numbers[name] for name in recordings], dtype=np.int64)
