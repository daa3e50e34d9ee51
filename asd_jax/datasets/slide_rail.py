"""Sound of a healthy slide rail: a carriage that a motor and a belt pull back and forth.

Everything follows from the carriage's motion. A stroke has a trapezoidal speed: the carriage accelerates
for a fifth of the stroke, cruises, and brakes for a fifth; then it rests, and returns. From that come, in
units of the rolling noise's RMS at cruising speed:

* *rolling noise*: white noise times the speed, shaped by the frame's resonances, with a weak band of
  friction hiss above (grease keeps it down);
* *hum*: the motor's harmonics, frequency and amplitude proportional to the speed, so that it glides at both
  ends;
* *knocks*: at each reversal the carriage meets its stop and the frame's modes ring;
* *ticks*: the wheels cross the joints of the rail, far weaker than a knock.

The microphone hears it directly and once reflected by the floor (a comb filter), both weaker with distance.
"""

import dataclasses
import functools

import numpy as np
import scipy.fft
from jaxtyping import Bool, Complex, Float

from asd_jax.datasets.sound_sources import (
    CONTROL_HOP,
    Modes,
    cached_ring,
    n_control,
    strike,
    to_samples,
    tone,
)

SPEED_OF_SOUND = 343.0  # m/s
ACCELERATION = 0.2  # share of a stroke in which the carriage speeds up, and again in which it brakes
TICK = 0.06  # peak of a tick at a joint of the rail, as a share of a knock
FRICTION_BAND = (2500.0, 6000.0)  # Hz: half-power edges of the hiss of metal on greased metal
FLOOR_REFLECTION = 0.5  # pressure that the floor sends back


@dataclasses.dataclass(frozen=True)
class SlideRail:
    """One machine: what stays the same in all its recordings.

    Attributes:
        stroke_seconds: one way, without the rest at the end, in s.
        rest_seconds: standstill at each end, in s.
        hum_hz: fundamental of the motor's hum at cruising speed, in Hz.
        hum_harmonics_db: levels of the hum's harmonics against each other, in dB, the fundamental first.
        modes: resonances of the frame.
        joints: positions of the rail's joints, as shares of its length.
        hum: RMS of the hum at cruising speed, in units of the rolling noise's RMS.
        knock: peak of a knock in the same unit.
        distance: of the microphone, in m.
        height: of machine and microphone above the floor, in m.
    """

    stroke_seconds: float
    rest_seconds: float
    hum_hz: float
    hum_harmonics_db: tuple[float, ...]
    modes: Modes
    joints: tuple[float, ...]
    hum: float
    knock: float
    distance: float
    height: float


