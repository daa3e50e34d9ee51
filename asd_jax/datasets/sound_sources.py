"""Building blocks of synthetic sounds: curves, tones that follow a curve, and impacts that ring.

Curves of slow things (speed, loudness) are given at every `CONTROL_HOP`-th sample and joined by straight
lines, which makes them cheap to compute with.
"""

import functools

import numpy as np
from jaxtyping import Float

CONTROL_HOP = 16  # samples; 1 ms at 16 kHz
RING_SECONDS = 0.2  # of an impact; what follows is below hearing

Modes = tuple[tuple[float, float, float], ...]  # resonances: (frequency in Hz, damping ratio, level in dB)


def db_to_ratio(db: float) -> float:
    """Amplitude ratio of a level in dB."""
    return float(10.0 ** (db / 20.0))


def n_control(n_samples: int, *, hop: int = CONTROL_HOP) -> int:
    """Points of a curve that covers `n_samples`."""
    return -(-n_samples // hop) + 1


def to_samples(
    control: Float[np.ndarray, " n_control"], n_samples: int, *, hop: int = CONTROL_HOP
) -> Float[np.ndarray, " n_samples"]:
    """Straight lines between the points of a curve given at every `hop`-th sample; the dtype stays."""
    ramp = np.arange(hop, dtype=control.dtype) / hop
    # As a product of matrices: several times as fast as a broadcast sum.
    ends = np.stack([control[:-1], control[1:]], axis=1)
    return (ends @ np.stack([1 - ramp, ramp])).ravel()[:n_samples]


@functools.lru_cache(maxsize=16)
def _one_cycle(harmonics_db: tuple[float, ...]) -> Float[np.ndarray, " 2048"]:
    spectrum = np.zeros(1025, dtype=np.complex128)
    order = np.arange(1, 1 + len(harmonics_db))
    # Phases that spread the crests (Schroeder's): harmonics in phase would make a train of pulses.
    phases = np.exp(-1j * np.pi * order**2 / len(harmonics_db))
    spectrum[order] = 10.0 ** (np.asarray(harmonics_db) / 20.0) * phases
    cycle = np.fft.irfft(spectrum)
    cycle = (cycle / np.sqrt(np.mean(cycle**2))).astype(np.float32)
    cycle.flags.writeable = False
    return cycle


def tone(
    frequency: Float[np.ndarray, " n_control"],
    harmonics_db: tuple[float, ...],
    *,
    start: float,
    n_samples: int,
    sample_rate: int,
) -> Float[np.ndarray, " n_samples"]:
    """Harmonic tone of RMS 1, read from a table of one cycle.

    Args:
        frequency: of the fundamental, in Hz.
        harmonics_db: levels of the harmonics against each other, in dB, the fundamental first.
        start: phase at the first sample, in cycles.
        n_samples: length of the tone.
        sample_rate: in Hz.
    """
    table = _one_cycle(harmonics_db)
    advance = np.cumsum((frequency[:-1] + frequency[1:]) / 2) * (CONTROL_HOP / sample_rate)
    entry = to_samples((start + np.concatenate([[0.0], advance])) * len(table), n_samples)
    return table[entry.astype(np.int32) & (len(table) - 1)]  # the length is a power of two: modulo


def ring(modes: Modes, sample_rate: int) -> Float[np.ndarray, " n_ring"]:
    """What a unit impact makes of the modes: decaying sines, `RING_SECONDS` long, with a peak of 1."""
    time = np.arange(int(RING_SECONDS * sample_rate)) / sample_rate
    response = np.zeros_like(time)
    for frequency, damping, level_db in modes:
        angular = 2.0 * np.pi * frequency
        response += db_to_ratio(level_db) * np.exp(-damping * angular * time) * np.sin(angular * time)
    # No microphone passes a mean: take it out with the slowest decay, where it is below a tenth of the peak.
    fading = np.exp(-time * min(2.0 * np.pi * frequency * damping for frequency, damping, _ in modes))
    response -= fading * (response.sum() / fading.sum())
    return (response / np.max(np.abs(response))).astype(np.float32)


@functools.lru_cache(maxsize=16)
def cached_ring(modes: Modes, sample_rate: int) -> Float[np.ndarray, " n_ring"]:
    """`ring` of modes that come again, read-only."""
    response = ring(modes, sample_rate)
    response.flags.writeable = False
    return response


def strike(
    sound: Float[np.ndarray, " n_samples"],
    times: Float[np.ndarray, " n_events"],
    peaks: Float[np.ndarray, " n_events"],
    response: Float[np.ndarray, " n_ring"],
    *,
    sample_rate: int,
) -> None:
    """Add to `sound`, in place, impacts at `times` (s; those before it ring into it)."""
    first = np.round(times * sample_rate).astype(np.int64)
    for begin, peak in zip(first, np.asarray(peaks, dtype=np.float32), strict=True):
        heard = slice(max(begin, 0), max(begin + len(response), 0))
        skipped = heard.start - begin
        target = sound[heard]
        target += peak * response[skipped : skipped + len(target)]
