import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax.models import LSTMPredictorConfig
from asd_jax.models.network import Network

CONFIG = LSTMPredictorConfig(hidden_size=12, context_frames=4)


@pytest.fixture(scope="module")
def network():
    return Network(CONFIG, 5)


def pytorch_lstm(torch, params):
    """PyTorch's layers with ours' weights."""
    lstm = torch.nn.LSTM(5, 12, num_layers=2, batch_first=True)
    with torch.no_grad():
        for k, layer in params["layers"].items():
            getattr(lstm, f"weight_ih_l{k}").copy_(torch.tensor(np.asarray(layer["input_kernel"]).T))
            getattr(lstm, f"weight_hh_l{k}").copy_(torch.tensor(np.asarray(layer["recurrent_kernel"]).T))
            getattr(lstm, f"bias_ih_l{k}").copy_(torch.tensor(np.asarray(layer["bias"])))
            getattr(lstm, f"bias_hh_l{k}").zero_()
    return lstm


def test_residual_equals_pytorch_window_by_window(network):
    torch = pytest.importorskip("torch")
    params, model_state = network.init(key=jax.random.key(0))
    params = jax.tree.map(lambda p: p + 0.1, params)  # biases away from their start too
    frames = np.random.default_rng(0).standard_normal((2, 9, 5)).astype(np.float32)
    residual, _ = jax.jit(network.residual)(params, model_state, jnp.asarray(frames))

    lstm = pytorch_lstm(torch, params)
    with torch.no_grad():
        kernel, bias = (torch.tensor(np.asarray(params["output"][name])) for name in ("kernel", "bias"))
        for window in range(5):
            hidden = lstm(torch.tensor(frames[:, window : window + 4]))[0][:, -1]
            expected = frames[:, window + 4] - (hidden @ kernel + bias).numpy()
            np.testing.assert_allclose(residual[:, window, 0], expected, atol=2e-6)


@pytest.mark.parametrize("n_frames", [9, 10, 23])  # less than a segment, one, several and a part of one
def test_a_carried_state_equals_pytorch_segment_by_segment(n_frames):
    torch = pytest.importorskip("torch")
    network = Network(dataclasses.replace(CONFIG, segment_frames=10, segment_hop=6, carry_state=True), 5)
    params, model_state = network.init(key=jax.random.key(0))
    params = jax.tree.map(lambda p: p + 0.1, params)
    frames = np.random.default_rng(0).standard_normal((2, n_frames, 5)).astype(np.float32)
    residual, _ = jax.jit(network.residual)(params, model_state, jnp.asarray(frames))
    assert residual.shape == (2, n_frames - 4, 1, 5)

    lstm = pytorch_lstm(torch, params)
    kernel, bias = (np.asarray(params["output"][name]) for name in ("kernel", "bias"))
    for start in range(0, n_frames - 4, 6):
        with torch.no_grad():
            hidden = lstm(torch.tensor(frames[:, start : start + 9]))[0].numpy()[:, 3:]
        target = frames[:, start + 4 : start + 10]
        expected = target - (hidden @ kernel + bias)[:, : target.shape[1]]
        np.testing.assert_allclose(residual[:, start : start + 6, 0], expected, atol=2e-6)


def test_a_window_reads_only_its_own_frames(network):
    params, model_state = network.init(key=jax.random.key(0))
    frames = jnp.asarray(np.random.default_rng(1).standard_normal((1, 12, 5)), jnp.float32)
    residual = jax.jit(network.residual)
    before, _ = residual(params, model_state, frames)
    after, _ = residual(params, model_state, frames.at[:, 9:].set(0.0))
    np.testing.assert_array_equal(before[:, :5], after[:, :5])  # windows 0 to 4 end with frame 8
    assert (before[:, 5:] != after[:, 5:]).any(axis=-1).all()


def test_parameter_count_of_the_docstring():
    shapes = jax.eval_shape(lambda: Network(LSTMPredictorConfig(), 128).init(key=jax.random.key(0)))[0]
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert f"{count:,}" in LSTMPredictorConfig.__doc__