SLIDE_RAILS = {
    "id_00": SlideRail(
        stroke_seconds=0.90, rest_seconds=0.10, hum_hz=118.0,
        hum_harmonics_db=(0.0, -4.0, -9.0, -12.0, -18.0),
        modes=((140.0, 0.06, -4.0), (410.0, 0.03, 0.0), (980.0, 0.02, -5.0), (2150.0, 0.015, -12.0)),
        joints=(0.31, 0.66), hum=0.8, knock=8.0, distance=0.35, height=0.40,
    ),
    "id_02": SlideRail(
        stroke_seconds=1.35, rest_seconds=0.20, hum_hz=86.0,
        hum_harmonics_db=(-5.0, 0.0, -3.0, -10.0, -9.0, -16.0),
        modes=((110.0, 0.07, -2.0), (290.0, 0.04, 0.0), (760.0, 0.02, -4.0), (1650.0, 0.02, -9.0)),
        joints=(0.45, 0.78), hum=1.0, knock=6.0, distance=0.60, height=0.55,
    ),
    "id_04": SlideRail(
        stroke_seconds=0.65, rest_seconds=0.06, hum_hz=152.0,
        hum_harmonics_db=(0.0, -8.0, -5.0, -16.0),
        modes=((180.0, 0.05, -6.0), (520.0, 0.03, 0.0), (1340.0, 0.02, -3.0), (2900.0, 0.012, -10.0)),
        joints=(0.50,), hum=0.6, knock=9.0, distance=0.45, height=0.30,
    ),
    "id_06": SlideRail(
        stroke_seconds=1.10, rest_seconds=0.15, hum_hz=101.0,
        hum_harmonics_db=(0.0, -2.0, -12.0, -7.0, -15.0),
        modes=((125.0, 0.06, -3.0), (350.0, 0.04, 0.0), (1120.0, 0.025, -6.0), (2480.0, 0.015, -8.0)),
        joints=(0.25, 0.52, 0.80), hum=0.9, knock=7.0, distance=0.90, height=0.50,
    ),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Motion:
    """The strokes around a clip and the speed they make.

    Attributes:
        start: when each stroke begins, in s from the clip's first sample; the first ones begin before it.
        seconds: how long each stroke takes, in s.
        forward: whether the stroke goes from position 0 to position 1.
        cruise: cruising speed of each stroke, 1 as designed.
        speed: speed at every `CONTROL_HOP`-th sample.
    """

    start: Float[np.ndarray, " n_strokes"]
    seconds: Float[np.ndarray, " n_strokes"]
    forward: Bool[np.ndarray, " n_strokes"]
    cruise: Float[np.ndarray, " n_strokes"]
    speed: Float[np.ndarray, " n_control"]

    @property
    def reversal(self) -> Float[np.ndarray, " n_strokes"]:
        """When each stroke ends, in s."""
        return self.start + self.seconds

    def crossing(self, position: float) -> Float[np.ndarray, " n_strokes"]:
        """When each stroke passes a position that is crossed at cruising speed (0.125 to 0.875), in s."""
        travelled = np.where(self.forward, position, 1.0 - position)
        return self.start + self.seconds * (travelled * (1.0 - ACCELERATION) + ACCELERATION / 2)


def n_strokes(rail: SlideRail, clip_seconds: float) -> int:
    """Strokes that surely fill a clip, however fast they are: a count that no fault changes."""
    return 5 + int(np.ceil(clip_seconds / (0.5 * rail.stroke_seconds)))


def move(
    rail: SlideRail,
    pace: Float[np.ndarray, " n_strokes"],
    rest: Float[np.ndarray, " n_strokes"],
    *,
    phase: float,
    n_samples: int,
    sample_rate: int,
) -> Motion:
    """Motion of the carriage.

    Args:
        rail: the machine.
        pace: duration of each stroke over its nominal duration; taken as at least a half.
        rest: standstill after each stroke, in s.
        phase: where in its cycle of two strokes the carriage is when the clip begins, in [0, 1).
        n_samples: length of the clip.
        sample_rate: in Hz.
    """
    pace = np.maximum(pace, 0.5)
    seconds = rail.stroke_seconds * pace
    cycle = 2 * (rail.stroke_seconds + rail.rest_seconds)
    start = np.concatenate([[0.0], np.cumsum(seconds + rest)[:-1]]) - phase * cycle
    corners = start[:, None] + seconds[:, None] * np.array([0.0, ACCELERATION, 1.0 - ACCELERATION, 1.0])
    speeds = (1.0 / pace)[:, None] * np.array([0.0, 1.0, 1.0, 0.0])
    times = np.arange(n_control(n_samples)) * (CONTROL_HOP / sample_rate)
    speed = np.interp(times, corners.ravel(), speeds.ravel())
    return Motion(start, seconds, np.arange(len(pace)) % 2 == 0, 1.0 / pace, speed)


@dataclasses.dataclass(frozen=True)
class Rolling:
    """Rolling noise: what excites it and the two filters that shape it.

    Attributes:
        excitation: spectrum of the white noise that rolls with the carriage.
        body: power response of carriage and frame, mean 1.
        friction: power response of the friction band, as loud as it is in this clip.
    """

    excitation: Complex[np.ndarray, " n_bins"]
    body: Float[np.ndarray, " n_bins"]
    friction: Float[np.ndarray, " n_bins"]

    def sound(self, n_samples: int) -> Float[np.ndarray, " n_samples"]:
        """Waveform of RMS 1 at cruising speed."""
        return scipy.fft.irfft(self.excitation * np.sqrt(self.body + self.friction), n_samples)


@functools.lru_cache(maxsize=8)
def _power_responses(
    rail: SlideRail, n_samples: int, sample_rate: int
) -> tuple[Float[np.ndarray, " n_bins"], Float[np.ndarray, " n_bins"]]:
    frequency = scipy.fft.rfftfreq(n_samples, 1.0 / sample_rate)
    body = 1.0 / (1.0 + (frequency / 500.0) ** 3)
    for mode_hz, damping, level_db in rail.modes:
        bandwidth = 4.0 * damping  # of a mode that the moving carriage damps further
        detuning = (frequency**2 - mode_hz**2) / (mode_hz * np.maximum(frequency, 1.0) * bandwidth)
        body += 10.0 ** (level_db / 10.0) / (1.0 + detuning**2)
    body *= frequency**4 / (frequency**4 + 60.0**4)
    low, high = FRICTION_BAND
    band = 1.0 / (1.0 + (low / np.maximum(frequency, 1.0)) ** 6) / (1.0 + (frequency / high) ** 6)
    responses = (body / body.mean()).astype(np.float32), (band / band.mean()).astype(np.float32)
    for response in responses:
        response.flags.writeable = False
    return responses


def roll(
    rail: SlideRail,
    motion: Motion,
    rng: np.random.Generator,
    *,
    friction_db: float,
    n_samples: int,
    sample_rate: int,
) -> Rolling:
    """Rolling noise, its friction band at `friction_db` against the rest."""
    # Uniform instead of normal: four times as fast, and the filters make the sound Gaussian all the same.
    white = (rng.random(n_samples, dtype=np.float32) - np.float32(0.5)) * np.float32(np.sqrt(12.0))
    white *= to_samples(motion.speed.astype(np.float32), n_samples)
    body, band = _power_responses(rail, n_samples, sample_rate)
    return Rolling(scipy.fft.rfft(white), body, np.float32(10.0 ** (friction_db / 10.0)) * band)


def hum(
    rail: SlideRail, motion: Motion, *, level: float, start: float, n_samples: int, sample_rate: int
) -> Float[np.ndarray, " n_samples"]:
    """The motor's hum, `level` times as loud as the machine has it; `start` is its first phase in cycles."""
    amplitude = to_samples((rail.hum * level * motion.speed).astype(np.float32), n_samples)
    frequency = rail.hum_hz * motion.speed
    return amplitude * tone(frequency, rail.hum_harmonics_db, start=start, n_samples=n_samples, sample_rate=sample_rate)


def knocks_and_ticks(
    rail: SlideRail,
    motion: Motion,
    levels: Float[np.ndarray, "n_kinds n_strokes"],
    *,
    n_samples: int,
    sample_rate: int,
) -> Float[np.ndarray, " n_samples"]:
    """The knock that ends each stroke and a tick at each joint; one row of `levels` each, 1 as designed."""
    sound = np.zeros(n_samples, dtype=np.float32)
    response = cached_ring(rail.modes, sample_rate)
    peaks = rail.knock * motion.cruise * levels
    strike(sound, motion.reversal, peaks[0], response, sample_rate=sample_rate)
    for joint, tick in zip(rail.joints, TICK * peaks[1:], strict=True):
        strike(sound, motion.crossing(joint), tick, response, sample_rate=sample_rate)
    return sound


def at_microphone(
    rail: SlideRail, sound: Float[np.ndarray, " n_samples"], *, sample_rate: int
) -> Float[np.ndarray, " n_samples"]:
    """The sound heard directly, its amplitude unchanged half a metre away, and as the floor reflects it."""
    reflected = np.hypot(rail.distance, 2.0 * rail.height)
    delay = min(round((reflected - rail.distance) / SPEED_OF_SOUND * sample_rate), len(sound))
    heard = np.float32(0.5 / rail.distance) * sound
    heard[delay:] += np.float32(FLOOR_REFLECTION * 0.5 / reflected) * sound[: len(sound) - delay]
    return heard
