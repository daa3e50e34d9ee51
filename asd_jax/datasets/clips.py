"""A clip and a data set: what every source of recordings comes down to."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float


@dataclasses.dataclass(frozen=True)
class Clip:
    """One recording and what its name says of it.

    Attributes:
        file_name: POSIX path relative to the data directory.
        machine_id: the machine (or section) it belongs to, such as `id_00`.
        split: `train` or `test`.
        is_anomaly: the label; None where it is not known. Metrics and `oracle` thresholds read it, nothing else.
        domain: `source` or `target` where the release has domains, else empty.
    """

    file_name: str
    machine_id: str
    split: str
    is_anomaly: bool | None = None
    domain: str = ""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """The clips of one machine type, and how to read one.

    Attributes:
        name: the release or kind of source, for the results.
        machine: the machine's canonical name, such as `slide_rail`.
        clips: training clips (all normal) and test clips, in a fixed order.
        read: waveform of a clip, mono float32 at the sample rate asked for.
        description: what a reader of the results should know of the recordings.
    """

    name: str
    machine: str
    clips: tuple[Clip, ...]
    read: Callable[[Clip], Float[np.ndarray, " n_samples"]]
    description: str = ""

    def split(self, name: str) -> tuple[Clip, ...]:
        """Clips of the split `train` or `test`."""
        return tuple(clip for clip in self.clips if clip.split == name)
