"""Layers of the embedding networks: none has a bias, and batch normalisation neither scale nor shift.

Without them no network can map every clip to one point, where all distances would vanish.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

_EPSILON = 1e-5
_MOMENTUM = 0.1
_REDUCTION = 16

# Uniform within 1 / sqrt(inputs), PyTorch's default, with which the published networks begin.
fan_in_uniform = nnx.initializers.variance_scaling(1 / 3, "fan_in", "uniform")


class BatchNorm(nnx.Module):
    """Zero mean and unit variance of each feature of the last axis, over all the others.

    In training the batch's own statistics are used (biased variance), and the running ones move a tenth of the way to
    them (unbiased variance); in evaluation the running ones are used. `flax.nnx.BatchNorm` keeps the biased variance,
    which for eight vectors is an eighth less.
    """

    def __init__(self, n_features: int) -> None:
        self.mean = nnx.BatchStat(jnp.zeros(n_features))
        self.var = nnx.BatchStat(jnp.ones(n_features))
        self.use_running_average = False  # `train` and `eval` of a module set it

    def __call__(self, values: Float[Array, "*batch n_features"]) -> Float[Array, "*batch n_features"]:
        """The normalised values."""
        if self.use_running_average:
            mean, var = self.mean[...], self.var[...]
        else:
            count = values.size // values.shape[-1]
            mean = _mean(values)
            var = _mean(jnp.square(values - _as_last(mean, values)))
            self.mean[...] += _MOMENTUM * (mean - self.mean[...])
            self.var[...] += _MOMENTUM * (var * (count / max(count - 1, 1)) - self.var[...])
        return (values - _as_last(mean, values)) * _as_last(jax.lax.rsqrt(var + _EPSILON), values)


def _mean(values: Float[Array, "*batch n_features"]) -> Float[Array, " n_features"]:
    """Over all axes but the last, an axis at a time: XLA adds up one number after another, which loses digits."""
    while values.ndim > 1:
        values = jnp.mean(values, axis=-2)
    return values


def _as_last(statistic: Float[Array, " n_features"], values: Array) -> Array:
    return statistic.reshape((1,) * (values.ndim - 1) + (-1,))


class SqueezeExcitation(nnx.Module):
    """Each channel times a weight from 0 to 1, found from the channels' means over all positions (Hu et al., 2018)."""

    def __init__(self, n_channels: int, *, rngs: nnx.Rngs) -> None:
        narrow = max(1, n_channels // _REDUCTION)
        self.squeeze = nnx.Param(fan_in_uniform(rngs.params(), (n_channels, narrow)))
        self.excite = nnx.Param(fan_in_uniform(rngs.params(), (narrow, n_channels)))

    def __call__(self, values: Float[Array, "batch *positions channels"]) -> Float[Array, "batch *positions channels"]:
        """The weighted channels."""
        positions = tuple(range(1, values.ndim - 1))
        hidden = jax.nn.relu(jnp.mean(values, axis=positions) @ self.squeeze[...])
        return values * jnp.expand_dims(jax.nn.sigmoid(hidden @ self.excite[...]), positions)


class Dense(nnx.Module):
    """A linear layer without bias."""

    def __init__(self, n_inputs: int, n_outputs: int, *, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(fan_in_uniform(rngs.params(), (n_inputs, n_outputs)))

    def __call__(self, values: Float[Array, "batch n_inputs"]) -> Float[Array, "batch n_outputs"]:
        """The products."""
        return values @ self.kernel[...]
