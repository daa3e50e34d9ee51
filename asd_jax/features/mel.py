"""Mel spectrograms."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.filterbank import mel_filterbank
from asd_jax.features.spectrogram import power_spectrogram

_BANDS_TOGETHER = 32


def mel_spectrogram(
    waveform: Float[Array, "*batch n_samples"],
    *,
    sample_rate: int = 16_000,
    n_fft: int = 1024,
    hop_length: int = 512,
    win_length: int | None = None,
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    triangles: str = "hz",
) -> Float[Array, "*batch n_frames n_mels"]:
    """Mel spectrogram, equal to `librosa.feature.melspectrogram` transposed.

    The options are those of `stft` and of `mel_filterbank`; `power` is the exponent of the magnitude.

    Raises:
        ValueError: as `stft` and `mel_filterbank`.
    """
    spectrogram = power_spectrogram(
        waveform,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        center=center,
        pad_mode=pad_mode,
        power=power,
    )
    filters = mel_filterbank(
        sample_rate=sample_rate,
        n_fft=n_fft,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        htk=htk,
        norm=norm,
        triangles=triangles,
    )
    return _apply(spectrogram, filters)


def _apply(
    spectrogram: Float[Array, "*batch n_frames n_bins"], filters: Float[np.ndarray, "n_bins n_mels"]
) -> Float[Array, "*batch n_frames n_mels"]:
    """`spectrogram @ filters`, a group of neighbouring bands at a time with the bins that any of them reads.

    Low bands read few bins; leaving out the zeros halves the arithmetic.
    """
    groups = []
    for first in range(0, filters.shape[1], _BANDS_TOGETHER):
        bands = filters[:, first : first + _BANDS_TOGETHER]
        bins = np.flatnonzero(bands.any(axis=1))
        low, high = (bins[0], bins[-1] + 1) if len(bins) else (0, 1)
        # HIGHEST: the default precision of a GPU (TF32) or TPU (bfloat16) moves a log-mel by tenths of a dB.
        groups.append(jnp.matmul(spectrogram[..., low:high], bands[low:high], precision=jax.lax.Precision.HIGHEST))
    return jnp.concatenate(groups, axis=-1)
