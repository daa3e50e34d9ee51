"""Recurrent layers, and stacks of them stepped together.

A layer's input projection stands apart from its step, so that overlapping windows can share it. A stack takes one step
in all its layers before the next: nothing is stored but what the output needs, and JAX differentiates it as it is. A
backward pass of our own that gathered states and gradients over time was slower on a CPU, where copying them costs as
much as a third of the products.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

_LONGEST_UNROLLED = 20  # steps, a tenth of a second to compile each; longer ones are loops of a few steps
_UNROLL = 4


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

    def zero(self, n: Any) -> tuple[Float[Array, "n hidden"], ...]:
        """The state of `n` windows, a number or a symbol, before the first step: hidden, cell."""
        return (jnp.zeros((n, self.hidden_size)),) * 2

    def hidden(self, state: tuple[Array, Array]) -> Float[Array, "n hidden"]:
        """The part of a state that layers above read."""
        return state[0]

    def step(
        self, state: tuple[Array, Array] | None, gates: Float[Array, "n gates"]
    ) -> tuple[tuple[Float[Array, "n hidden"], Float[Array, "n hidden"]], Float[Array, "n hidden"]]:
        """The next state and its hidden part, from projected inputs; None stands for a zero state."""
        if state is not None:
            gates = gates + state[0] @ self.recurrent_kernel[...]
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        new = jax.nn.sigmoid(i) * jnp.tanh(g)
        cell = new if state is None else jax.nn.sigmoid(f) * state[1] + new
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return (hidden, cell), hidden


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

    def zero(self, n: Any) -> Float[Array, "n hidden"]:
        """The state of `n` windows, a number or a symbol, before the first step."""
        return jnp.zeros((n, self.hidden_size))

    def hidden(self, state: Float[Array, "n hidden"]) -> Float[Array, "n hidden"]:
        """The part of a state that layers above read: all of it."""
        return state

    def step(
        self, state: Float[Array, "n hidden"] | None, gates: Float[Array, "n gates"]
    ) -> tuple[Float[Array, "n hidden"], Float[Array, "n hidden"]]:
        """The next state, twice, from projected inputs; None stands for a zero state."""
        state = self.zero(gates.shape[0]) if state is None else state
        r, z, n = jnp.split(gates, 3, axis=-1)
        by_state = jnp.split(state @ self.recurrent_kernel[...], 3, axis=-1)
        r, z = jax.nn.sigmoid(r + by_state[0]), jax.nn.sigmoid(z + by_state[1])
        n = jnp.tanh(n + r * (by_state[2] + self.new_bias[...][None, :]))
        hidden = n + z * (state - n)
        return hidden, hidden


def read(layers: Sequence[LSTM | GRU], inputs: Float[Array, "n n_steps n_inputs"]) -> Float[Array, "n hidden"]:
    """Hidden state of a stack's top layer after the last step, from a zero state; `layers` as in `last`."""
    n_steps = inputs.shape[1]
    if n_steps > _LONGEST_UNROLLED:
        return last(layers, layers[0].project(jnp.moveaxis(inputs, 1, 0)))
    # A product a step: the gradient of all the steps' gates in one array would be put together piece by piece.
    return last(layers, [layers[0].project(inputs[:, step]) for step in range(n_steps)])


def last(layers: Sequence[LSTM | GRU], gates: Sequence[Array] | Array) -> Float[Array, "n hidden"]:
    """Hidden state of a stack's top layer after the last step, from a zero state.

    Args:
        layers: the stack, the lowest first.
        gates: what the lowest layer's `project` gives, an array `(n, gates)` a step.
    """
    if len(gates) > _LONGEST_UNROLLED:
        gates = gates if isinstance(gates, jax.Array) else jnp.stack(gates)
        states = tuple(layer.zero(gates.shape[1]) for layer in layers)
        states, _ = jax.lax.scan(lambda s, g: (_step(layers, s, g)[0], None), states, gates, unroll=_UNROLL)
        return layers[-1].hidden(states[-1])
    return _hidden(layers, gates)[-1]


def follow(layers: Sequence[LSTM | GRU], gates: Float[Array, "n_steps n gates"]) -> Float[Array, "n_steps n hidden"]:
    """Hidden states of a stack's top layer after each step, from a zero state; arguments as in `last`."""
    states = tuple(layer.zero(gates.shape[1]) for layer in layers)
    return jax.lax.scan(lambda s, g: _step(layers, s, g), states, gates, unroll=_UNROLL)[1]


def unfold(
    layers: Sequence[LSTM | GRU], gates: Float[Array, "n gates"], n_steps: int
) -> Float[Array, "n_steps n hidden"]:
    """Hidden states of a stack's top layer after each of `n_steps` steps that read the same `gates`.

    From a zero state; `layers` and `gates` as in `last`.
    """
    if n_steps <= _LONGEST_UNROLLED:
        return jnp.stack(_hidden(layers, [gates] * n_steps))
    states = tuple(layer.zero(gates.shape[0]) for layer in layers)
    step = lambda states, _: _step(layers, states, gates)  # noqa: E731
    return jax.lax.scan(step, states, length=n_steps, unroll=_UNROLL)[1]


def _hidden(layers: Sequence[LSTM | GRU], gates: Sequence[Array] | Array) -> list[Float[Array, "n hidden"]]:
    """Hidden state of the top layer after each step, from a zero state; every step is compiled."""
    states, after = (None,) * len(layers), []
    for of_step in gates:
        states, hidden = _step(layers, states, of_step)
        after.append(hidden)
    return after


def _step(
    layers: Sequence[LSTM | GRU], states: Sequence[Any], gates: Float[Array, "n gates"]
) -> tuple[tuple[Any, ...], Float[Array, "n hidden"]]:
    """A step of each layer, the lowest first; the states after it, and the hidden state of the top layer."""
    after: list[Any] = []
    hidden = None
    for layer, state in zip(layers, states, strict=True):
        state, hidden = layer.step(state, gates if hidden is None else layer.project(hidden))
        after.append(state)
    return tuple(after), hidden


def _project(inputs: Array, kernel: Array, bias: Array) -> Array:
    return inputs @ kernel + bias.reshape((1,) * (inputs.ndim - 1) + bias.shape)
