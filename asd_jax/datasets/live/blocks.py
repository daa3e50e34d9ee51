"""What a source of live sound gives: blocks of samples, and breaks between them."""

import enum
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from asd_jax.errors import InputError
from asd_jax.features.shapes import Float

BLOCK_SECONDS = 0.1  # of live sound: what it adds to the time from sound to line


class Block(NamedTuple):
    """Consecutive samples.

    Attributes:
        samples: mono, full scale at 1.
        sample_rate: in Hz.
    """

    samples: Float[np.ndarray, " n_samples"]
    sample_rate: int


class Kind(enum.StrEnum):
    """Why the samples after a break do not follow those before it."""

    WAITING = "waiting"  # the source is not there, or not any more
    BACK = "back"  # it is there again
    OVERFLOW = "overflow"  # samples were lost, since they were not taken in time
    RECORDING = "recording"  # another recording begins
    UNREADABLE = "unreadable"  # a recording was left out, or the rest of it


class Break(NamedTuple):
    """The samples after it do not follow those before it.

    Attributes:
        kind: why.
        reason: in words.
        seconds: of sound that were lost, 0 where none were or nobody knows.
    """

    kind: Kind
    reason: str
    seconds: float = 0.0


Stream = Iterator[Block | Break]


class SourceLost(Exception):
    """A source stopped, or is not there yet: worth opening again. Its text says why, in words."""


def mono(samples: Float[np.ndarray, "n_samples n_channels"], channel: str) -> Float[np.ndarray, " n_samples"]:
    """One channel, by its number, or the mean of all (`mix`).

    Raises:
        InputError: there is no such channel.
    """
    if channel == "mix":
        return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    if "-" in channel[1:]:
        raise InputError(
            f"`channel={channel}`: listening takes one microphone, and this detector was trained without what a far "
            "one explains; train one with `reference_channel=none`"
        )
    if not (channel.isdecimal() and int(channel) < samples.shape[1]):
        raise InputError(f"`channel={channel}`: the source has {samples.shape[1]} channel(s), numbered from 0; or mix")
    return np.ascontiguousarray(samples[:, int(channel)])
