"""Mel spectrograms and their logarithm."""

import functools

import jax
import jax.numpy as jnp
import librosa
import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.spectrogram import power_spectrogram


@functools.cache
def mel_filterbank(
    *,
    sample_rate: int = 16_000,
    n_fft: int = 1024,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
) -> np.ndarray:
    """Triangular mel filters from librosa, as a read-only `(n_bins, n_mels)` float32 constant.

    Raises:
        ValueError: `fmax` is above the Nyquist frequency.
    """
    if fmax is not None and fmax > sample_rate / 2:
        raise ValueError(f"fmax={fmax} Hz is above the Nyquist frequency {sample_rate / 2} Hz")
    filters = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    filters = np.ascontiguousarray(filters.T, dtype=np.float32)
    filters.flags.writeable = False
    return filters


def mel_spectrogram(
    waveform: Float[Array, "*batch n_samples"],
    *,
    sample_rate: int = 16_000,
    n_fft: int = 1024,
    hop_length: int = 512,
    win_length: int | None = None,
    center: bool = True,
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
) -> Float[Array, "*batch n_frames n_mels"]:
    """Mel spectrogram, equal to `librosa.feature.melspectrogram` transposed (zero-padded centred frames)."""
    spectrogram = power_spectrogram(
        waveform, n_fft=n_fft, hop_length=hop_length, win_length=win_length, center=center, power=power
    )
    filters = mel_filterbank(
        sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm
    )
    # HIGHEST: the default precision of a GPU (TF32) or TPU (bfloat16) moves a log-mel by tenths of a dB.
    return jnp.matmul(spectrogram, filters, precision=jax.lax.Precision.HIGHEST)


def power_to_db(power: Float[Array, "*shape"], *, ref: float = 1.0, amin: float = 1e-10) -> Float[Array, "*shape"]:
    """`10 log10(max(power, amin) / ref)`, without the clip-relative floor (`top_db`) of librosa's default."""
    return 10.0 * (jnp.log10(jnp.maximum(power, amin)) - np.float32(np.log10(max(amin, ref))))


def log_mel_spectrogram(
    waveform: Float[Array, "*batch n_samples"],
    *,
    sample_rate: int = 16_000,
    n_fft: int = 1024,
    hop_length: int = 512,
    win_length: int | None = None,
    center: bool = True,
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    amin: float = 1e-10,
) -> Float[Array, "*batch n_frames n_mels"]:
    """Mel spectrogram in dB with the settings of DCASE Task 2: 313 frames of 128 mels for 10 s at 16 kHz.

    Args:
        waveform: mono float32 samples in [-1, 1].
        sample_rate: samples a second, in Hz.
        amin: floor of the mel power, so that digital silence is -100 dB.

    Raises:
        ValueError: without `center`, the waveform is shorter than `n_fft`; `fmax` is above Nyquist.
    """
    mel = mel_spectrogram(
        waveform,
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        center=center,
        power=power,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        htk=htk,
        norm=norm,
    )
    return power_to_db(mel, amin=amin)
