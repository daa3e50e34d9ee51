"""The short-time Fourier transform and the spectrum of a whole clip."""

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from asd_jax.features.precise_stft import precise_power, precise_stft
from asd_jax.features.waveform import as_waveform


def stft(
    waveform: Float[Array, "*batch n_samples"],
    *,
    n_fft: int = 1024,
    hop_length: int = 512,
    win_length: int | None = None,
    center: bool = True,
    pad_mode: str = "constant",
) -> Complex[Array, "*batch n_frames n_bins"]:
    """Short-time Fourier transform with a periodic Hann window, scaled as `librosa.stft` (not at all).

    Args:
        waveform: floating point samples.
        n_fft: length of the transform in samples; `n_bins = n_fft // 2 + 1`.
        hop_length: samples from one frame to the next.
        win_length: length of the window in samples, zero-padded on both sides to `n_fft`; default `n_fft`.
        center: pad the waveform with `n_fft // 2` samples on both sides, so that frame `t` is centred on sample
            `t * hop_length`.
        pad_mode: what to pad with: `constant` (zeros) or `reflect`.

    Raises:
        ValueError: a waveform of integers or no samples; without `center`, one shorter than `n_fft`; with `reflect`,
            one not longer than `n_fft // 2`; a length that is not positive or a window longer than `n_fft`.
    """
    waveform, win_length = _padded(waveform, n_fft, hop_length, win_length, center, pad_mode)
    return precise_stft(waveform, n_fft=n_fft, hop_length=hop_length, win_length=win_length)


def _padded(
    waveform: Array, n_fft: int, hop_length: int, win_length: int | None, center: bool, pad_mode: str
) -> tuple[Float[Array, "*batch n_padded"], int]:
    """The samples whose whole frames are those of `stft`, and the length of the window; errors as there."""
    waveform = as_waveform(waveform)
    win_length = n_fft if win_length is None else win_length
    if n_fft < 1 or hop_length < 1 or not 1 <= win_length <= n_fft:
        raise ValueError(
            f"n_fft={n_fft} and hop_length={hop_length} must be positive, win_length={win_length} from 1 to n_fft"
        )
    if pad_mode not in ("constant", "reflect"):
        raise ValueError(f"pad_mode={pad_mode!r} is not known; choose constant or reflect")
    n_samples = waveform.shape[-1]
    if center:
        if pad_mode == "reflect" and n_samples <= n_fft // 2:
            raise ValueError(f"a waveform of {n_samples} samples is too short to reflect {n_fft // 2} of them")
        margins = [(0, 0)] * (waveform.ndim - 1) + [(n_fft // 2, n_fft // 2)]
        waveform = jnp.pad(waveform, margins, mode=pad_mode)
    elif n_samples < n_fft:
        raise ValueError(f"a waveform of {n_samples} samples is shorter than n_fft={n_fft}; center=True pads it")
    return waveform, win_length


def power_spectrogram(
    waveform: Float[Array, "*batch n_samples"],
    *,
    n_fft: int = 1024,
    hop_length: int = 512,
    win_length: int | None = None,
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
) -> Float[Array, "*batch n_frames n_bins"]:
    """Magnitude of the `stft` to the power of `power`: 2 for energy, 1 for magnitude."""
    waveform, win_length = _padded(waveform, n_fft, hop_length, win_length, center, pad_mode)
    return _to_power(precise_power(waveform, n_fft=n_fft, hop_length=hop_length, win_length=win_length), power)


def spectrum(waveform: Float[Array, "*batch n_samples"]) -> Float[Array, "*batch n_bins"]:
    """Magnitude of the Fourier transform of a whole clip; bin `k` is `k * sample_rate / n_samples` Hz.

    Raises:
        ValueError: a waveform of integers or of no samples.
    """
    return magnitude(jnp.fft.rfft(as_waveform(waveform)))


def magnitude(values: Complex[Array, "*shape"], *, power: float = 1.0) -> Float[Array, "*shape"]:
    """`|values| ** power`, with a gradient of 0 at 0.

    Raises:
        ValueError: `power` is not positive.
    """
    return _to_power(jnp.square(values.real) + jnp.square(values.imag), power)


def _to_power(squared: Float[Array, "*shape"], power: float) -> Float[Array, "*shape"]:
    """`squared ** (power / 2)`, with a gradient of 0 at 0; errors as in `magnitude`."""
    if power <= 0:
        raise ValueError(f"power={power} must be positive; 2 gives energy, 1 magnitude")
    if power == 2.0:
        return squared
    # The derivative of a root at 0 is infinite, and 0 * inf is NaN in the gradient of silence.
    positive = squared > 0
    return jnp.where(positive, jnp.where(positive, squared, 1.0) ** (power / 2), 0.0)
