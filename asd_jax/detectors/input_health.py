"""Whether a recording was made as the training recordings were; a verdict on any other means little."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.sound import Sound

# Margins around what training had. They are round numbers of audio practice, set before any test clip was measured.
_LEVEL_DB = 6.0  # twice the sound pressure: half the distance to the machine, or another gain
_CLIPPED = 1e-3  # one sample in a thousand
_OFFSET = 0.01  # of full scale: the direct voltage of a faulty input
_BANDWIDTH = 0.75  # of the narrowest in training: a lower sampling rate halves it, or takes a third
_LENGTH = 2.0
_MIXED_DB = 20.0  # between training clips: more than one machine's loud and quiet phases usually span


@dataclasses.dataclass(frozen=True)
class InputHealth:
    """The range of training recordings, margins included.

    Attributes:
        level_db: quietest and loudest, in dB of full scale (root mean square).
        clipped: largest share of samples at full scale.
        offset: largest constant offset, as a share of full scale.
        bandwidth_hz: narrowest bandwidth.
        seconds: shortest and longest.
    """

    level_db: tuple[float, float]
    clipped: float
    offset: float
    bandwidth_hz: float
    seconds: tuple[float, float]

    @classmethod
    def fit(cls, sounds: Sequence[Sound]) -> "InputHealth | None":
        """The range of training recordings; None where all are silent."""
        heard = [sound for sound in sounds if np.isfinite(sound.level_db)]
        if not heard:
            return None
        level, clipped, offset, bandwidth, seconds = (np.asarray(column) for column in zip(*heard, strict=True))
        return cls(
            (float(level.min()) - _LEVEL_DB, float(level.max()) + _LEVEL_DB),
            float(clipped.max()) + _CLIPPED,
            float(offset.max()) + _OFFSET,
            float(bandwidth.min()) * _BANDWIDTH,
            (float(seconds.min()) / _LENGTH, float(seconds.max()) * _LENGTH),
        )

    @classmethod
    def of_machines(cls, sounds: Sequence[Sound], machines: Sequence[Machine]) -> "dict[Machine, InputHealth]":
        """The range of each machine's training recordings: another machine may be as far away as another microphone."""
        found = {}
        for machine in sorted(set(machines)) if sounds else ():
            own = [sound for sound, of in zip(sounds, machines, strict=True) if of == machine]
            if (health := cls.fit(own)) is not None:
                found[machine] = health
        return found

    def remarks(self, sound: Sound, *, of_clip: bool = False) -> tuple[str, ...]:
        """What is unlike training, in a few words each; the length of a clip cut from a recording says nothing."""
        if not np.isfinite(sound.level_db):
            return ("silent: is the microphone connected?",)
        found = []
        low, high = self.level_db
        if sound.level_db < low:
            found.append(f"{low + _LEVEL_DB - sound.level_db:.0f} dB quieter than in training")
        if sound.level_db > high:
            found.append(f"{sound.level_db - high + _LEVEL_DB:.0f} dB louder than in training")
        if sound.clipped > self.clipped:
            found.append(f"clipped: {sound.clipped:.1%} of samples at full scale")
        if sound.offset > self.offset:
            found.append(f"constant offset of {sound.offset:.1%} of full scale")
        if sound.bandwidth_hz < self.bandwidth_hz:
            found.append(f"nothing above {sound.bandwidth_hz / 1000:.1f} kHz: recorded at a lower rate?")
        if not of_clip and not self.seconds[0] <= sound.seconds <= self.seconds[1]:
            shortest, longest = self.seconds[0] * _LENGTH, self.seconds[1] / _LENGTH
            found.append(f"{sound.seconds:.1f} s long, in training {shortest:.1f} to {longest:.1f} s")
        return tuple(found)


def mixed(sounds: Sequence[Sound], machines: Sequence[Machine]) -> str | None:
    """One line that counts training clips of another rate or level than the others of their machine; None without."""
    narrow = apart = 0
    for machine in set(machines):
        own = [sound for sound, of in zip(sounds, machines, strict=True) if of == machine]
        heard = [sound for sound in own if np.isfinite(sound.level_db)]
        if heard:
            bandwidth, level = (
                np.asarray([getattr(of, name) for of in heard]) for name in ("bandwidth_hz", "level_db")
            )
            narrow += int(np.sum(bandwidth < _BANDWIDTH * np.quantile(bandwidth, 0.9)))
            apart += int(np.sum(np.abs(level - np.median(level)) > _MIXED_DB))
    found = []
    if narrow:
        found.append(f"{narrow} have a lower bandwidth than the others (recorded at a lower rate?)")
    if apart:
        found.append(f"{apart} are more than {_MIXED_DB:.0f} dB quieter or louder")
    return f"warning: of {len(sounds)} training clips {' and '.join(found)}; record all alike" if found else None
