"""Recurrent layers whose input projection is separate, so that overlapping windows can share it."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


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
        bias = self.bias[...]
        return inputs @ self.input_kernel[...] + bias.reshape((1,) * (inputs.ndim - 1) + bias.shape)

    def run(self, projected: list[Float[Array, "*batch gates"]]) -> list[Float[Array, "*batch hidden"]]:
        """Hidden states after each step, from a zero state; the steps are unrolled."""
        kernel, hidden, cell, outputs = self.recurrent_kernel[...], None, None, []
        for gates in projected:
            if hidden is not None:  # the first step has no state to multiply
                gates = gates + hidden @ kernel
            i, f, g, o = jnp.split(gates, 4, axis=-1)
            update = jax.nn.sigmoid(i) * jnp.tanh(g)
            cell = update if cell is None else jax.nn.sigmoid(f) * cell + update
            hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
            outputs.append(hidden)
        return outputs
