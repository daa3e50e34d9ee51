"""EfficientAT mn04 against the original PyTorch network on real weights and recordings; its layers; its files."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import soundfile
import soxr
from flax import nnx

from asd_jax.datasets import Machine
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.efficientat import EfficientATConfig, Shifts, rounded
from asd_jax.models.efficientat_weights import PUBLISHED, folded, shapes, to_params
from asd_jax.representations.efficientat import EfficientATEmbedding, embed

FRONT_END = FrontEnd.from_names("log_mel", preset="efficientat")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def made() -> dict[str, np.ndarray]:
    """Random arrays with the published names and shapes."""
    rng = np.random.default_rng(0)
    found = {}
    for name, shape in PUBLISHED.shapes.items():
        values = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)
        found[name] = (np.abs(values) + 0.5 if name.endswith("running_var") else values).astype(np.float32)
    return found


@pytest.fixture(scope="module")
def golden(real_data):
    folder = real_data / "efficientat_mn04"
    return folder / "weights.npz", dict(np.load(folder / "reference.npz"))


def test_front_end_is_the_original_one(golden):
    for number in (0, 1):
        frames = np.asarray(FRONT_END(jnp.asarray(golden[1][f"waveform_32k/{number}"])))
        np.testing.assert_allclose((frames.T + 4.5) / 5, golden[1][f"mel/{number}"], rtol=0, atol=1e-3)


def test_embeddings_maps_and_logits_are_the_original_ones(golden, real_data):
    path, reference = golden
    representation = EfficientATEmbedding.load(path)
    params = representation.params
    waveforms = []
    for name in reference["file_name"]:
        samples, rate = soundfile.read(real_data / "dcase2020_real_clips" / name, dtype="float32")
        waveforms.append(soxr.resample(samples, rate, 32_000))
    clips = extract_waveforms(waveforms, FRONT_END)
    values = representation(clips).vector
    network = nnx.merge(
        nnx.split(nnx.eval_shape(lambda: EfficientATConfig().build(rngs=nnx.Rngs(0))), nnx.Param)[0], params
    )
    maps = {block: EfficientATEmbedding.load(path, layer=f"block_{block}")(clips).vector for block in (4, 7, 11)}

    def agrees(found, expected):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())

    for number in range(len(waveforms)):
        agrees(values[number], reference[f"embedding/{number}"])
        agrees(network.logits(jnp.asarray(values[number])[None])[0], reference[f"logits/{number}"])
        for block, of in maps.items():
            agrees(of[number], reference[f"block_{block}_mean_over_time/{number}"].T.reshape(-1))


def test_number_of_parameters_and_channels_are_those_of_the_docstring():
    model = nnx.eval_shape(lambda: EfficientATConfig().build(rngs=nnx.Rngs(0)))
    count = sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert f"{count:,}" in EfficientATConfig.__doc__
    assert [rounded(of) for of in (6.4, 9.6, 12, 28.8, 73.6)] == [8, 16, 16, 32, 72]  # 9.6: 8 would be below 0.9 of it
    assert sum(np.prod(shape) for shape in shapes(EfficientATConfig()).values()) == 993_439  # and a counter a norm


@pytest.mark.slow
@pytest.mark.parametrize(("kernel", "stride", "n_in"), [(3, 1, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 2, 1)])
def test_shifted_slices_are_a_convolution(kernel, stride, n_in):
    layer = Shifts(kernel, 6, stride, rngs=nnx.Rngs(0))
    values = jax.random.normal(jax.random.key(1), (2, 17, 12, n_in))
    expected = jax.lax.conv_general_dilated(
        values,
        layer.kernel[...][:, :, None, :],
        (stride, stride),
        [(kernel // 2, kernel // 2)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=n_in,
    )
    np.testing.assert_allclose(layer(values), expected, atol=1e-5)


def test_batch_normalisation_is_folded_as_pytorch_has_it(made):
    torch = pytest.importorskip("torch")
    name = "features.4.block.1"
    tensors = {key: torch.tensor(made[f"{name}.{key}"]) for key in ("0.weight", "1.weight", "1.bias")}
    norm = [torch.tensor(made[f"{name}.1.{part}"]) for part in ("running_mean", "running_var")]
    values = torch.randn(1, 32, 20, 24, generator=torch.Generator().manual_seed(0))  # channel, frequency, time
    expected = torch.nn.functional.conv2d(values, tensors["0.weight"], stride=2, padding=2, groups=32)
    expected = torch.nn.functional.batch_norm(expected, *norm, tensors["1.weight"], tensors["1.bias"], eps=1e-3)
    layer = Shifts(5, 32, 2, rngs=nnx.Rngs(0))
    layer.kernel[...], layer.bias[...] = (jnp.asarray(folded(made, name)[part]) for part in ("kernel", "bias"))
    found = np.asarray(layer(jnp.asarray(values.numpy().transpose(0, 3, 2, 1))))
    np.testing.assert_allclose(found.transpose(0, 3, 2, 1), expected.numpy(), atol=1e-4)


@pytest.mark.slow
def test_a_bundle_brings_its_weights_and_lengths_do_not_mix(made, tmp_path, monkeypatch):
    np.savez(tmp_path / "own.npz", **made)
    first = EfficientATEmbedding.load(tmp_path / "own.npz")
    rng = np.random.default_rng(1)
    clips = StoredClips.from_clips([rng.standard_normal((n, 128)).astype(np.float32) for n in (40, 64, 40)])
    values = first(clips).vector
    for index in range(3):
        alone = embed(jax.tree.map(jnp.asarray, to_params(made, EfficientATConfig())), clips.clip(index)[None])[0]
        np.testing.assert_allclose(values[index], alone, rtol=1e-4, atol=1e-5 * np.abs(values).max())
    fresh = EfficientATEmbedding.load(tmp_path / "own.npz")  # whose weights are first read while it is exported
    of_frames = jax.jit(lambda frames: fresh.of_frames(frames, Machine("", "id_00")).vector)
    traced = of_frames(jnp.asarray(clips.clip(0))[None])
    np.testing.assert_allclose(traced[0], values[0], rtol=1e-4, atol=1e-5 * np.abs(values).max())
    np.testing.assert_array_equal(fresh(clips).vector, values)
    settings, arrays = first.to_state()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    np.testing.assert_array_equal(EfficientATEmbedding.from_state(settings, arrays)(clips).vector, values)
    random = EfficientATEmbedding.random(layer="block_4")
    assert random.to_state()[1] == {} and random(clips).vector.shape == (3, 256)


def test_files_that_are_no_weights_of_this_network(made, tmp_path):
    short = {name: of for name, of in made.items() if name != "classifier.5.bias"}
    np.savez(tmp_path / "short.npz", **short)
    with pytest.raises(InputError, match=r"no EfficientAT mn04 weights: 'classifier\.5\.bias' is missing"):
        PUBLISHED.load(tmp_path / "short.npz")
    np.savez(tmp_path / "wide.npz", **made | {"features.0.0.weight": np.zeros((16, 1, 3, 3))})
    with pytest.raises(InputError, match=r"features\.0\.0\.weight has shape \(16, 1, 3, 3\), not \(8, 1, 3, 3\)"):
        PUBLISHED.load(tmp_path / "wide.npz")
    (tmp_path / "mn04_as_mAP_432.pt").write_bytes(b"half of it")
    with pytest.raises(InputError, match="is damaged: its SHA-256 starts with"):
        PUBLISHED.load(tmp_path / "mn04_as_mAP_432.pt")
    with pytest.raises(InputError, match="layer=block_16`: give embedding, or block_1 to block_15"):
        EfficientATEmbedding.random(layer="block_16")


def test_pytorch_weights_are_read_without_running_code(made, tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({name: torch.tensor(of) for name, of in made.items()}, tmp_path / "own.pt")
    weights, digest = PUBLISHED.load(tmp_path / "own.pt")
    for name, of in made.items():
        np.testing.assert_array_equal(weights[name], of)
    assert PUBLISHED.cached(digest).keys() == made.keys()
    torch.save(torch.nn.Linear(1, 1), tmp_path / "module.pt")
    with pytest.raises(InputError, match="is not a file of PyTorch weights"):
        PUBLISHED.load(tmp_path / "module.pt")


@pytest.mark.slow
def test_as_a_user_runs_it(made, machine_tree, run_script, tmp_path):
    np.savez(tmp_path / "own.npz", **made)
    data = ["--machine=fan", f"--data_dir={machine_tree}", "--machine_id=id_00", f"--weights={tmp_path / 'own.npz'}"]
    for layer, scorer in (("block_4", "mahalanobis"),):
        run = tmp_path / layer
        status, _, stderr = run_script("efficientat", *data, f"--layer={layer}", "--scorers=", f"--workdir={run}")
        assert status == 0, stderr
        metrics = json.loads((run / "metrics.json").read_text())
        assert metrics["headline_scorer"] == scorer and metrics["random_weights"] is False
        assert set(metrics["controls"]) == {"log_mel_mean", "at_initialisation"}
    wav = machine_tree / "fan" / "test" / "anomaly_id_00_00000000.wav"
    status, stdout, stderr = run_script("score", f"--checkpoint={tmp_path / 'block_4'}", wav)
    assert status == 0 and "of 1 anomalous" in stdout, stderr
    status, _, stderr = run_script("efficientat", *data[:2], "--weights=none.pt", f"--workdir={tmp_path / 'none'}")
    assert status == 1 and "--weights=none.pt: no such file" in stderr
