"""Magnitude of the constant-Q transform by repeated halving of the sample rate.

Filters of one octave are those of the octave above at half the rate. So one octave of filters serves them all: the
waveform is low-passed and decimated once an octave, and every octave is one matrix product of its frames with the same
few hundred samples of filters (Schörkhuber and Klapuri, "Constant-Q transform toolbox for music processing", 2010).
"""

import functools
import math

import jax
import jax.numpy as jnp
import librosa
import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.framing import frame
from asd_jax.features.spectrogram import magnitude
from asd_jax.features.waveform import as_waveform

_STOPBAND_DB = 80.0
_BLOCK = 64  # decimated samples computed by one row of a matrix product
C1 = 32.70319566257483  # Hz


def cqt_magnitude(
    waveform: Float[Array, "*batch n_samples"],
    *,
    sample_rate: int = 16_000,
    hop_length: int = 512,
    fmin: float = C1,
    n_octaves: int = 7,
    bins_per_octave: int = 36,
    tuning: float = 0.0,
) -> Float[Array, "*batch n_frames n_bins"]:
    """Magnitude of the constant-Q transform with Hann filters, scaled as `abs(librosa.cqt(...))` transposed.

    It differs from librosa's in one step: the low-pass before a decimation is a short half-band filter, 80 dB down
    where it folds onto bins of interest, while librosa resamples with soxr. On real machine recordings an octave's bins
    differ by 0.05 % on average, except for frames that reach beyond the ends of the clip in the lowest octave (0.4 s at
    the defaults), where the two filters' ringing is cut off: 1 % to 10 %.

    Args:
        waveform: mono samples, taken as zero outside.
        sample_rate: samples a second, in Hz.
        hop_length: samples from one frame to the next; frame `t` is centred on sample `t * hop_length`. The more
            often it can be halved, the more octaves are computed at their own rate.
        fmin: lowest frequency, in Hz; the default is the note C1.
        n_octaves: octaves from `fmin` up; `n_bins = n_octaves * bins_per_octave`.
        bins_per_octave: bins in an octave.
        tuning: shift of all frequencies, in bins.

    Raises:
        ValueError: the highest filter reaches above the Nyquist frequency; a number that is not positive.
    """
    waveform = as_waveform(waveform)
    if min(sample_rate, hop_length, fmin, n_octaves, bins_per_octave) <= 0:
        raise ValueError("sample_rate, hop_length, fmin, n_octaves and bins_per_octave must be positive")
    lowest = fmin * 2.0 ** (tuning / bins_per_octave)
    cutoffs = [_cutoff(lowest * 2.0**i, bins_per_octave) for i in range(n_octaves)]
    levels = [_halvings(cutoff, sample_rate, hop_length) for cutoff in cutoffs]
    kernels = [
        _kernels(sample_rate / 2**level, lowest * 2.0**i, bins_per_octave, 2**level) for i, level in enumerate(levels)
    ]
    low_passes = [
        _half_band(max(c / sample_rate * 2**level for c, at in zip(cutoffs, levels, strict=True) if at > level))
        for level in range(levels[0])
    ]
    count = 1 + waveform.shape[-1] // hop_length
    octaves = []
    level = 0
    for kernel, at in zip(reversed(kernels), reversed(levels), strict=True):
        while level < at:
            waveform = _halve(waveform, low_passes[level])
            level += 1
        hop, length = hop_length >> level, len(kernel)
        after = max(0, (count - 1) * hop + length // 2 - waveform.shape[-1])
        padded = jnp.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(length // 2, after)])
        octaves.append(_magnitude(frame(padded, frame_length=length, hop_length=hop)[..., :count, :], kernel))
    return jnp.concatenate(octaves[::-1], axis=-1)


def _magnitude(
    frames: Float[Array, "*batch n_frames length"], kernel: Float[np.ndarray, "length parts"]
) -> Float[Array, "*batch n_frames bins"]:
    real, imaginary = jnp.split(jnp.matmul(frames, kernel, precision=jax.lax.Precision.HIGHEST), 2, axis=-1)
    return magnitude(jax.lax.complex(real, imaginary))


def _relative_bandwidth(bins_per_octave: int) -> float:
    ratio = 2.0 ** (2 / bins_per_octave)
    return (ratio - 1) / (ratio + 1)


def _cutoff(lowest_of_octave: float, bins_per_octave: int) -> float:
    """Upper edge of the highest filter of an octave, in Hz (the main lobe of a Hann window is 1.5 bins wide)."""
    highest = lowest_of_octave * 2.0 ** ((bins_per_octave - 1) / bins_per_octave)
    return highest * (1 + 0.75 * _relative_bandwidth(bins_per_octave))


def _halvings(cutoff: float, sample_rate: int, hop_length: int) -> int:
    """How often the rate is halved for an octave: as often as its filters and the hop allow."""
    if cutoff > sample_rate / 2:
        raise ValueError(
            f"filters reach up to {cutoff:.0f} Hz, above the Nyquist frequency {sample_rate / 2:.0f} Hz; "
            "take fewer octaves"
        )
    # 1.3 leaves the low-pass room to fall between what is kept and what would fold onto it.
    by_rate = max(0, math.floor(math.log2(sample_rate / 2 / (1.3 * cutoff))))
    by_hop = (hop_length & -hop_length).bit_length() - 1
    return min(by_rate, by_hop)


@functools.cache
def _kernels(rate: float, lowest: float, bins_per_octave: int, decimation: int) -> np.ndarray:
    """One octave of windowed complex exponentials `(length, 2 * bins)`, real parts before imaginary ones."""
    frequencies = lowest * 2.0 ** (np.arange(bins_per_octave) / bins_per_octave)
    filters, lengths = librosa.filters.wavelet(
        freqs=frequencies,
        sr=rate,
        norm=1,
        pad_fft=True,
        window="hann",
        gamma=0,
        alpha=np.full(bins_per_octave, _relative_bandwidth(bins_per_octave)),
        dtype=np.complex128,
    )
    # librosa multiplies spectra, of positive frequencies only and without the smallest 1 % of each filter's: this is
    # the filter over time that it thereby applies.
    n_fft = filters.shape[1]
    spectra = np.fft.fft(filters)[:, : n_fft // 2 + 1]
    spectra = librosa.util.sparsify_rows(spectra, quantile=0.01, dtype=np.complex128).toarray()
    filters = np.fft.fft(spectra, n_fft) / n_fft * np.sqrt(lengths * decimation)[:, None]
    return np.concatenate([filters.real, filters.imag]).T.astype(np.float32)


@functools.cache
def _half_band(kept: float) -> np.ndarray:
    """Half-band low-pass, centred, for a halving after which frequencies up to `kept` of the old rate must be clean."""
    transition = 2 * (0.25 - kept)  # from what is kept to what would fold onto it
    import scipy.signal

    length, beta = scipy.signal.kaiserord(_STOPBAND_DB, 2 * transition)
    side = 2 * math.ceil(length / 4) - 1
    return scipy.signal.firwin(2 * side + 1, 0.5, window=("kaiser", beta))


def _halve(waveform: Float[Array, "*batch n_samples"], taps: np.ndarray) -> Float[Array, "*batch n_half"]:
    """Low-pass and keep samples 0, 2, 4, ...; outside of the waveform, before and after, are zeros.

    A run of outputs is the product of a run of inputs with a banded matrix: more arithmetic than the sum over taps, and
    faster, since XLA would fuse a chain of sums into one that computes every level anew for each tap of the next.
    """
    block = np.zeros((2 * (_BLOCK - 1) + len(taps), _BLOCK), np.float32)
    for column in range(_BLOCK):
        block[2 * column : 2 * column + len(taps), column] = taps
    count = -(-waveform.shape[-1] // 2)
    n_runs = -(-count // _BLOCK)
    before = len(taps) // 2
    after = 2 * _BLOCK * (n_runs - 1) + len(block) - before - waveform.shape[-1]
    padded = jnp.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(before, after)])
    runs = frame(padded, frame_length=len(block), hop_length=2 * _BLOCK)
    halved = jnp.matmul(runs, block, precision=jax.lax.Precision.HIGHEST)
    return halved.reshape(*waveform.shape[:-1], -1)[..., :count]
