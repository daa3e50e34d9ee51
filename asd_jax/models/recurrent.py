"""Recurrent layers whose input projection is separate, so that overlapping windows can share it."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.models import recurrence


class LSTM(nnx.Module):
    """One LSTM layer; gates in PyTorch's order (input, forget, cell, output), fused into one product.

    Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000), its bias started at one.
    """

    def __init__(self, n_inputs: int, hidden_size: int, *, rngs: nnx.Rngs) -> None:
        self.hidden_size = hidden_size
        glorot, orthogonal = nnx.initializers.glorot_uniform(), nnx.initializers.orthogonal()
        self.input_kernel = nnx.Param(glorot(rngs.params(), (n_inputs, 4 * hidden_size)))
        self.recurrent_kernel = nnx.Param(orthogonal(rngs.params(), (hidden_size, 4 * hidden_size)))
        forget = jnp.arange(4 * hidden_size) // hidden_size == 1
        self.bias = nnx.Param(forget.astype(jnp.float32))

    def project(self, inputs: Float[Array, "*batch n_inputs"]) -> Float[Array, "*batch gates"]:
        """The part of the gates that does not depend on the state."""
        return _project(inputs, self.input_kernel[...], self.bias[...])

    def run(self, projected: Float[Array, "n_steps *batch gates"]) -> Float[Array, "n_steps *batch hidden"]:
        """Hidden states after each step, from a zero state; time is the leading axis."""
        hidden = recurrence.lstm(_flat(projected), self.recurrent_kernel[...])
        return hidden.reshape(*projected.shape[:-1], self.hidden_size)


class GRU(nnx.Module):
    """One GRU layer; gates in PyTorch's order (reset, update, new), fused into one product.

    Cho et al. (2014), the reset gate applied after the recurrent product as in PyTorch and cuDNN, so that the
    product's bias for the new state stands apart.
    """

    def __init__(self, n_inputs: int, hidden_size: int, *, rngs: nnx.Rngs) -> None:
        self.hidden_size = hidden_size
        glorot, orthogonal = nnx.initializers.glorot_uniform(), nnx.initializers.orthogonal()
        self.input_kernel = nnx.Param(glorot(rngs.params(), (n_inputs, 3 * hidden_size)))
        self.recurrent_kernel = nnx.Param(orthogonal(rngs.params(), (hidden_size, 3 * hidden_size)))
        self.bias = nnx.Param(jnp.zeros(3 * hidden_size))
        self.new_bias = nnx.Param(jnp.zeros(hidden_size))

    def project(self, inputs: Float[Array, "*batch n_inputs"]) -> Float[Array, "*batch gates"]:
        """The part of the gates that does not depend on the state."""
        return _project(inputs, self.input_kernel[...], self.bias[...])

    def run(self, projected: Float[Array, "n_steps *batch gates"]) -> Float[Array, "n_steps *batch hidden"]:
        """Hidden states after each step, from a zero state; time is the leading axis."""
        hidden = recurrence.gru(_flat(projected), self.recurrent_kernel[...], self.new_bias[...])
        return hidden.reshape(*projected.shape[:-1], self.hidden_size)


def _project(inputs: Array, kernel: Array, bias: Array) -> Array:
    return inputs @ kernel + bias.reshape((1,) * (inputs.ndim - 1) + bias.shape)


def _flat(projected: Array) -> Array:
    """Time, all batch axes as one, gates."""
    return projected.reshape(projected.shape[0], -1, projected.shape[-1])
