"""What three faults of a slide rail add to its sound, each from severity 0 (nothing) to 1 (broken).

The names are those of MIMII. Each fault is anchored to something the healthy machine does:

* *rail damage*: pits along a stretch of the rail click whenever the carriage passes them, so that the
  clicks are tied to its position. They ring like the knocks, and brighter, since the contact is harder. At
  severity 1 a click is as loud as a knock; the joints of a healthy rail tick at a sixteenth of that.
* *loose belt*: strokes wander in duration and start late, and the slack belt slaps its guard, mostly while
  the carriage accelerates or brakes, at severity 1 with half a knock.
* *no grease*: the friction band rises by up to 15 dB (between two services it drifts by a few dB anyway),
  and a dry contact at low speed sticks, slips and squeals.

Amplitudes grow in proportion to the severity, levels in dB do too, so that every fault vanishes smoothly.
"""

import dataclasses

import numpy as np
import scipy.fft
from jaxtyping import Float

from asd_jax.datasets.slide_rail import ACCELERATION, Motion, Rolling, SlideRail
from asd_jax.datasets.sound_sources import cached_ring, strike, to_samples, tone

FAULT_KINDS = ("rail_damage", "loose_belt", "no_grease")

CLICK = 1.0  # peak of a click at severity 1, as a share of a knock
PIT_SPACING = 0.03  # from one pit to the next, as a share of the rail
SLAP = 0.5  # peak of a belt's slap at severity 1, as a share of a knock
PACE_WANDER = 0.06  # standard deviation of a step of the stroke's duration at severity 1, as a share of it
BACKLASH_SECONDS = 0.08  # longest delay of a stroke's start at severity 1, in s
FRICTION_DB = 15.0  # rise of the friction band at severity 1, in dB
SQUEAL = 0.5  # highest RMS of the squeal at severity 1, in units of the rolling noise's RMS

_CONTACT_MODES = ((1900.0, 0.03, -6.0), (3300.0, 0.03, -4.0), (4700.0, 0.04, -8.0))
_GUARD_MODES = ((310.0, 0.08, 0.0), (680.0, 0.07, -2.0), (1450.0, 0.06, -8.0))


