"""Recordings of two microphones: which is near the machine and which is far, and what taking the far one away did."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.sound import measure
from asd_jax.errors import InputError

NO_REFERENCE = "none"
_AT_MOST = 24  # clips that are looked at
_LOUDER_DB = 3.0  # by which no far microphone should be louder
# Likeness above which the far microphone seems to hear the machine: 0.12 where it did so at a tenth of the near one.
_ALIKE = 0.08
_SURE = 3.0  # standard errors above 0 that it must be, since of few frames it is mostly chance

Pair = Callable[[Clip], tuple[Float[np.ndarray, " n_samples"], Float[np.ndarray, " n_samples"]]]


def joined(channel: str, reference: str) -> str:
    """The name of a channel without what another explains: `0-1`.

    Raises:
        InputError: no two channels.
    """
    if not (channel.isdecimal() and reference.isdecimal()):
        raise InputError(
            f"`reference_channel`={reference} needs `channel`, the number of the microphone near the machine, and has "
            f"{channel}"
        )
    if channel == reference:
        raise InputError(f"`reference_channel`={reference} is the channel that is read; give the far microphone's")
    return f"{channel}-{reference}"


def parted(channel: str) -> tuple[str, str | None]:
    """The channel near the machine, and the reference, None without one, of a name such as `0-1`."""
    near, _, far = channel.partition("-")
    return near, far or None


def without_reference(near: np.ndarray, far: np.ndarray) -> Float[np.ndarray, " n_samples"]:
    """The near microphone's waveform without what the far one explains; as it is where it is too short for that."""
    try:
        from asd_jax.features.near_far import subtract_reference  # late: an exported detector may have no JAX
    except ImportError as error:
        raise InputError("taking the far microphone away needs JAX, which is not installed here") from error
    return near if len(near) <= 1536 else subtract_reference(near, far, xp=np)


@dataclasses.dataclass(frozen=True)
class Subtraction:
    """What taking the far microphone away did to some clips, a value each.

    Attributes:
        removed: share of the near microphone's energy.
        alike: likeness of what was removed and what is left (see `features.near_far.likeness`).
        louder_db: level of the far microphone above the near one's, in dB.
    """

    removed: Float[np.ndarray, " n_clips"]
    alike: Float[np.ndarray, " n_clips"]
    louder_db: Float[np.ndarray, " n_clips"]

    @classmethod
    def of(cls, clips: Sequence[Clip], pair: Pair, *, sample_rate: int) -> "Subtraction":
        """Of at most 24 of the clips, spread over them; those that cannot be read are passed over."""
        from asd_jax.features.near_far import likeness, removed_share

        rows = []
        for index in np.unique(np.linspace(0, len(clips) - 1, min(_AT_MOST, len(clips))).astype(int)):
            try:
                near, far = pair(clips[index])
            except InputError:  # said, or an error, when the clip is read
                continue
            if len(near) <= 1536:
                continue
            left = without_reference(near, far)
            levels = [measure(of, sample_rate=sample_rate).level_db for of in (far, near)]
            louder = levels[0] - levels[1] if np.isfinite(levels).all() else -np.inf
            rows.append((removed_share(near, left), likeness(near - left, left), louder))
        return cls(*(np.asarray(rows).reshape(-1, 3).T))

    def remarks(self) -> tuple[str, ...]:
        """What a user should know, a line each."""
        if not len(self.removed):
            return ()
        low, median, high = np.quantile(self.removed, [0.1, 0.5, 0.9])
        found = [
            f"the far microphone explains {median:.0%} of the near one's energy ({low:.0%} to {high:.0%}, "
            f"{len(self.removed)} training clips), which is taken away"
        ]
        chance = _SURE * 1.25 * float(np.std(self.alike)) / np.sqrt(len(self.alike))  # of a median
        if (alike := float(np.median(self.alike))) > max(_ALIKE, chance):
            found.append(
                f"what is taken away swells and fades like what is left (likeness {alike:.2f}): the far microphone "
                "seems to hear the machine, whose sound is then taken away too; compare with `reference_channel=none`"
            )
        if (louder := float(np.median(self.louder_db))) > _LOUDER_DB:
            found.append(
                f"the far microphone is {louder:.0f} dB louder than the near one: are `channel` and "
                "`reference_channel` swapped?"
            )
        return tuple(found)
