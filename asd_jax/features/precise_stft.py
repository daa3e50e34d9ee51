"""The short-time Fourier transform of float32 samples, computed in float64 where the device has it.

A float32 transform spreads its rounding, about 1e-7 of the *loudest* bin, over all bins. Machines are loud at
low frequencies and quiet at high ones: on real toy car recordings the top mel bands lie 60 dB and more below
the bottom ones and came out 4e-4 dB off; rounding the window to float32 alone costs 1e-4. librosa windows and
transforms in float64 and rounds the result to float32; so does this, and then both agree to 1e-5 dB.

JAX has float64 only where it is switched on, for a whole process or while a function is *traced*; a `vmap` or
`grad` applied afterwards would meet float64 values outside that switch. A primitive of our own, float32 in and
complex64 out, keeps float64 to its lowering, so that every transformation of JAX applies.
"""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Complex, Float

from asd_jax.features.framing import frame, n_frames


def precise_stft(
    waveform: Float[Array, "*batch n_samples"], *, n_fft: int, hop_length: int, win_length: int
) -> Complex[Array, "*batch n_frames n_bins"]:
    """STFT of every whole frame of float32 samples, rounded to complex64 once; see `features.stft`."""
    return _stft_p.bind(
        waveform,
        n_samples=waveform.shape[-1],
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
    )


def precise_power(
    waveform: Float[Array, "*batch n_samples"], *, n_fft: int, hop_length: int, win_length: int
) -> Float[Array, "*batch n_frames n_bins"]:
    """Squared magnitude of `precise_stft`, or within `power_by` what that says of the windowed float32 frames."""
    by = _power_by.get()
    if by is None:
        spectrum = precise_stft(waveform, n_fft=n_fft, hop_length=hop_length, win_length=win_length)
        return jnp.square(spectrum.real) + jnp.square(spectrum.imag)
    frames = _frames_of_hops(waveform, n_fft, hop_length)
    return by(frames * _window(win_length, n_fft, frames))


def magnitude(frames: Float[Array, "*batch n_fft"]) -> Float[Array, "*batch n_bins"]:
    """Magnitudes of the transform of frames in their own precision, which networks that read them need no more of;
    within `power_by` by what that says.
    """
    by = _power_by.get()
    return jnp.abs(jnp.fft.rfft(frames)) if by is None else jnp.sqrt(by(frames))


PowerOfFrames = Callable[[Float[Array, "*batch n_fft"]], Float[Array, "*batch n_bins"]]
_power_by: contextvars.ContextVar[PowerOfFrames | None] = contextvars.ContextVar("power of frames", default=None)


@contextlib.contextmanager
def power_by(function: PowerOfFrames) -> Iterator[None]:
    """Within it a function of windowed frames takes the place of the transform, for formats without float64 or complex.

    What is compiled within must not be kept for use outside: `jax.jit` does not see the difference.
    """
    token = _power_by.set(function)
    try:
        yield
    finally:
        _power_by.reset(token)


@functools.cache
def hann_window(win_length: int, n_fft: int) -> np.ndarray:
    """Periodic Hann window of `win_length` samples, centred in `n_fft` as in librosa; float64 `(n_fft,)`."""
    window = np.hanning(win_length + 1)[:-1]
    left = (n_fft - win_length) // 2
    return np.pad(window, (left, n_fft - win_length - left))


def _frames_of_hops(waveform: Array, n_fft: int, hop_length: int) -> Array:
    """`framing.frame` by slices of whole hops side by side, where every format has a fast operation for each step."""
    count = 1 + (waveform.shape[-1] - n_fft) // hop_length
    parts = []
    for start in range(0, n_fft, hop_length):
        width = min(hop_length, n_fft - start)
        missing = max(0, start + count * hop_length - waveform.shape[-1])
        padded = jnp.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(0, missing)]) if missing else waveform
        hops = padded[..., start : start + count * hop_length].reshape(*waveform.shape[:-1], count, hop_length)
        parts.append(hops[..., :width])
    return jnp.concatenate(parts, axis=-1)


def _windowed_transform(waveform: Array, n_fft: int, hop_length: int, win_length: int) -> Array:
    frames = frame(waveform, frame_length=n_fft, hop_length=hop_length)
    return jnp.fft.rfft(frames * _window(win_length, n_fft, frames))


def _window(win_length: int, n_fft: int, frames: Array) -> Array:
    window = jnp.asarray(hann_window(win_length, n_fft), frames.dtype)
    return window.reshape((1,) * (frames.ndim - 1) + (n_fft,))


def _stft(waveform: Array, *, dtype: Any, n_samples: int, **settings: int) -> Array:
    return _windowed_transform(waveform.astype(dtype), **settings).astype(jnp.complex64)


def _adjoint(cotangent: Array, *, dtype: Any, n_samples: int, **settings: int) -> Array:
    waveform = jax.ShapeDtypeStruct((*cotangent.shape[:-2], n_samples), dtype)
    transpose = jax.linear_transpose(functools.partial(_windowed_transform, **settings), waveform)
    (cotangent,) = transpose(cotangent.astype(np.result_type(dtype, np.complex64)))
    return cotangent.astype(jnp.float32)


def _stft_shape(waveform: ShapedArray, *, n_samples: int, n_fft: int, hop_length: int, win_length: int) -> Any:
    count = n_frames(n_samples, n_fft=n_fft, hop_length=hop_length, center=False)
    return ShapedArray((*waveform.shape[:-1], count, n_fft // 2 + 1), jnp.complex64)


def _adjoint_shape(cotangent: ShapedArray, *, n_samples: int, **settings: int) -> Any:
    return ShapedArray((*cotangent.shape[:-2], n_samples), jnp.float32)


def _primitive(name: str, function: Any, shape: Any) -> Primitive:
    """A linear primitive of one array with leading batch axes, run in float64 (float32 on a TPU)."""
    primitive = Primitive(name)
    jitted = jax.jit(primitive.bind, static_argnames=("n_samples", "n_fft", "hop_length", "win_length"))

    def in_float64(array: Array, **settings: int) -> Array:
        with jax.enable_x64(True):
            return function(array, dtype=jnp.float64, **settings)

    def batch(arrays: tuple[Array], axes: tuple[int], **settings: int) -> tuple[Array, int]:
        return primitive.bind(jnp.moveaxis(arrays[0], axes[0], 0), **settings), 0

    primitive.def_impl(jitted)
    primitive.def_abstract_eval(shape)
    batching.primitive_batchers[primitive] = batch
    mlir.register_lowering(primitive, mlir.lower_fun(in_float64, multiple_results=False))
    in_float32 = functools.partial(function, dtype=jnp.float32)
    mlir.register_lowering(primitive, mlir.lower_fun(in_float32, multiple_results=False), platform="tpu")
    return primitive


_stft_p = _primitive("precise_stft", _stft, _stft_shape)
_adjoint_p = _primitive("precise_stft_adjoint", _adjoint, _adjoint_shape)
ad.deflinear2(_stft_p, lambda cotangent, _, **settings: [_adjoint_p.bind(cotangent, **settings)])
ad.deflinear2(_adjoint_p, lambda cotangent, _, **settings: [_stft_p.bind(cotangent, **settings)])
