"""Cutting a waveform into overlapping frames."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_MOST_BLOCKS = 64


def n_frames(n_samples: int, *, n_fft: int, hop_length: int, center: bool = True) -> int:
    """Number of frames of a waveform of `n_samples` samples, as in librosa."""
    if center:
        return 1 + (n_samples + 2 * (n_fft // 2) - n_fft) // hop_length
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
        ValueError: the waveform is shorter than one frame; a length is not positive.
    """
    n_samples = waveform.shape[-1]
    if frame_length < 1 or hop_length < 1:
        raise ValueError(f"frame_length={frame_length} and hop_length={hop_length} must be positive")
    if n_samples < frame_length:
        raise ValueError(f"a waveform of {n_samples} samples is shorter than one frame of {frame_length}")
    count = 1 + (n_samples - frame_length) // hop_length
    blocks_per_frame = -(-frame_length // hop_length)
    if blocks_per_frame > _MOST_BLOCKS:
        index = np.arange(count)[:, None] * hop_length + np.arange(frame_length)
        return waveform[..., index]
    # Blocks of a hop, laid side by side, make the frames: slices of contiguous memory are much faster
    # on a CPU than a gather with one index a sample.
    batch = waveform.shape[:-1]
    used = (count + blocks_per_frame - 1) * hop_length
    waveform = waveform[..., : min(used, n_samples)]
    waveform = jnp.pad(waveform, [(0, 0)] * len(batch) + [(0, used - waveform.shape[-1])])
    blocks = waveform.reshape(*batch, used // hop_length, hop_length)
    parts = [blocks[..., i : i + count, :] for i in range(blocks_per_frame)]
    last = frame_length - (blocks_per_frame - 1) * hop_length
    parts[-1] = parts[-1][..., :last]
    return jnp.concatenate(parts, axis=-1)
