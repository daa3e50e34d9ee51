import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from asd_jax.models.recurrent import GRU, LSTM, follow, last, read, unfold

N_INPUTS, HIDDEN, BATCH = 5, 7, 3


def pytorch_layer(torch, layer):
    """The PyTorch layer with our weights."""
    kind = torch.nn.LSTM if isinstance(layer, LSTM) else torch.nn.GRU
    theirs = kind(N_INPUTS, HIDDEN)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.tensor(np.asarray(layer.input_kernel[...]).T))
        theirs.weight_hh_l0.copy_(torch.tensor(np.asarray(layer.recurrent_kernel[...]).T))
        theirs.bias_ih_l0.copy_(torch.tensor(np.asarray(layer.bias[...])))
        theirs.bias_hh_l0.zero_()
        if isinstance(layer, GRU):
            theirs.bias_hh_l0[2 * HIDDEN :] = torch.tensor(np.asarray(layer.new_bias[...]))
    return theirs


# One step (no recurrence at all), unrolled loops, and compiled loops of lengths that their unrolling does not divide.
@pytest.mark.parametrize("lengths", [(1,), (1, 2, 3, 4, 5, 6), (22, 23)], ids=str)
@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_outputs_and_gradients_equal_pytorch(kind, lengths):
    torch = pytest.importorskip("torch")
    n_steps = lengths[-1]
    rng = np.random.default_rng(n_steps)
    graph, params = nnx.split(kind(N_INPUTS, HIDDEN, rngs=nnx.Rngs(0)))
    params = jax.tree.map(lambda p: p + 0.1 * rng.standard_normal(p.shape).astype(np.float32), params)
    layer = nnx.merge(graph, params)
    inputs = rng.standard_normal((n_steps, BATCH, N_INPUTS)).astype(np.float32)
    weights = rng.standard_normal((len(lengths), BATCH, HIDDEN)).astype(np.float32)

    def loss(params, inputs):
        layer = nnx.merge(graph, params)
        gates = layer.project(inputs)
        states = jnp.stack([last([layer], gates[:length]) for length in lengths])
        return jnp.sum(states * weights), states

    gradient = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))
    (of_params, of_inputs), states = gradient(params, jnp.asarray(inputs))

    theirs, their_inputs = pytorch_layer(torch, layer), torch.tensor(inputs, requires_grad=True)
    their_states = theirs(their_inputs)[0][[length - 1 for length in lengths]]
    (their_states * torch.tensor(weights)).sum().backward()
    expected = {
        "input_kernel": theirs.weight_ih_l0.grad.T,
        "recurrent_kernel": theirs.weight_hh_l0.grad.T,
        "bias": theirs.bias_ih_l0.grad,
        "new_bias": theirs.bias_hh_l0.grad[2 * HIDDEN :],
    }
    np.testing.assert_allclose(states, their_states.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(of_inputs, their_inputs.grad, rtol=1e-5, atol=1e-5)
    for name, value in nnx.to_pure_dict(of_params).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("n_steps", [3, 23])
@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_a_stack_is_one_layer_after_another(kind, n_steps):
    """Stepping two layers together gives what running the second over all states of the first does."""
    rngs = nnx.Rngs(0)
    layers = [kind(N_INPUTS, HIDDEN, rngs=rngs), kind(HIDDEN, HIDDEN, rngs=rngs)]
    inputs = jnp.asarray(np.random.default_rng(0).standard_normal((BATCH, N_INPUTS)), jnp.float32)
    gates = layers[0].project(inputs)
    below = unfold(layers[:1], gates, n_steps)
    expected = last(layers[1:], layers[1].project(below))
    np.testing.assert_allclose(unfold(layers, gates, n_steps)[-1], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last(layers, [gates] * n_steps), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("n_steps", [3, 23])
@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_reading_and_following_inputs_are_steps(kind, n_steps):
    layers = [kind(N_INPUTS, HIDDEN, rngs=nnx.Rngs(0))]
    inputs = jnp.asarray(np.random.default_rng(0).standard_normal((n_steps, BATCH, N_INPUTS)), jnp.float32)
    gates = layers[0].project(inputs)
    states = follow(layers, gates)
    expected = [last(layers, gates[: step + 1]) for step in range(n_steps)]
    np.testing.assert_allclose(states, jnp.stack(expected), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(read(layers, jnp.moveaxis(inputs, 0, 1)), expected[-1], rtol=1e-5, atol=1e-6)
