"""Noise of a factory hall: coloured, slowly swelling, with the clanks of other machines."""

import numpy as np
import scipy.fft
from jaxtyping import Float

from asd_jax.datasets.sound_sources import n_control, ring, strike, to_samples

_OCTAVES_HZ = 62.5 * 2.0 ** np.arange(8)  # centres of the bands of the colour
_SWELL_DB = 1.0


def factory_noise(
    rng: np.random.Generator,
    *,
    slope_db: float,
    colour_db: float,
    clanks_per_second: float,
    n_samples: int,
    sample_rate: int,
) -> Float[np.ndarray, " n_samples"]:
    """Noise of RMS 1 over the clip.

    Args:
        rng: draws everything.
        slope_db: fall of the noise's power, in dB per octave.
        colour_db: standard deviation of each octave band from that slope, in dB.
        clanks_per_second: mean number (Poisson) of clanks, which ring at one to three random frequencies and
            peak at two to six times the RMS of the rest.
        n_samples: length of the clip.
        sample_rate: in Hz.
    """
    n_bins = n_samples // 2 + 1
    hop = max(1, n_bins // 1000)
    grid_hz = np.arange(n_control(n_bins, hop=hop)) * hop * (sample_rate / n_samples)
    band_db = -slope_db * np.arange(8) + rng.normal(0.0, colour_db, 8)
    gain_db = np.interp(np.log2(np.maximum(grid_hz, 20.0)), np.log2(_OCTAVES_HZ), band_db)
    gain = 10.0 ** (gain_db / 20.0) * grid_hz**2 / (grid_hz**2 + 40.0**2)
    # Uniform instead of normal: four times as fast, and the sum over all bins is Gaussian all the same.
    spectrum = (rng.random(2 * n_bins, dtype=np.float32) - np.float32(0.5)).view(np.complex64)
    noise = scipy.fft.irfft(spectrum * to_samples(gain.astype(np.float32), n_bins, hop=hop), n_samples)
    noise /= _rms(noise)

    points = np.linspace(0.0, 1.0, 8)
    swell_db = np.interp(np.linspace(0.0, 1.0, n_control(n_samples)), points, rng.normal(0.0, _SWELL_DB, 8))
    noise *= to_samples((10.0 ** (swell_db / 20.0)).astype(np.float32), n_samples)

    for _ in range(rng.poisson(clanks_per_second * n_samples / sample_rate)):
        modes = tuple(
            (rng.uniform(250.0, 4000.0), rng.uniform(0.005, 0.03), rng.uniform(-6.0, 0.0))
            for _ in range(rng.integers(1, 4))
        )
        when, peak = rng.uniform(0.0, n_samples / sample_rate, 1), rng.uniform(2.0, 6.0, 1)
        strike(noise, when, peak, ring(modes, sample_rate), sample_rate=sample_rate)
    return noise / _rms(noise)


def _rms(sound: Float[np.ndarray, " n_samples"]) -> np.float32:
    return np.sqrt(np.dot(sound, sound) / np.float32(len(sound)))
