"""The multi-branch network against the published PyTorch one: embeddings, a step's gradients, running statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from multi_branch_weights import load, named, published

from asd_jax import models
from asd_jax.errors import InputError
from asd_jax.models import convolution
from asd_jax.models.max_pool import max_pool
from asd_jax.models.network import Network
from asd_jax.models.spectrogram_branch import bins, magnitudes
from asd_jax.training.objectives import SubClusterAdaCos


@pytest.fixture(scope="module")
def golden(real_data):
    return np.load(real_data / "discriminative_golden" / "multi_branch_network.npz")


def network_of(golden, dtype):
    config, n_samples = models.MultiBranchConfig(), golden["waveform"].shape[1]
    network = nnx.eval_shape(lambda: config.build(n_samples, rngs=nnx.Rngs(0)))  # all of it is replaced
    load(network, published(golden), dtype)
    return network, jnp.asarray(golden["waveform"], dtype)


@pytest.fixture(scope="module")
def step(golden):
    """One step in training, in float64: embeddings, loss, gradients, the network after it.

    In float32 gradients of single units of squeeze layers, a thousandth of the others, move by up to 3 % with the order
    of sums. Kernels' gradients are taken of the batch at once, which compiles a third sooner; a test below holds those
    in parts to them.
    """
    with pytest.MonkeyPatch.context() as patch, jax.enable_x64(True):
        patch.setattr(convolution, "_PARTS", 1)
        network, waveforms = network_of(golden, np.float64)
        network.train()
        labels, centres = jnp.asarray(golden["labels"], np.float64), jnp.asarray(golden["centres"], np.float64)
        objective = SubClusterAdaCos(n_centres=4)
        state = jax.tree.map(lambda of: of.astype(np.float64), objective.init(5, 512, key=jax.random.key(0))[1])

        @nnx.jit
        def gradients(network, centres, waveforms):
            def loss(network, centres):
                embedding = network.embedding(waveforms)
                losses, _ = objective.class_losses({"centres": centres}, state, embedding, labels, training=True)
                return losses.mean(), embedding

            return nnx.value_and_grad(loss, argnums=(0, 1), has_aux=True)(network, centres)

        (loss, trained), (of_network, of_centres) = gradients(network, centres, waveforms)
        graph, _, rest = nnx.split(network, nnx.Param, ...)
        norms = {
            name: np.linalg.norm(np.asarray(variable[...]).ravel())
            for name, (variable, _) in named(nnx.merge(graph, of_network, rest))[0].items()
        }
        return {
            "embedding_train": np.asarray(trained),
            "loss": float(loss),
            "centres_gradient": np.asarray(of_centres),
            "norms": norms,
            "running": {name: np.asarray(variable[...]) for name, variable in named(network)[1].items()},
        }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["embedding_train", "centres_gradient"])
def test_a_step_in_training(step, golden, name):
    np.testing.assert_allclose(step[name], golden[name], rtol=0, atol=1e-4 * np.abs(golden[name]).max())


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_embeddings_in_float32(golden, mode):
    network, waveforms = network_of(golden, np.float32)
    getattr(network, mode)()
    found = nnx.jit(lambda network, waveforms: network.embedding(waveforms))(network, waveforms)
    wanted = golden[f"embedding_{mode}"]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.slow
def test_loss(step, golden):
    assert step["loss"] == pytest.approx(float(golden["loss"]), rel=1e-5)


@pytest.mark.slow
def test_gradient_norms(step, golden):
    for name, norm in step["norms"].items():
        wanted = float(golden[f"gradient_norm/{name}"])
        assert norm < 1e-8 if wanted == 0 else norm == pytest.approx(wanted, rel=3e-3), name


@pytest.mark.slow
def test_running_statistics_after_the_step(step, golden):
    for name, found in step["running"].items():
        wanted = golden[f"running_after/{name}"]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max(), err_msg=name)


def test_magnitudes_are_those_of_torch_stft():
    torch = pytest.importorskip("torch")
    waveform = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    window = torch.hann_window(256)
    spectrum = torch.stft(torch.asarray(waveform), 256, 128, window=window, pad_mode="constant", return_complex=True)
    first, last = bins(256, 16_000)
    wanted = (spectrum.abs() / window.square().sum().sqrt())[:, first:last].numpy().swapaxes(1, 2)
    found = magnitudes(jnp.asarray(waveform), n_fft=256, sample_rate=16_000)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * wanted.max())


@pytest.mark.slow
@pytest.mark.parametrize(("size", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (7, 2, 0), (1, 1, 0)])
def test_gradients_in_parts_of_the_batch_are_those_of_the_convolution(size, stride, padding):
    images, kernels, cotangents = (
        jax.random.normal(key, (12, 15, 13, 2)) for key in jax.random.split(jax.random.key(0), 3)
    )
    kernel = kernels[:size, :size, :1].repeat(2, axis=2)
    whole, of_whole = jax.vjp(lambda *of: convolution._convolve(*of, stride, padding), images, kernel)
    parts, of_parts = jax.vjp(lambda *of: convolution.convolve(*of, stride, padding), images, kernel)
    np.testing.assert_array_equal(parts, whole)
    cotangent = cotangents[:, : whole.shape[1], : whole.shape[2]]
    for found, wanted in zip(of_parts(cotangent), of_whole(cotangent), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("padding", [0, 1])
def test_pooling_is_that_of_torch(padding):
    torch = pytest.importorskip("torch")
    image = np.random.default_rng(0).standard_normal((2, 12, 9, 3)).astype(np.float32)
    wanted = torch.nn.functional.max_pool2d(torch.asarray(image.transpose(0, 3, 1, 2)), 3, 2, padding)
    np.testing.assert_array_equal(max_pool(jnp.asarray(image), padding=padding), wanted.numpy().transpose(0, 2, 3, 1))


@pytest.mark.slow
@pytest.mark.parametrize("branches", [("spectrum",), ("256",), ("64", "1024")])
def test_the_shortest_clip_that_a_config_names_is_the_shortest_that_it_takes(branches):
    config = models.MultiBranchConfig(branches=branches, width=16)

    def embedded(n_samples):
        network = Network(config, n_samples)
        params, state = jax.eval_shape(lambda: network.init(key=jax.random.key(0)))
        waveforms = jax.ShapeDtypeStruct((2, n_samples), jnp.float32)
        return jax.eval_shape(lambda *args: network.embedding(*args)[0], params, state, waveforms).shape

    assert embedded(config.least_samples) == (2, config.embedding_size)
    with pytest.raises((ZeroDivisionError, ValueError, TypeError)):
        embedded(config.least_samples - 2 * 64)


def test_an_embedding_does_not_depend_on_the_batch():
    network = Network(models.MultiBranchConfig(branches=("spectrum", "256"), width=16), 72_000)
    params, state = network.init(key=jax.random.key(0))
    waveforms = jax.random.normal(jax.random.key(1), (3, 72_000))
    embed = jax.jit(lambda *args: network.embedding(*args)[0])  # of arrays that are given, as constants are folded
    among_others = jnp.stack([waveforms[1], 100 * waveforms[0], jnp.zeros(72_000)])
    first, second = (embed(params, state, of) for of in (waveforms, among_others))
    np.testing.assert_allclose(first[1], second[0], rtol=0, atol=1e-5)


def test_a_length_too_short_for_the_branches_is_named():
    with pytest.raises(InputError, match="`seconds=1`: `branches=spectrum` needs clips"):
        models.MultiBranchConfig(branches=("spectrum",), seconds=1.0)


@pytest.mark.parametrize("branches", [(), ("spectrum", "spectrum"), ("1023",), ("mel",), ("16",)])
def test_branches_that_cannot_be_are_named(branches):
    with pytest.raises(InputError, match="`branches="):
        models.MultiBranchConfig(branches=branches)
