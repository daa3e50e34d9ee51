"""Mel filterbanks as constants, and mels of frequencies; NumPy alone."""

import functools
import math
import warnings

import numpy as np

from asd_jax.features.shapes import Float

_SLANEY_HZ, _SLANEY_LOG = 200.0 / 3, math.log(6.4) / 27  # Hz a mel below 1 kHz, of which it is mel 15; logarithm above


def mel_filterbank(
    *,
    sample_rate: int = 16_000,
    n_fft: int = 1024,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    triangles: str = "hz",
) -> Float[np.ndarray, "n_bins n_mels"]:
    """Triangular mel filters as a read-only float32 constant, those of `librosa.filters.mel` transposed.

    Args:
        sample_rate: samples a second, in Hz.
        n_fft: length of the transform in samples; `n_bins = n_fft // 2 + 1`.
        n_mels: number of bands.
        fmin: lower edge of the first band, in Hz.
        fmax: upper edge of the last band, in Hz; default half the sample rate.
        htk: the HTK formula `2595 log10(1 + f / 700)` instead of Slaney's scale, linear below 1 kHz.
        norm: `slaney` divides a band by its width in Hz, None leaves peaks of 1.
        triangles: `hz` for sides straight over Hz; `mel` for sides straight over mels and no DC, as in the feature
            code published with VGGish (HTK, no norm).

    Raises:
        ValueError: no sample rate; `fmax` is above the Nyquist frequency or not above `fmin`; no bands; an unknown
            name.

    Warns:
        UserWarning: bands too narrow to hold a bin, which stay at zero power. The message names them.
    """
    if not sample_rate > 0:
        raise ValueError(f"sample_rate={sample_rate} must be above 0, in Hz")
    nyquist = sample_rate / 2
    if fmax is not None and fmax > nyquist:
        raise ValueError(f"fmax={fmax} Hz is above the Nyquist frequency {nyquist} Hz")
    upper = nyquist if fmax is None else fmax
    if not 0 <= fmin < upper:
        raise ValueError(f"fmin={fmin} Hz must be at least 0 and below fmax={upper} Hz")
    if n_mels < 1:
        raise ValueError(f"n_mels={n_mels} must be positive")
    if norm not in ("slaney", None):
        raise ValueError(f"norm={norm!r} is not known; choose 'slaney' or None")
    if triangles == "mel" and (norm is not None or not htk):
        raise ValueError("triangles='mel' needs htk=True and norm=None")
    if triangles not in ("hz", "mel"):
        raise ValueError(f"triangles={triangles!r} is not known; choose hz or mel")
    filters = _filters(sample_rate, n_fft, n_mels, float(fmin), float(upper), htk, norm, triangles)
    empty = np.flatnonzero(~filters.any(axis=0))
    if len(empty):
        bands = ", ".join(map(str, empty))
        warnings.warn(
            f"mel bands {bands} of {n_mels} are empty: narrower than a bin of {sample_rate / n_fft:.4g} Hz; "
            "take a larger n_fft or fewer bands",
            stacklevel=2,
        )
    return filters


def hz_to_mel(frequencies: Float[np.ndarray, "*shape"], *, htk: bool = False) -> Float[np.ndarray, "*shape"]:
    """Mels of frequencies in Hz: Slaney's scale (Auditory Toolbox, 1998), or the formula of HTK."""
    if htk:
        return 2595.0 * np.log10(1.0 + frequencies / 700.0)
    above = 15.0 + np.log(np.maximum(frequencies, 1000.0) / 1000.0) / _SLANEY_LOG
    return np.where(frequencies < 1000.0, frequencies / _SLANEY_HZ, above)


def mel_to_hz(mels: Float[np.ndarray, "*shape"], *, htk: bool = False) -> Float[np.ndarray, "*shape"]:
    """The inverse of `hz_to_mel`."""
    if htk:
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    return np.where(mels < 15.0, _SLANEY_HZ * mels, 1000.0 * np.exp(_SLANEY_LOG * (mels - 15.0)))


def mel_frequencies(
    n_mels: int, *, fmin: float = 0.0, fmax: float = 8000.0, htk: bool = False
) -> Float[np.ndarray, " n_mels"]:
    """Centre of each mel band, in Hz."""
    low, high = hz_to_mel(np.asarray([fmin, fmax]), htk=htk)
    return mel_to_hz(np.linspace(low, high, n_mels + 2), htk=htk)[1:-1]


@functools.cache
def _filters(
    sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float, htk: bool, norm: str | None, triangles: str
) -> np.ndarray:
    # librosa has these filters too, but takes a second and more of every program's start to import.
    edges = np.linspace(*hz_to_mel(np.asarray([fmin, fmax]), htk=htk), n_mels + 2)
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)[:, None]
    if triangles == "mel":
        bins = hz_to_mel(bins, htk=htk)
    else:
        edges = mel_to_hz(edges, htk=htk)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    if triangles == "mel":
        filters[0] = 0.0
    if norm == "slaney":
        filters *= 2.0 / (edges[2:] - edges[:-2])  # after the rounding, as in librosa: equal to the last bit
    filters.flags.writeable = False
    return filters
