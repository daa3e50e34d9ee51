"""Mel-frequency cepstral coefficients and derivatives over time."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.log_mel import log_mel_spectrogram


def mfcc(
    waveform: Float[Array, "*batch n_samples"], *, n_mfcc: int = 20, lifter: float = 0.0, **options: Any
) -> Float[Array, "*batch n_frames n_mfcc"]:
    """Mel-frequency cepstral coefficients, equal to `librosa.feature.mfcc` transposed at the same options.

    Args:
        waveform: mono samples in [-1, 1], 16 kHz unless `sample_rate` says otherwise.
        n_mfcc: coefficients kept, from the 0th on; at most `n_mels`.
        lifter: if above 0, coefficient `n` (from 1) is multiplied by `1 + lifter / 2 * sin(pi * n / lifter)`.
        **options: those of `log_mel_spectrogram`. librosa's own default is `top_db=80`, ours none.

    Raises:
        ValueError: as `log_mel_spectrogram` and `cepstrum`.
    """
    return cepstrum(log_mel_spectrogram(waveform, **options), n_mfcc=n_mfcc, lifter=lifter)


def cepstrum(
    log_mel: Float[Array, "*batch n_frames n_mels"], *, n_mfcc: int = 20, lifter: float = 0.0
) -> Float[Array, "*batch n_frames n_mfcc"]:
    """Orthonormal DCT-II over the bands of a log-mel spectrogram; the options are those of `mfcc`.

    Raises:
        ValueError: `n_mfcc` is not between 1 and the number of bands, or `lifter` is negative.
    """
    n_mels = log_mel.shape[-1]
    if not 1 <= n_mfcc <= n_mels:
        raise ValueError(f"n_mfcc={n_mfcc} must be from 1 to the number of mel bands, {n_mels}")
    if lifter < 0:
        raise ValueError(f"lifter={lifter} must not be negative")
    return jnp.matmul(log_mel, _dct(n_mels, n_mfcc, float(lifter)), precision=jax.lax.Precision.HIGHEST)


@functools.cache
def _dct(n_mels: int, n_mfcc: int, lifter: float) -> np.ndarray:
    import scipy.fft

    basis = scipy.fft.dct(np.eye(n_mels), type=2, norm="ortho", axis=-1)[:, :n_mfcc]
    if lifter > 0:
        basis = basis * (1 + (lifter / 2) * np.sin(math.pi * np.arange(1, n_mfcc + 1) / lifter))
    return basis.astype(np.float32)


def delta(
    frames: Float[Array, "*batch n_frames n_features"], *, width: int = 9, order: int = 1
) -> Float[Array, "*batch n_frames n_features"]:
    """Local estimate of the derivative over time by a Savitzky-Golay filter, as `librosa.feature.delta`.

    A polynomial of degree `order` is fitted to the `width` frames around each; the first and last `width // 2` frames
    take the polynomial of the first and last `width` frames.

    Args:
        frames: values over time, a derivative is taken of each feature, per frame (to the power of `order`).
        width: odd number of frames, at least 3.
        order: 1 for the first derivative, 2 for the second.

    Raises:
        ValueError: fewer frames than `width`; an even or too small `width`; an `order` not from 1 to below `width`.
    """
    from scipy.signal import savgol_coeffs

    if width < 3 or width % 2 == 0:
        raise ValueError(f"width={width} must be odd and at least 3")
    if not 1 <= order < width:
        raise ValueError(f"order={order} must be from 1 to below width={width}")
    count = frames.shape[-2]
    if count < width:
        raise ValueError(f"{count} frames are fewer than width={width}, which one derivative needs")
    half = width // 2
    # Row t estimates the derivative at frame t of a window.
    estimates = np.stack([savgol_coeffs(width, order, deriv=order, pos=t, use="dot") for t in range(width)]).astype(
        np.float32
    )
    inner = count - width + 1
    middle = sum(frames[..., i : i + inner, :] * estimates[half, i] for i in range(width))

    def edge(rows: np.ndarray, window: Array) -> Array:
        return jnp.einsum("tw,...wf->...tf", rows, window, precision=jax.lax.Precision.HIGHEST)

    first = edge(estimates[:half], frames[..., :width, :])
    last = edge(estimates[half + 1 :], frames[..., count - width :, :])
    return jnp.concatenate([first, middle, last], axis=-2)
