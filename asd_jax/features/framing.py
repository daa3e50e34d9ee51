"""Cutting a waveform into overlapping frames, and a spectrogram into overlapping slices."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def n_frames(n_samples: int, *, n_fft: int, hop_length: int, center: bool = True) -> int:
    """Number of frames of a waveform of `n_samples` samples, as in librosa; 0 where it is too short for one."""
    if center:
        n_samples += 2 * (n_fft // 2)
    return max(0, 1 + (n_samples - n_fft) // hop_length)


def frame(
    waveform: Float[Array, "*batch n_samples"], *, frame_length: int, hop_length: int
) -> Float[Array, "*batch n_frames frame_length"]:
    """Cut a waveform into overlapping frames; samples after the last whole frame are left out.

    Args:
        waveform: floating point samples, at least `frame_length` of them.
        frame_length: samples in a frame.
        hop_length: samples from one frame's start to the next one's.

    Raises:
        ValueError: the waveform is shorter than one frame; a length is not positive.
    """
    n_samples = waveform.shape[-1]
    if frame_length < 1 or hop_length < 1:
        raise ValueError(f"frame_length={frame_length} and hop_length={hop_length} must be positive")
    if n_samples < frame_length:
        raise ValueError(f"a waveform of {n_samples} samples is shorter than one frame of {frame_length}")
    starts = hop_length * jnp.arange(1 + (n_samples - frame_length) // hop_length, dtype=jnp.int32)

    # Mapped slices become one gather of contiguous runs, on a CPU several times faster than an index a sample.
    def cut(start: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(waveform, start, frame_length, axis=-1)

    return jax.vmap(cut, out_axes=-2)(starts)


def frames(
    spectrogram: Float[Array, "*batch n_frames n_features"],
    *,
    frame_seconds: float = 0.6,
    overlap: float = 0.5,
    sample_rate: int = 16_000,
    hop_length: int = 512,
    tail: str = "drop",
) -> Float[Array, "*batch n_slices slice_frames n_features"]:
    """Overlapping slices of a spectrogram: `slice_frames = round(frame_seconds * sample_rate / hop_length)`.

    Args:
        spectrogram: frames of any front end.
        frame_seconds: duration of a slice; 0.6 s are 19 frames at the default rate.
        overlap: share of a slice that the next one repeats, 0 to below 1. A slice starts
            `max(1, round((1 - overlap) * slice_frames))` frames after the one before.
        sample_rate: of the waveform, in Hz.
        hop_length: samples from one spectrogram frame to the next.
        tail: what becomes of frames after the last whole slice: `drop` leaves them out, `align` adds a last slice
            that ends with the spectrogram (and overlaps more), `pad` adds one filled up by repeating the last frame.

    Raises:
        ValueError: a slice of no frames; `overlap` outside [0, 1); an unknown `tail`; a spectrogram shorter than one
            slice, except with `pad`.
    """
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap={overlap} must be at least 0 and below 1")
    if tail not in ("drop", "align", "pad"):
        raise ValueError(f"tail={tail!r} is not known; choose drop, align or pad")
    length = round(frame_seconds * sample_rate / hop_length)
    if length < 1:
        raise ValueError(f"frame_seconds={frame_seconds} is shorter than one frame of {hop_length / sample_rate:.3f} s")
    step = max(1, round((1 - overlap) * length))
    count = spectrogram.shape[-2]
    if count < length and tail != "pad":
        raise ValueError(f"a spectrogram of {count} frames is shorter than one slice of {length}; tail='pad' fills it")
    starts = list(range(0, count - length + 1, step))
    covered = starts[-1] + length if starts else 0
    if covered < count and tail == "align":
        starts.append(count - length)
    elif covered < count and tail == "pad":
        starts = [step * i for i in range(1 + math.ceil(max(0, count - length) / step))]
        missing = starts[-1] + length - count
        spectrogram = jnp.pad(spectrogram, [(0, 0)] * (spectrogram.ndim - 2) + [(0, missing), (0, 0)], mode="edge")
    return jnp.stack([spectrogram[..., start : start + length, :] for start in starts], axis=-3)
