"""Waveforms as users give them, checked and brought to a front end's rate."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr

from asd_jax.errors import InputError
from asd_jax.features.shapes import Float

# Shapes and dtype are checked at run time, since these come from users.
Waveforms = Any  # an array, NumPy's or JAX's, or a sequence of them
Given = str | None | Sequence[str | None]

_FEW_SAMPLES = 64  # on the last axis: channels, and no sound


def as_clips(waveforms: Waveforms) -> tuple[list[np.ndarray], bool]:
    """The waveforms, one by one, and whether it was a single one.

    Raises:
        InputError: an array of the wrong shape, such as `(n_samples, n_channels)`.
    """
    if not hasattr(waveforms, "ndim"):
        return [np.asarray(clip) for clip in waveforms], False
    shape = waveforms.shape
    if waveforms.ndim not in (1, 2):
        raise InputError(f"waveforms of shape {shape}; give (n_samples,), (n_clips, n_samples) or a list of arrays")
    if waveforms.ndim == 2 and shape[1] <= min(_FEW_SAMPLES, shape[0] - 1):
        raise InputError(f"waveforms of shape {shape} are no clips of {shape[1]} sample(s) each: {_transposed(shape)}")
    return [np.asarray(clip) for clip in ([waveforms] if waveforms.ndim == 1 else waveforms)], waveforms.ndim == 1


def _transposed(shape: tuple[int, ...]) -> str:
    return (
        f"this looks like (n_samples, n_channels), as soundfile.read gives a file of {shape[1]} channel(s); give "
        "waveform.mean(axis=1), or one channel as waveform[:, 0]"
    )


def one_each(given: Given, n_waveforms: int, what: str) -> list[str | None]:
    """What was given for all waveforms or for each, for each; `what` names it in the error."""
    if given is None or isinstance(given, str):
        return [given] * n_waveforms
    if len(given) != n_waveforms:
        raise InputError(f"{len(given)} {what} for {n_waveforms} waveforms; give one, or one a waveform")
    return list(given)


def at_rate(
    waveform: np.ndarray, *, sample_rate: int, target_rate: int, name: str
) -> Float[np.ndarray, " n_resampled"]:
    """A waveform as float32 at `target_rate` Hz.

    Raises:
        InputError: it is no waveform; the error calls it by `name`.
    """
    if waveform.ndim == 2 and waveform.shape[1] < waveform.shape[0]:
        raise InputError(f"{name} has the shape {waveform.shape}, not (n_samples,): {_transposed(waveform.shape)}")
    if waveform.ndim != 1 or not np.issubdtype(waveform.dtype, np.floating):
        raise InputError(
            f"{name} is {waveform.dtype} with {waveform.ndim} axes; give mono samples as floating "
            "point numbers in [-1, 1]"
        )
    if not np.isfinite(waveform).all():
        raise InputError(f"{name} holds NaN or infinite samples")
    if not sample_rate > 0:
        raise InputError(f"{name}: sample_rate={sample_rate}; give the samples a second, above 0")
    waveform = waveform.astype(np.float32, copy=False)
    if sample_rate != target_rate:
        waveform = soxr.resample(waveform, sample_rate, target_rate)
    if len(waveform) == 0:
        raise InputError(f"{name} holds no samples at {target_rate} Hz")
    return waveform
