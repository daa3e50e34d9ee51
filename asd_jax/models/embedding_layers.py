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

Statistic = Float[Array, " n_features"]

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
            return normalized(values, self.mean[...], self.var[...])
        result, mean, var = _batch_normalized(values)
        self._follow(mean, var, values)
        return result

    def moments(self, values: Float[Array, "*batch n_features"]) -> tuple[Statistic, Statistic]:
        """Mean and variance to normalise by, for values that are reduced before they are (see `normalized`)."""
        if self.use_running_average:
            return self.mean[...], self.var[...]
        mean, var = _moments(values)
        self._follow(mean, var, values)
        return mean, var

    def _follow(self, mean: Statistic, var: Statistic, values: Array) -> None:
        """Move the running statistics to those of a batch."""
        count = values.size // values.shape[-1]
        self.mean[...] += _MOMENTUM * (mean - self.mean[...])
        self.var[...] += _MOMENTUM * (var * (count / max(count - 1, 1)) - self.var[...])


def normalized(
    values: Float[Array, "*batch n_features"], mean: Statistic, var: Statistic
) -> Float[Array, "*batch n_features"]:
    """Values less the mean, over the standard deviation."""
    return (values - _as_last(mean, values)) * _as_last(jax.lax.rsqrt(var + _EPSILON), values)


@jax.custom_vjp
def _batch_normalized(
    values: Float[Array, "*batch n_features"],
) -> tuple[Float[Array, "*batch n_features"], Statistic, Statistic]:
    """Values normalised by their own mean and variance, and these two, through which no gradient passes.

    Its gradient is written out, in one pass over the values for the sums and one for the result, where the derivative
    of each step takes more (Ioffe and Szegedy, 2015).
    """
    mean, var = _moments(values)
    return normalized(values, mean, var), mean, var


def _normalized_forward(values: Array) -> tuple[tuple[Array, Statistic, Statistic], tuple[Array, Statistic, Statistic]]:
    mean, var = _moments(values)
    return (normalized(values, mean, var), mean, var), (values, mean, var)


def _normalized_backward(
    kept: tuple[Array, Statistic, Statistic], cotangents: tuple[Array, Statistic, Statistic]
) -> tuple[Array]:
    (values, mean, var), cotangent = kept, cotangents[0]
    scale = jax.lax.rsqrt(var + _EPSILON)
    result = (values - _as_last(mean, values)) * _as_last(scale, values)
    shared, along = _mean(cotangent), _mean(cotangent * result)
    return ((cotangent - _as_last(shared, values) - result * _as_last(along, values)) * _as_last(scale, values),)


_batch_normalized.defvjp(_normalized_forward, _normalized_backward)


def _moments(values: Float[Array, "*batch n_features"]) -> tuple[Statistic, Statistic]:
    """Mean and biased variance, about the first value of each feature, which costs no digits and one pass."""
    first = jax.lax.stop_gradient(values.reshape(-1, values.shape[-1])[0])
    about = values - _as_last(first, values)
    mean, square = _mean(about), _mean(jnp.square(about))
    return mean + first, jnp.maximum(square - jnp.square(mean), 0.0)


def _mean(values: Float[Array, "*batch n_features"]) -> Statistic:
    """Over all axes but the last, in two steps: XLA adds up one number after another, which loses digits."""
    if values.ndim > 2:
        values = jnp.mean(values, axis=tuple(range(1, values.ndim - 1)))
    return jnp.mean(values, axis=0)


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
