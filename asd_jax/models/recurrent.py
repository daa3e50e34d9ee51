"""Recurrent layers whose input projection is separate, so that overlapping windows can share it.

Time is the leading axis here: a step is then one contiguous block.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

_UNROLL = 10  # steps of the loop compiled one after another


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
        """Hidden states after each step, from a zero state."""
        kernel = self.recurrent_kernel[...]

        def step(state: tuple[Array, Array], gates: Array) -> tuple[tuple[Array, Array], Array]:
            hidden, cell = state
            i, f, g, o = jnp.split(gates + hidden @ kernel, 4, axis=-1)
            cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
            return (hidden, cell), hidden

        zero = jnp.zeros((*projected.shape[1:-1], self.hidden_size), projected.dtype)
        return jax.lax.scan(step, (zero, zero), projected, unroll=min(_UNROLL, len(projected)))[1]


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
        """Hidden states after each step, from a zero state."""
        kernel, new_bias = self.recurrent_kernel[...], self.new_bias[...]
        new_bias = new_bias.reshape((1,) * (projected.ndim - 2) + new_bias.shape)

        def step(hidden: Array, gates: Array) -> tuple[Array, Array]:
            r, z, n = jnp.split(gates, 3, axis=-1)
            hr, hz, hn = jnp.split(hidden @ kernel, 3, axis=-1)
            new = jnp.tanh(n + jax.nn.sigmoid(r + hr) * (hn + new_bias))
            update = jax.nn.sigmoid(z + hz)
            hidden = (1 - update) * new + update * hidden
            return hidden, hidden

        zero = jnp.zeros((*projected.shape[1:-1], self.hidden_size), projected.dtype)
        return jax.lax.scan(step, zero, projected, unroll=min(_UNROLL, len(projected)))[1]


def _project(inputs: Array, kernel: Array, bias: Array) -> Array:
    return inputs @ kernel + bias.reshape((1,) * (inputs.ndim - 1) + bias.shape)
