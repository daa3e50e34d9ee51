"""What every transform asks of its waveform."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float


def as_waveform(waveform: Any) -> Float[Array, "*batch n_samples"]:
    """The samples as float32, of which every transform takes `(..., n_samples)`.

    Raises:
        ValueError: samples that are not floating point (integers have no full scale to go by), no axis of samples, or
            no samples.
    """
    waveform = jnp.asarray(waveform)
    if not jnp.issubdtype(waveform.dtype, jnp.floating):
        raise ValueError(
            f"a waveform of {waveform.dtype} samples; divide them by full scale, as in samples.astype(float32) / 32768"
        )
    if waveform.ndim == 0 or waveform.shape[-1] == 0:
        raise ValueError(f"a waveform has the shape (..., n_samples) with at least one sample, not {waveform.shape}")
    return waveform.astype(jnp.float32)