@dataclasses.dataclass(frozen=True)
class Fault:
    """One of `FAULT_KINDS` and how bad it is, from 0 (healthy) to 1 (broken)."""

    kind: str
    severity: float

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown kind or a severity outside [0, 1]."""
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"no fault {self.kind!r}: there are {', '.join(FAULT_KINDS)}")
        if not 0.0 <= self.severity <= 1.0:
            raise ValueError(f"severity={self.severity} is not between 0 and 1")


def loose_timing(
    severity: float, rng: np.random.Generator, n_strokes: int
) -> tuple[Float[np.ndarray, " n_strokes"], Float[np.ndarray, " n_strokes"]]:
    """Timing of a loose belt: a factor for each stroke's duration, and the delay after it in s.

    The factor is a random walk that a fading memory holds near 1, kept within 30 %.
    """
    steps = PACE_WANDER * severity * rng.standard_normal(n_strokes)
    delay = BACKLASH_SECONDS * severity * rng.random(n_strokes)
    walk = np.zeros(n_strokes)
    for i in range(1, n_strokes):
        walk[i] = 0.7 * walk[i - 1] + steps[i]
    return 1.0 + np.clip(walk, -0.3, 0.3), delay


def rail_damage(
    rail: SlideRail,
    motion: Motion,
    severity: float,
    rng: np.random.Generator,
    *,
    n_samples: int,
    sample_rate: int,
) -> Float[np.ndarray, " n_samples"]:
    """Clicks of three to nine pits, each as loud as the carriage is fast over it."""
    clicks = np.zeros(n_samples, dtype=np.float32)
    response = cached_ring(rail.modes + _CONTACT_MODES, sample_rate)
    first, n_pits = rng.uniform(0.15, 0.6), int(rng.integers(3, 10))
    for pit in range(n_pits):
        spread = 10.0 ** (rng.normal(0.0, 2.0, len(motion.start)) / 20.0)
        peaks = CLICK * severity * rail.knock * motion.cruise * spread
        strike(clicks, motion.crossing(first + PIT_SPACING * pit), peaks, response, sample_rate=sample_rate)
    return clicks


def belt_rattle(
    rail: SlideRail,
    motion: Motion,
    severity: float,
    rng: np.random.Generator,
    *,
    n_samples: int,
    sample_rate: int,
) -> Float[np.ndarray, " n_samples"]:
    """Slaps of the belt, some 25 a second while the carriage moves, weaker by 10 dB while it cruises."""
    rattle = np.zeros(n_samples, dtype=np.float32)
    n_slaps = max(1, round(rng.uniform(18.0, 32.0) * rail.stroke_seconds))
    jitter = rng.uniform(-0.4, 0.4, (len(motion.start), n_slaps))
    share = (np.arange(n_slaps) + 0.5 + jitter) / n_slaps  # of the stroke that is over
    cruising = np.abs(share - 0.5) < 0.5 - ACCELERATION
    times = motion.start[:, None] + motion.seconds[:, None] * share
    level_db = rng.normal(0.0, 4.0, times.shape) - 10.0 * cruising
    peaks = SLAP * severity * rail.knock * 10.0 ** (level_db / 20.0)
    response = cached_ring(_GUARD_MODES, sample_rate)
    strike(rattle, times.ravel(), peaks.ravel(), response, sample_rate=sample_rate)
    return rattle


def dry_friction(
    motion: Motion,
    rolling: Rolling,
    severity: float,
    rng: np.random.Generator,
    *,
    n_samples: int,
    sample_rate: int,
) -> Float[np.ndarray, " n_samples"]:
    """What the risen friction band adds to the rolling noise, and squeal in six of ten strokes."""
    rise = np.float32(10.0 ** (FRICTION_DB * severity / 10.0))
    gain = np.sqrt(rolling.body + rise * rolling.friction) - np.sqrt(rolling.body + rolling.friction)
    hiss = scipy.fft.irfft(rolling.excitation * gain, n_samples)

    squeal_hz = rng.uniform(1800.0, 3400.0)
    squeals = rng.random(len(motion.start)) < 0.6
    times = np.linspace(0.0, n_samples / sample_rate, len(motion.speed))
    stroke = np.clip(np.searchsorted(motion.start, times) - 1, 0, None)
    # Stick-slip needs a slow contact: strongest at a third of the cruising speed, none at rest or full speed.
    speed = np.clip(motion.speed, 0.0, 1.0)
    amplitude = SQUEAL * severity * squeals[stroke] * speed * (1.0 - speed) ** 2 * (27.0 / 4.0)
    squeal = tone(
        squeal_hz * (0.92 + 0.08 * speed),
        (0.0, -12.0),
        start=rng.random(),
        n_samples=n_samples,
        sample_rate=sample_rate,
    )
    return hiss + squeal * to_samples(amplitude.astype(np.float32), n_samples)


def fault_sound(
    fault: Fault | None,
    rail: SlideRail,
    motion: Motion,
    rolling: Rolling,
    rng: np.random.Generator,
    *,
    n_samples: int,
    sample_rate: int,
) -> Float[np.ndarray, " n_samples"]:
    """What a fault adds to the sound of the machine that moves so; silence without one."""
    size = {"n_samples": n_samples, "sample_rate": sample_rate}
    if fault is None:
        return np.zeros(n_samples, dtype=np.float32)
    if fault.kind == "rail_damage":
        return rail_damage(rail, motion, fault.severity, rng, **size)
    if fault.kind == "loose_belt":
        return belt_rattle(rail, motion, fault.severity, rng, **size)
    return dry_friction(motion, rolling, fault.severity, rng, **size)
