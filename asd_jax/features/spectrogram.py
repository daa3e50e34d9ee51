"""Framing and the short-time Fourier transform."""

import jax.numpy as jnp
import numpy as np
import scipy.signal
from jaxtyping import Array, Complex, Float


def n_frames(n_samples: int, *, n_fft: int, hop_length: int, center: bool = True) -> int:
    """Number of frames of a waveform of `n_samples` samples, as in librosa."""
    if center:
        return 1 + n_samples // hop_length
    return 1 + (n_samples - n_fft) // hop_length


def frame(
    waveform: Float[Array, "*batch n_samples"], *, frame_length: int, hop_length: int
) -> Float[Array, "*batch n_frames frame_length"]:
    """Cut a waveform into overlapping frames; samples after the last whole frame are left out.

    Args:
        waveform: floating point samples, at least `frame_length` of them.
        frame_length: samples in a frame.
        hop_length: samples from one frame's start to the next one's.

    Raises:
        ValueError: the waveform is shorter than one frame.
    """
    n_samples = waveform.shape[-1]
    if n_samples < frame_length:
        raise ValueError(f"a waveform of {n_samples} samples is shorter than one frame of {frame_length}")
    count = 1 + (n_samples - frame_length) // hop_length
    if frame_length % hop_length == 0:
        # Blocks of a hop, laid side by side, make the frames: slices of contiguous memory are much faster
        # on a CPU than a gather with one index a sample.
        n_blocks = count + frame_length // hop_length - 1
        blocks = waveform[..., : n_blocks * hop_length].reshape(*waveform.shape[:-1], n_blocks, hop_length)
        parts = [blocks[..., i : i + count, :] for i in range(frame_length // hop_length)]
        return jnp.concatenate(parts, axis=-1)
    index = np.arange(count)[:, None] * hop_length + np.arange(frame_length)
    return waveform[..., index]


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
    window = scipy.signal.get_window("hann", win_length, fftbins=True)
    left = (n_fft - win_length) // 2
    window = np.pad(window, (left, n_fft - win_length - left)).astype(np.float32)
    if center:
        waveform = jnp.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(n_fft // 2, n_fft // 2)])
    frames = frame(waveform, frame_length=n_fft, hop_length=hop_length)
    return jnp.fft.rfft(frames * window.reshape((1,) * (frames.ndim - 1) + (n_fft,)))


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
