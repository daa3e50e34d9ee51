"""VGGish against its PyTorch port on the same random weights, and what becomes of its files."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import vggish_weights
from asd_jax.models.vggish import VGGishConfig
from asd_jax.models.vggish_weights import PUBLISHED
from asd_jax.representations import vggish as vggish_embedding
from asd_jax.representations.vggish import VGGishEmbedding

FRONT_END = FrontEnd.from_names("log_mel", preset="vggish")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "asd_jax"


@pytest.fixture(scope="module")
def port():
    """The PyTorch port with random weights."""
    torch = pytest.importorskip("torch")
    torchvggish = pytest.importorskip("torchvggish.torchvggish")
    torch.manual_seed(0)
    return torchvggish._vgg().eval()


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    time = np.arange(32_000) / 16_000
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(time))
    return (0.3 * np.sin(2 * np.pi * 440 * time * (1 + time)) + noise).astype(np.float32)


def patches_of(waveform) -> np.ndarray:
    frames = np.asarray(FRONT_END(jnp.asarray(waveform)))
    return frames[: len(frames) // 96 * 96].reshape(-1, 96, 64)


def test_number_of_parameters_is_that_of_the_docstring():
    model = nnx.eval_shape(lambda: VGGishConfig().build(rngs=nnx.Rngs(0)))
    count = sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert f"{count:,}" in VGGishConfig.__doc__


def test_patches_equal_those_of_the_port(waveform):
    vggish_input = pytest.importorskip("torchvggish.vggish_input")
    expected = vggish_input.waveform_to_examples(waveform, 16_000, return_tensor=False)
    assert patches_of(waveform).shape == expected.shape == (2, 96, 64)
    np.testing.assert_allclose(patches_of(waveform), expected, atol=1e-4)


@pytest.mark.slow
def test_embeddings_equal_those_of_the_port(port, waveform):
    import torch

    patches = patches_of(waveform)
    with torch.no_grad():
        expected = port(torch.tensor(patches)[:, None]).numpy()
    weights = PUBLISHED.checked(vggish_weights.from_torch({k: v.numpy() for k, v in port.state_dict().items()}))
    embeddings = np.asarray(vggish_embedding.embed(vggish_embedding.to_params(weights), patches))
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(embeddings, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.slow
def test_weights_are_converted_once_and_read_without_torch(port, cache, tmp_path, monkeypatch):
    import torch

    path = tmp_path / "weights.pth"
    torch.save(port.state_dict(), path)
    weights, digest = PUBLISHED.load(path)
    monkeypatch.setitem(sys.modules, "torch", None)
    again, _ = PUBLISHED.load(path)
    for name in vggish_weights.SHAPES:
        np.testing.assert_array_equal(weights[name], again[name])
    assert PUBLISHED.cached(digest).keys() == vggish_weights.SHAPES.keys()
    with pytest.raises(InputError, match="is damaged: its SHA-256 starts with"):
        PUBLISHED.load(path.rename(tmp_path / "vggish-10086976.pth"))


def test_files_that_are_no_weights(cache, tmp_path):
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match="no such file"):
        PUBLISHED.load(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(InputError, match=r"text\.pth is not a file of PyTorch weights"):
        PUBLISHED.load(tmp_path / "text.pth")
    torch.save({"features.0.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="no VGGish weights"):
        PUBLISHED.load(tmp_path / "other.pth")
    assert not cache.exists() or not list(cache.iterdir())


def test_checkpoint_of_tensorflow_is_read_by_its_names():
    scopes = {"conv": ["conv1", "conv2", "conv3/conv3_1", "conv3/conv3_2", "conv4/conv4_1", "conv4/conv4_2"]}
    scopes["dense"] = ["fc1/fc1_1", "fc1/fc1_2", "fc2"]
    variables = {}
    for kind, names in scopes.items():
        for i, scope in enumerate(names):
            variables[f"vggish/{scope}/weights"] = np.full((1,) * (4 if kind == "conv" else 2), float(i))
            variables[f"vggish/{scope}/biases"] = np.full(1, -float(i))
    weights = vggish_weights.from_tensorflow(variables.__getitem__)
    assert {name: float(value.flat[0]) for name, value in weights.items()} == {
        f"{kind}{i}_{part}": sign * i
        for kind, names in scopes.items()
        for i in range(len(names))
        for part, sign in (("kernel", 1.0), ("bias", -1.0))
    }


def test_a_wrong_shape_is_named():
    with pytest.raises(InputError, match=r"conv0_kernel has shape \(1,\), not \(3, 3, 1, 64\)"):
        PUBLISHED.checked(dict.fromkeys(vggish_weights.SHAPES, np.zeros(1)))


def test_without_network_it_says_what_to_fetch_and_where_to_put_it(cache, monkeypatch):
    import pooch

    def offline(*arguments, **options):
        raise ConnectionError

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(InputError, match=r"vggish-10086976\.pth \(288 MB\) elsewhere and put it at .*cache"):
        VGGishEmbedding.load()
    with pytest.raises(InputError, match="needs the VGGish weights with SHA-256 abc"):
        VGGishEmbedding("abc")(StoredClips.from_clips([np.zeros((96, 64))]))


@pytest.mark.slow
def test_embeddings_are_kept_by_content(cache, monkeypatch):
    rng = np.random.default_rng(0)
    clips = StoredClips.from_clips([rng.standard_normal((n, 64)).astype(np.float32) for n in (100, 200, 300)])
    representation = VGGishEmbedding.random(seed=0)
    values = representation(clips)
    np.testing.assert_array_equal(values.window_vector.n_windows, [1, 2, 3])
    windows = values.window_vector.of(np.array([2])).sample(None, seed=0)
    np.testing.assert_allclose(values.vector[2], windows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        windows[1],
        np.asarray(vggish_embedding.embed(representation.params, clips.clip(2)[None, 96:192]))[0],
        rtol=1e-5,
        atol=1e-6,
    )
    monkeypatch.setattr(vggish_embedding, "embed", None)
    np.testing.assert_array_equal(VGGishEmbedding.random(seed=0)(clips).vector, values.vector)
    with pytest.raises(TypeError):  # other weights are other embeddings
        VGGishEmbedding.random(seed=1)(clips)
