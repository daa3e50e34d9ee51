"""The short-time Fourier transform and its power."""

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from asd_jax.features.precise_stft import precise_stft


def stft(
    waveform: Float[Array, "*batch n_samples"],
    *,
    n_fft: int = 1024,
    hop_length: int = 512,
    win_length: int | None = None,
    center: bool = True,
) -> Complex[Array, "*batch n_frames n_bins"]:
    """Short-time Fourier transform with a periodic Hann window, scaled as `librosa.stft` (not at all).

    Args:
        waveform: float32 samples.
        n_fft: length of the transform in samples; `n_bins = n_fft // 2 + 1`.
        hop_length: samples from one frame to the next.
        win_length: length of the window in samples, zero-padded on both sides to `n_fft`; default `n_fft`.
        center: pad the waveform with `n_fft // 2` zeros on both sides, so that frame `t` is centred on sample
            `t * hop_length`.

    Raises:
        ValueError: without `center`, the waveform is shorter than `n_fft`.
    """
    win_length = win_length or n_fft
    if center:
        waveform = jnp.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(n_fft // 2, n_fft // 2)])
    elif waveform.shape[-1] < n_fft:
        raise ValueError(f"a waveform of {waveform.shape[-1]} samples is shorter than n_fft={n_fft}")
    return precise_stft(waveform, n_fft=n_fft, hop_length=hop_length, win_length=win_length)


def power_spectrogram(
    waveform: Float[Array, "*batch n_samples"],
    *,
    n_fft: int = 1024,
    hop_length: int = 512,
    win_length: int | None = None,
    center: bool = True,
    power: float = 2.0,
) -> Float[Array, "*batch n_frames n_bins"]:
    """Magnitude of the `stft` to the power of `power`: 2 for energy, 1 for magnitude."""
    spectrum = stft(waveform, n_fft=n_fft, hop_length=hop_length, win_length=win_length, center=center)
    squared = jnp.square(spectrum.real) + jnp.square(spectrum.imag)
    if power == 2.0:
        return squared
    # The derivative of sqrt at 0 is infinite, and 0 * inf is NaN in the gradient of silence.
    positive = squared > 0
    return jnp.where(positive, jnp.where(positive, squared, 1.0) ** (power / 2), 0.0)
