"""The loops of LSTM and GRU over time, with their own backward pass.

Plain differentiation of such a loop adds up the gradient of the recurrent kernel step by step: a small product and a
pass over the kernel's whole gradient each time. Here the backward loop gives the gradients of the gates only, and the
kernel's gradient is one product of all states with all gate gradients after it. Time is the leading axis, so that a
step is one contiguous block. Short loops are unrolled, and their first step, from a zero state, multiplies nothing.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_LONGEST_UNROLLED = 16  # steps; a loop whose body is a few of them would be slower than one of single steps


def _loop(step: Callable[[Any, Any], tuple[Any, Any]], zero: Array, inputs: Any, *, n_states: int) -> Any:
    """`jax.lax.scan` of a step from zero states; in an unrolled loop the first state is None instead of zeros."""
    n_steps = len(jax.tree.leaves(inputs)[0])
    if n_steps > _LONGEST_UNROLLED:
        return jax.lax.scan(step, (zero,) * n_states, inputs)[1]
    state, outputs = (None,) * n_states, []
    for t in range(n_steps):
        state, output = step(state, jax.tree.map(lambda x, t=t: x[t], inputs))
        outputs.append(output)
    return jax.tree.map(lambda *steps: jnp.stack(steps), *outputs)


def _shifted(states: Float[Array, "n_steps n hidden"]) -> Float[Array, "n_steps n hidden"]:
    """The state before each step."""
    return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])


def _backwards(tree: Any) -> Any:
    return jax.tree.map(lambda x: x[::-1], tree)


def _kernel_gradient(
    states: Float[Array, "n_steps n hidden"], gradients: Float[Array, "n_steps n gates"]
) -> Float[Array, "hidden gates"]:
    """Of a kernel that multiplied the state before each step: one product over all steps but the first."""
    hidden, gates = states.shape[-1], gradients.shape[-1]
    return states[:-1].reshape(-1, hidden).T @ gradients[1:].reshape(-1, gates)


@jax.custom_vjp
def lstm(
    projected: Float[Array, "n_steps n gates"], kernel: Float[Array, "hidden gates"]
) -> Float[Array, "n_steps n hidden"]:
    """Hidden states of an LSTM after each step, from a zero state.

    Args:
        projected: inputs times their kernel plus bias, four gates beside each other: input, forget, cell, output.
        kernel: of the hidden state, for the four gates.
    """
    return _lstm_forward(projected, kernel)[0]


def _lstm_forward(projected: Array, kernel: Array) -> tuple[Array, tuple]:
    def step(state: tuple, gates: Array) -> tuple[tuple, tuple]:
        hidden, cell = state
        if hidden is not None:
            gates = gates + hidden @ kernel
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
        cell = i * g if cell is None else f * cell + i * g
        hidden = o * jnp.tanh(cell)
        return (hidden, cell), (hidden, cell, i, f, g, o)

    zero = jnp.zeros((projected.shape[1], kernel.shape[0]), projected.dtype)
    hidden, cell, *gates = _loop(step, zero, projected, n_states=2)
    return hidden, (kernel, hidden, cell, *gates)


def _lstm_backward(saved: tuple, d_hidden: Array) -> tuple[Array, Array]:
    kernel, hidden, cell, i, f, g, o = saved

    def step(state: tuple, inputs: tuple) -> tuple[tuple, Array]:
        d_later, d_cell = state  # gradients that come from the step after this one
        d_hidden, cell, before, i, f, g, o = inputs
        if d_later is not None:
            d_hidden = d_hidden + d_later
        tanh_cell = jnp.tanh(cell)
        through_output = d_hidden * o * (1 - tanh_cell * tanh_cell)
        d_cell = through_output if d_cell is None else d_cell + through_output
        d_gates = [
            d_cell * g * i * (1 - i),
            d_cell * before * f * (1 - f),
            d_cell * i * (1 - g * g),
            d_hidden * tanh_cell * o * (1 - o),
        ]
        d_gates = jnp.concatenate(d_gates, axis=-1)
        return (d_gates @ kernel.T, d_cell * f), d_gates

    inputs = _backwards((d_hidden, cell, _shifted(cell), i, f, g, o))
    d_gates = _backwards(_loop(step, jnp.zeros_like(hidden[0]), inputs, n_states=2))
    return d_gates, _kernel_gradient(hidden, d_gates)


lstm.defvjp(_lstm_forward, _lstm_backward)


@jax.custom_vjp
def gru(
    projected: Float[Array, "n_steps n gates"],
    kernel: Float[Array, "hidden gates"],
    new_bias: Float[Array, " hidden"],
) -> Float[Array, "n_steps n hidden"]:
    """Hidden states of a GRU after each step, from a zero state.

    Args:
        projected: inputs times their kernel plus bias, three gates beside each other: reset, update, new.
        kernel: of the hidden state, for the three gates.
        new_bias: added to the new gate's part of the state's product, which the reset gate then multiplies.
    """
    return _gru_forward(projected, kernel, new_bias)[0]


def _gru_forward(projected: Array, kernel: Array, new_bias: Array) -> tuple[Array, tuple]:
    bias = new_bias[None, :]

    def step(state: tuple, gates: Array) -> tuple[tuple, tuple]:
        (hidden,) = state
        r, z, n = jnp.split(gates, 3, axis=-1)
        if hidden is None:
            inner = jnp.broadcast_to(bias, n.shape)
            r, z = jax.nn.sigmoid(r), jax.nn.sigmoid(z)
        else:
            by_state = jnp.split(hidden @ kernel, 3, axis=-1)
            inner = by_state[2] + bias
            r, z = jax.nn.sigmoid(r + by_state[0]), jax.nn.sigmoid(z + by_state[1])
        n = jnp.tanh(n + r * inner)
        new = (1 - z) * n if hidden is None else n + z * (hidden - n)
        return (new,), (new, r, z, n, inner)

    zero = jnp.zeros((projected.shape[1], kernel.shape[0]), projected.dtype)
    hidden, *gates = _loop(step, zero, projected, n_states=1)
    return hidden, (kernel, hidden, *gates)


def _gru_backward(saved: tuple, d_hidden: Array) -> tuple[Array, Array, Array]:
    kernel, hidden, r, z, n, inner = saved

    def step(state: tuple, inputs: tuple) -> tuple[tuple, tuple]:
        (d_later,) = state  # gradient that comes from the step after this one
        d_hidden, before, r, z, n, inner = inputs
        if d_later is not None:
            d_hidden = d_hidden + d_later
        d_z = d_hidden * (before - n) * z * (1 - z)
        d_n = d_hidden * (1 - z) * (1 - n * n)
        d_r = d_n * inner * r * (1 - r)
        d_state = jnp.concatenate([d_r, d_z, d_n * r], axis=-1)
        return (d_hidden * z + d_state @ kernel.T,), (d_n, d_state)

    inputs = _backwards((d_hidden, _shifted(hidden), r, z, n, inner))
    d_n, d_state = _backwards(_loop(step, jnp.zeros_like(hidden[0]), inputs, n_states=1))
    width = hidden.shape[-1]
    d_projected = jnp.concatenate([d_state[..., : 2 * width], d_n], axis=-1)
    return d_projected, _kernel_gradient(hidden, d_state), d_state[..., 2 * width :].sum(axis=(0, 1))


gru.defvjp(_gru_forward, _gru_backward)
