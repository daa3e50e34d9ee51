"""What a far microphone explains of a near one, taken away: the hall's noise, where it does not hear the machine.

The published method of DCASE 2026: one complex gain for each frequency and clip, by least squares.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

_FLOOR = 1e-12  # of the far microphone's energy in a bin: a silent one explains nothing


def subtract_reference(
    near: Float[Any, "*batch n_samples"],
    far: Float[Any, "*batch as_many_samples"],
    *,
    n_fft: int = 1024,
    hop_length: int = 512,
    xp: Any = jnp,
) -> Float[Any, "*batch n_samples"]:
    """The near microphone's waveform without what the far one explains.

    `Y = C - H F` in the short-time Fourier transform (periodic Hann, edges reflected), with the gain of each bin
    `H = sum C conj(F) / (sum |F|² + 1e-12)` over the clip's frames. The machine stays where the far microphone does not
    hear it; where it does, it is taken away too (see `likeness`).

    Args:
        near, far: recorded at once, at one rate; longer than half of `n_fft`.
        n_fft, hop_length: of the transform, in samples; the hop divides `n_fft` into at least two.
        xp: NumPy or `jax.numpy`.

    Raises:
        ValueError: lengths that differ, or are too short to be reflected; a hop that does not divide.
    """
    n_samples = near.shape[-1]
    if near.shape != far.shape:
        raise ValueError(f"near {near.shape} and far {far.shape}: give the two microphones of one recording")
    if n_fft % hop_length or n_fft < 2 * hop_length:
        raise ValueError(f"hop_length={hop_length} must divide n_fft={n_fft} into two or more")
    if n_samples <= n_fft // 2 + hop_length:
        raise ValueError(f"waveforms of {n_samples} samples are too short for n_fft={n_fft}")
    close, distant = (_transform(of, n_fft, hop_length, xp) for of in (near, far))
    energy = (xp.abs(distant) ** 2).sum(axis=-2, keepdims=True)
    gain = (close * xp.conj(distant)).sum(axis=-2, keepdims=True) / (energy + _FLOOR).astype(distant.dtype)
    return (near - _inverse(gain * distant, n_samples, n_fft, hop_length, xp)).astype(near.dtype)


def removed_share(near: Float[np.ndarray, " n_samples"], left: Float[np.ndarray, " n_samples"]) -> float:
    """Share of the near microphone's energy that was taken away; 0 for silence."""
    before, after = (float(np.square(of, dtype=np.float64).sum()) for of in (near, left))
    return 1.0 - after / before if before > 0 else 0.0


def likeness(
    removed: Float[np.ndarray, " n_samples"], left: Float[np.ndarray, " n_samples"], *, n_fft: int = 1024
) -> float:
    """How much two sounds swell and fade alike: the correlation of the log energies of their frames, bass left out.

    What a far microphone explains of the hall moves on its own; where it hears the machine, what is taken away has the
    machine's strokes and pauses, as what is left has. From -1 to 1; 0 for silence.
    """
    removed, left = (_swell(np.asarray(of, np.float64), n_fft) for of in (removed, left))
    scale = np.sqrt(np.square(removed).sum() * np.square(left).sum())
    return float((removed * left).sum() / scale) if scale > 0 else 0.0


def _swell(waveform: Float[np.ndarray, " n_samples"], n_fft: int) -> Float[np.ndarray, " n_frames"]:
    energy = np.square(np.abs(_transform(waveform, n_fft, n_fft // 2, np)[:, n_fft // 50 :])).sum(axis=1)
    logs = np.log(energy + 1e-6 * energy.mean() + 1e-30)
    return logs - logs.mean()


def _window(n_fft: int) -> np.ndarray:
    return np.hanning(n_fft + 1)[:-1]


def _transform(waveform: Any, n_fft: int, hop_length: int, xp: Any) -> Any:
    """Frames centred on every hop, the last at or beyond the end; `(..., n_frames, n_bins)`."""
    half, beyond = n_fft // 2, -waveform.shape[-1] % hop_length
    margins = [(0, 0)] * (waveform.ndim - 1) + [(half, half + beyond)]
    padded = xp.pad(waveform, margins, mode="reflect")
    blocks = padded.reshape(*padded.shape[:-1], -1, hop_length)
    per_frame = n_fft // hop_length
    count = blocks.shape[-2] - per_frame + 1
    frames = xp.concatenate([blocks[..., part : part + count, :] for part in range(per_frame)], axis=-1)
    window = xp.asarray(_window(n_fft), frames.dtype)
    return xp.fft.rfft(frames * window.reshape((1,) * (frames.ndim - 1) + window.shape))


def _inverse(spectrum: Any, n_samples: int, n_fft: int, hop_length: int, xp: Any) -> Any:
    """Overlapping frames, windowed again, added and divided by the sum of squared windows."""
    window = _window(n_fft)
    frames = xp.fft.irfft(spectrum, n_fft)
    frames = frames * xp.asarray(window, frames.dtype).reshape((1,) * (frames.ndim - 1) + window.shape)
    count, per_frame = frames.shape[-2], n_fft // hop_length
    total, weight = None, np.zeros((count + per_frame - 1, hop_length))
    for part in range(per_frame):
        own = frames[..., part * hop_length : (part + 1) * hop_length]
        margins = [(0, 0)] * (own.ndim - 2) + [(part, per_frame - 1 - part), (0, 0)]
        placed = xp.pad(own, margins)
        total = placed if total is None else total + placed
        weight[part : part + count] += np.square(window[part * hop_length : (part + 1) * hop_length])
    weight = xp.asarray(np.maximum(weight, 1e-8), total.dtype)
    whole = total / weight.reshape((1,) * (total.ndim - 2) + weight.shape)
    whole = whole.reshape(*whole.shape[:-2], -1)
    return whole[..., n_fft // 2 : n_fft // 2 + n_samples]
