"""A few numbers of a recording that tell whether it was made as the others were: level, clipping, bandwidth, offset."""

from typing import NamedTuple

import numpy as np

from asd_jax.features.shapes import Float

_BLOCK = 1024  # samples of a spectrum
_MOST_BLOCKS = 64  # spread over the recording: enough for a cut-off frequency, and no cost
_FULL_SCALE = 0.999
_NOTHING = 1e-8  # power below that of the strongest bin by 80 dB counts as nothing


class Sound(NamedTuple):
    """What is measured of a waveform.

    Attributes:
        level_db: root mean square without the offset, in dB of full scale; -inf where it is silent.
        clipped: share of samples at full scale.
        offset: absolute mean, as a share of full scale.
        bandwidth_hz: highest frequency within 80 dB of the strongest; 0 where it is silent.
        seconds: length.
    """

    level_db: float
    clipped: float
    offset: float
    bandwidth_hz: float
    seconds: float


def measure(waveform: Float[np.ndarray, " n_samples"], *, sample_rate: int) -> Sound:
    """Measure a waveform of at least one sample in [-1, 1] at `sample_rate` Hz."""
    offset = float(np.mean(waveform, dtype=np.float64))
    centred = waveform - np.float32(offset)
    power = float(np.mean(np.square(centred, dtype=np.float64)))
    level_db = 10 * np.log10(power) if power > 1e-18 else -np.inf
    clipped = float(np.mean(np.abs(waveform) >= _FULL_SCALE))
    bandwidth = _bandwidth(centred, sample_rate) if np.isfinite(level_db) else 0.0
    return Sound(float(level_db), clipped, abs(offset), bandwidth, len(waveform) / sample_rate)


def _bandwidth(waveform: np.ndarray, sample_rate: int) -> float:
    n_blocks = min(_MOST_BLOCKS, max(1, len(waveform) // _BLOCK))
    starts = np.linspace(0, max(0, len(waveform) - _BLOCK), n_blocks).astype(int)
    if len(waveform) < _BLOCK:
        waveform = np.resize(waveform, _BLOCK)
    blocks = np.lib.stride_tricks.sliding_window_view(waveform, _BLOCK)[starts]
    power = np.mean(np.abs(np.fft.rfft(blocks * np.hanning(_BLOCK))) ** 2, axis=0)
    return float(np.flatnonzero(power > _NOTHING * power.max())[-1] * sample_rate / _BLOCK)
