"""A clip's frames as one vector."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def mean(frames: Float[Array, "*batch n_frames n_features"]) -> Float[Array, "*batch n_features"]:
    """Mean over time, rounded once.

    A float32 mean of log-mels around -50 dB is off by 1e-5 dB, otherwise in every program that computes it; what is
    left of the frames beside it has a mean without that error.
    """
    coarse = jnp.mean(frames, axis=-2, keepdims=True)
    return jnp.squeeze(coarse, axis=-2) + jnp.mean(frames - coarse, axis=-2)


def std(frames: Float[Array, "*batch n_frames n_features"]) -> Float[Array, "*batch n_features"]:
    """Population standard deviation over time, with a gradient of 0 where a feature is constant."""
    variance = jnp.var(frames, axis=-2)
    positive = variance > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1.0)), 0.0)


def maximum(frames: Float[Array, "*batch n_frames n_features"]) -> Float[Array, "*batch n_features"]:
    """Largest value over time."""
    return jnp.max(frames, axis=-2)


def twfr(
    frames: Float[Array, "*batch n_frames n_features"], *, r: float | Float[Array, " n_features"] = 0.99
) -> Float[Array, "*batch n_features"]:
    """Time-weighted frequency-domain representation: global weighted ranking pooling over time.

    Each feature's values are sorted from the largest down and averaged with the weights `r ** rank`, scaled to a sum
    of 1: `r = 1` is the mean, `r = 0` the maximum (Guan et al., "Time-weighted frequency domain audio representation
    with GMM estimator for anomalous sound detection", ICASSP 2023; the pooling is Kolesnikov and Lampert's, 2016).

    Args:
        frames: at least one frame.
        r: from 0 to 1, for all features or one each.

    Raises:
        ValueError: a number `r` outside [0, 1] (an array is not looked at).
    """
    if isinstance(r, float | int) and not 0 <= r <= 1:
        raise ValueError(f"r={r} must be from 0 (the maximum) to 1 (the mean)")
    ranked = jnp.flip(jnp.sort(frames, axis=-2), axis=-2)
    rank = jnp.arange(frames.shape[-2], dtype=jnp.float32)[:, None]
    weights = jnp.atleast_1d(jnp.asarray(r, jnp.float32))[None, :] ** rank
    weights = weights / jnp.sum(weights, axis=0, keepdims=True)
    weights = jnp.broadcast_to(weights, frames.shape[-2:])
    return jnp.einsum("...tf,tf->...f", ranked, weights, precision=jax.lax.Precision.HIGHEST)
