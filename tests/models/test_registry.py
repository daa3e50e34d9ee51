"""What every registered model must do; a new one needs a line in `SMALL`."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax import load_detector, models
from asd_jax.detectors.bundle import Detectors
from asd_jax.detectors.detector import Detector
from asd_jax.features import FrontEnd, scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.representations.residual import Residual
from asd_jax.representations.residual_maps import residual_maps
from asd_jax.training import Reconstruction, TrainingConfig, fit
from asd_jax.training.examples import Listed

N_FEATURES = 8
SMALL = {
    "conv_autoencoder": models.ConvAutoencoderConfig(
        window_frames=4, window_hop=2, layers=((4, (3, 3), (2, 2)), (6, (3, 3), (1, 2))), bottleneck_size=3
    ),
    "dense_autoencoder": models.DenseAutoencoderConfig(hidden_size=8, n_layers=2, bottleneck_size=3),
    "gru_autoencoder": models.GRUAutoencoderConfig(window_frames=3, window_hop=2, hidden_size=8),
    "interpolation_network": models.InterpolationNetworkConfig(hidden_size=8, n_layers=2, bottleneck_size=3),
    "lstm_autoencoder": models.LSTMAutoencoderConfig(window_frames=3, window_hop=2, hidden_size=8, bottleneck_size=3),
    "lstm_predictor": models.LSTMPredictorConfig(hidden_size=8, context_frames=3, segment_frames=8, segment_hop=4),
}
TRAINING = TrainingConfig(epochs=6, batch_size=8, learning_rate=1e-2)


def test_every_model_has_a_small_config():
    assert set(SMALL) == set(models.REGISTRY)


@pytest.mark.parametrize("config_class", models.REGISTRY.values(), ids=lambda c: c.name)
def test_the_docstring_states_the_parameter_count(config_class):
    assert f"{count_parameters(config_class()):,}" in config_class.__doc__


def test_the_docstring_of_uminho_states_its_parameter_count():
    config = models.ConvAutoencoderConfig.uminho()
    assert f"{count_parameters(config):,}" in models.ConvAutoencoderConfig.uminho.__doc__


def count_parameters(config):
    params, _ = jax.eval_shape(lambda: Network(config, 128).init(key=jax.random.key(0)))
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def made_clips():
    """Clips of a travelling wave of random phase under noise: something to learn, more of it than noise."""
    rng = np.random.default_rng(0)
    clips = []
    for length in [21] * 8 + [17] * 4:
        angle = rng.uniform(0, 6) + 0.9 * np.arange(length)[:, None] + 0.7 * np.arange(N_FEATURES)[None, :]
        clips.append((3 * np.sin(angle) + 0.3 * rng.standard_normal(angle.shape) - 20).astype(np.float32))
    return StoredClips.from_clips(clips)


@dataclasses.dataclass
class Trained:
    network: Network
    clips: StoredClips
    result: object
    again: object
    representation: Residual


@pytest.fixture(scope="module", params=list(SMALL.values()), ids=list(SMALL))
def trained(request):
    config, clips = request.param, made_clips()
    network = Network(config, N_FEATURES)
    scale = scaling.REGISTRY[config.scaling](clips.values)
    examples = Listed.of(
        clips, np.arange(1, 12), np.arange(1), length=config.segment_frames, hop=config.segment_hop,
        config=TRAINING, scaling=scale,
    )  # fmt: skip
    result, again = (fit(network, Reconstruction(), examples, TRAINING, seed=3) for _ in range(2))
    return Trained(network, clips, result, again, Residual(network, result.params, result.model_state, scale))


def test_residual_has_the_shape_of_the_contract(trained):
    config, n_frames = trained.network.config, 13
    arguments = (trained.result.params, trained.result.model_state, jnp.zeros((2, n_frames, N_FEATURES)))
    residual, _ = jax.eval_shape(trained.network.residual, *arguments)
    assert residual.shape[:2] == (2, (n_frames - config.window_span) // config.window_hop + 1)
    assert residual.shape[3] == N_FEATURES


def test_a_window_reads_its_own_frames_alone(trained):
    config, result = trained.network.config, trained.result
    residual = jax.jit(lambda frames: trained.network.residual(result.params, result.model_state, frames)[0])
    frames = jnp.asarray(np.random.default_rng(1).standard_normal((1, 14, N_FEATURES)), jnp.float32)
    end = config.window_hop + config.window_span  # of window 1
    before, after = residual(frames), residual(frames.at[:, end:].add(1.0))
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-6)
    assert (jnp.abs(before[:, 2:] - after[:, 2:]) > 1e-6).any(axis=(2, 3)).all()


def test_gradients_reach_every_parameter(trained):
    params, model_state = trained.result.params, trained.result.model_state
    frames = jnp.asarray(np.random.default_rng(2).standard_normal((8, 14, N_FEATURES)), jnp.float32)

    def loss(params):
        return jnp.mean(jnp.square(trained.network.residual(params, model_state, frames, training=True)[0]))

    for path, gradient in jax.tree.leaves_with_path(jax.jit(jax.grad(loss))(params)):
        assert jnp.abs(gradient).max() > 1e-6, jax.tree_util.keystr(path)


def test_loss_falls(trained):
    history = trained.result.progress.history
    assert history[-1]["train_loss"] < 0.8 * history[0]["train_loss"]


def test_two_runs_with_a_seed_are_bit_equal(trained):
    if jax.default_backend() != "cpu":
        pytest.skip("sums on other devices may run in any order")
    jax.tree.map(np.testing.assert_array_equal, trained.result.params, trained.again.params)
    jax.tree.map(np.testing.assert_array_equal, trained.result.model_state, trained.again.model_state)
    assert trained.result.progress == trained.again.progress


def test_scores_do_not_depend_on_batch_or_order(trained):
    clips, whole = trained.clips, trained.representation(trained.clips)
    order = np.random.default_rng(4).permutation(len(clips))
    shuffled = trained.representation(StoredClips.from_clips([clips.clip(int(i)) for i in order]))
    np.testing.assert_allclose(shuffled.window_error, whole.window_error[order], rtol=1e-5)
    np.testing.assert_allclose(shuffled.vector, whole.vector[order], atol=1e-5)
    alone = trained.representation(StoredClips.from_clips([clips.clip(0)]))
    np.testing.assert_allclose(alone.window_error[0], whole.window_error[0], rtol=1e-5)


def test_save_and_restore_is_bit_equal(trained, tmp_path):
    Detectors(Detector(FrontEnd(), trained.representation, {"mse": {}}, "mse")).save(tmp_path)
    restored = load_detector(tmp_path).representation
    assert restored.network == trained.network
    before, after = trained.representation(trained.clips), restored(trained.clips)
    np.testing.assert_array_equal(before.window_error, after.window_error)
    np.testing.assert_array_equal(before.vector, after.vector)


def test_without_a_prediction_the_map_is_the_clip_itself(trained):
    """Parameters of zero predict zero, so that each target's residual is the frame: `target_offset` is right."""
    whole, clips = trained.representation, trained.clips.select(np.arange(2))
    silent = dataclasses.replace(whole, params=jax.tree.map(jnp.zeros_like, whole.params))
    for index, found in residual_maps(silent, clips):
        scaled = np.asarray(whole.scaling(jnp.asarray(clips.clip(index))))
        known = np.isfinite(found.squared[:, 0])
        assert known.any()
        np.testing.assert_allclose(found.squared[known], np.square(scaled[known]), rtol=1e-4, atol=1e-6)


def test_the_map_of_a_clip_adds_up_to_its_window_errors(trained):
    config, errors = trained.network.config, trained.representation(trained.clips).window_error
    residual = functools.partial(trained.network.residual, trained.result.params, trained.result.model_state)
    n_targets = jax.eval_shape(residual, jnp.zeros((1, 21, N_FEATURES)))[0].shape[2]
    maps = dict(residual_maps(trained.representation, trained.clips.select(np.arange(2))))
    assert sorted(maps) == [0, 1]
    for index, found in maps.items():
        n_windows = int(np.isfinite(errors[index]).sum())
        first = np.arange(n_windows) * config.window_hop + config.target_offset
        count = np.bincount((first[:, None] + np.arange(n_targets)).ravel(), minlength=len(found.squared))
        np.testing.assert_array_equal(np.isfinite(found.squared).all(axis=1), count > 0)
        total = np.nansum(found.squared.mean(axis=1) * count) / n_targets
        assert total == pytest.approx(np.nansum(errors[index]), rel=1e-4)
        np.testing.assert_array_equal(np.isfinite(found.expected), np.isfinite(found.squared))
