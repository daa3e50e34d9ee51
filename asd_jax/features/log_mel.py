"""Logarithms of mel spectrograms."""

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from asd_jax.features.mel import mel_spectrogram


def power_to_db(
    power: Float[Array, "*shape"],
    *,
    ref: float | str = 1.0,
    amin: float = 1e-10,
    top_db: float | None = None,
) -> Float[Array, "*shape"]:
    """`10 log10(max(power, amin) / max(ref, amin))` in dB, as `librosa.power_to_db`.

    Args:
        power: not negative; `(..., n_frames, n_bins)`, or any shape without `top_db` and with a number for `ref`.
        ref: power of 0 dB, or `max` for the largest of each clip.
        amin: floor of the power.
        top_db: raise values to at least the clip's largest minus this; unlike librosa, which takes the largest of the
            whole batch. Default: none, so that a clip's own loudness does not change what is kept of its quiet parts.

    Raises:
        ValueError: `amin` is not positive, `ref` or `top_db` negative or unknown.
    """
    if amin <= 0:
        raise ValueError(f"amin={amin} must be positive")
    if top_db is not None and top_db < 0:
        raise ValueError(f"top_db={top_db} must not be negative")
    decibels = 10.0 * jnp.log10(jnp.maximum(power, amin))
    if isinstance(ref, str):
        if ref != "max":
            raise ValueError(f"ref={ref!r} is not known; give a power or 'max'")
        decibels = decibels - _clip_max(decibels)
    elif ref < 0:
        raise ValueError(f"ref={ref} must not be negative")
    else:
        decibels = decibels - 10.0 * math.log10(max(amin, ref))
    if top_db is None:
        return decibels
    return jnp.maximum(decibels, _clip_max(decibels) - top_db)


def _clip_max(values: Float[Array, "*shape"]) -> Float[Array, "*kept"]:
    return jnp.max(values, axis=tuple(range(max(0, values.ndim - 2), values.ndim)), keepdims=True)


def log_mel_spectrogram(
    waveform: Float[Array, "*batch n_samples"],
    *,
    log: str = "db",
    amin: float = 1e-10,
    offset: float = 0.0,
    ref: float | str = 1.0,
    top_db: float | None = None,
    **mel_options: Any,
) -> Float[Array, "*batch n_frames n_mels"]:
    """Logarithm of the mel spectrogram; the defaults are those of DCASE Task 2: 313 frames of 128 mels for 10 s.

    Args:
        waveform: mono samples in [-1, 1], 16 kHz unless `sample_rate` says otherwise.
        log: `db` for `power_to_db`, `natural` for the natural logarithm.
        amin: floor of the mel power, so that digital silence is -100 dB.
        offset: added to the mel power before the logarithm, as VGGish does with 0.01.
        ref: power of 0 dB, or `max` for the clip's largest; only with `db`.
        top_db: floor relative to the clip's largest value, in dB; only with `db`.
        **mel_options: `mel_spectrogram`'s: sample_rate, n_fft, hop_length, win_length, center, pad_mode, power, n_mels,
            fmin, fmax, htk, norm, triangles.

    Raises:
        ValueError: as `mel_spectrogram` and `power_to_db`; an unknown `log`.
    """
    mel = mel_spectrogram(waveform, **mel_options) + offset
    if log == "db":
        return power_to_db(mel, ref=ref, amin=amin, top_db=top_db)
    if log != "natural":
        raise ValueError(f"log={log!r} is not known; choose db or natural")
    if top_db is not None or ref != 1.0:
        raise ValueError("top_db and ref are decibels; they need log='db'")
    return jnp.log(jnp.maximum(mel, amin))


def lmfe(
    waveform: Float[Array, "*batch n_samples"], *, n_mels: int = 40, **options: Any
) -> Float[Array, "*batch n_frames n_mels"]:
    """Log mel filterbank energies: `log_mel_spectrogram` in the natural logarithm, of 40 bands unless told."""
    return log_mel_spectrogram(waveform, n_mels=n_mels, log="natural", **options)
