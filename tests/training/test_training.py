import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from asd_jax.training.plan import TrainingConfig, make_plan, split_validation

from asd_jax.errors import InputError
from asd_jax.features.scaling import standardize
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.training import loop as training
from asd_jax.training.checkpoints import RunCheckpoints

MODEL = LSTMPredictorConfig(hidden_size=8, context_frames=3, segment_frames=12, segment_hop=9)


@pytest.fixture(scope="module")
def clips():
    """Frames that follow from those before: a slow rotation and a little noise."""
    rng = np.random.default_rng(0)
    phase = np.arange(60)[:, None] * np.array([0.3, 0.5, 0.7]) + rng.uniform(0, 6, (12, 1, 3))
    return StoredClips.from_clips(list((np.sin(phase) + 0.1 * rng.standard_normal((12, 60, 3))).astype(np.float32)))


def fit(clips, config, checkpointer=None, monitor=training.Monitor()):  # noqa: B008
    train, validation = split_validation(["a"] * len(clips), fraction=0.25, seed=0)
    plan = make_plan(MODEL, config, clips, train, validation)
    return training.fit(
        Network(MODEL, 3), clips, plan, config,
        scaling=standardize(clips.values), seed=3, checkpointer=checkpointer, monitor=monitor,
    )  # fmt: skip


def assert_same(first, second):
    jax.tree.map(np.testing.assert_array_equal, first.params, second.params)


def test_loss_falls_below_predicting_the_mean(clips):
    result = fit(clips, TrainingConfig(epochs=20, batch_size=8, learning_rate=2e-2))
    losses = [epoch["train_loss"] for epoch in result.progress.history]
    assert losses[-1] < 0.5 * losses[0]
    assert result.progress.history[-1]["validation_loss"] < 0.6  # 1 is the variance of standardised frames
    assert result.used == "latest"


def test_a_seed_makes_a_run_bit_equal(clips):
    config = TrainingConfig(epochs=2, batch_size=8)
    assert_same(fit(clips, config), fit(clips, config))


def test_calls_of_any_length_make_the_same_epoch(clips, monkeypatch):
    config = TrainingConfig(epochs=2, batch_size=8)
    whole = fit(clips, config)
    monkeypatch.setattr(training, "STEPS_PER_CALL", 4)  # 6 steps: the second call is filled up with inactive ones
    parts = fit(clips, config)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), whole.params, parts.params)


class Killed(Exception):
    pass


@pytest.mark.parametrize("patience", [None, 1])
def test_a_resumed_run_ends_at_the_same_parameters(clips, tmp_path, patience):
    config = TrainingConfig(epochs=5, batch_size=8, learning_rate=2e-2, patience=patience)
    unbroken = fit(clips, config, RunCheckpoints(tmp_path / "unbroken"))

    class StopAfterSecond(training.Monitor):
        def epoch(self, progress, step):
            if progress.epoch == 2:
                raise Killed

    with pytest.raises(Killed):
        fit(clips, config, RunCheckpoints(tmp_path / "broken"), StopAfterSecond())
    resumed = fit(clips, config, RunCheckpoints(tmp_path / "broken"))
    assert_same(unbroken, resumed)
    assert resumed.progress == unbroken.progress and resumed.used == unbroken.used
    again = fit(clips, config, RunCheckpoints(tmp_path / "broken"))  # a finished run has nothing left to do
    assert_same(unbroken, again)


def test_early_stopping_uses_the_best_epoch(clips):
    losses = iter([0.9, 0.5, 0.6, 0.55, 0.1])
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "validation_error", lambda *args: next(losses))
        patch.setattr(training, "advance", lambda p, m, c: (seen.append(m), _real_advance(p, m, c))[1])
        result = fit(clips, TrainingConfig(epochs=5, batch_size=8, patience=2))
    assert result.used == "best" and result.progress.best_epoch == 2 and result.progress.epoch == 4
    two_epochs = fit(clips, TrainingConfig(epochs=5, batch_size=8))
    assert two_epochs.used == "latest"


_real_advance = training.advance


def test_min_delta_counts_small_gains_as_none():
    progress, config = training.Progress(), TrainingConfig(patience=2, min_delta=0.1)
    for loss in (1.0, 0.95, 0.93):
        progress, better = training.advance(progress, {"validation_loss": loss}, config)
        assert better
    assert progress.best_epoch == 3 and progress.improved_epoch == 1
    assert training.out_of_patience(progress, config)


def test_latest_and_best_are_kept(clips, tmp_path, monkeypatch):
    losses = iter([0.5, 0.2, 0.4, 0.3])
    monkeypatch.setattr(training, "validation_error", lambda *args: next(losses))
    fit(clips, TrainingConfig(epochs=4, batch_size=8), RunCheckpoints(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.isdecimal()) == ["2", "4"]


def test_divergence_stops_with_step_and_learning_rate(clips):
    broken = dataclasses.replace(clips, values=clips.values.copy())
    broken.values[200:] = np.nan
    network, config = Network(MODEL, 3), TrainingConfig(epochs=1, batch_size=8, learning_rate=0.123)
    plan = make_plan(MODEL, config, broken, np.arange(12), np.zeros(0, int))
    with pytest.raises(InputError, match=r"not finite at step 1, with learning rate 0\.123"):
        training.fit(network, broken, plan, config, scaling=standardize(clips.values), seed=0)


def test_an_inactive_step_leaves_the_whole_state(clips):
    network, config = Network(MODEL, 3), TrainingConfig(batch_size=4)
    state = training.init_train_state(network, config, 10, key=jax.random.key(0))
    before = jax.tree.map(np.array, (state.params, state.opt_state, state.step))
    after, losses = training.train_steps(
        network, config, 10, 12, state, jnp.asarray(clips.values), standardize(clips.values),
        np.zeros((2, 4), np.int32), np.zeros(2, bool),
    )  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, before, (after.params, after.opt_state, after.step))
    assert (losses == 0).all()


def test_validation_error_weights_segments_equally(clips):
    config = TrainingConfig(batch_size=7)  # 18 segments in batches of 7: the last batch is filled up
    train, validation = split_validation(["a"] * 12, fraction=0.25, seed=0)
    plan = make_plan(MODEL, config, clips, train, validation)
    network, scaling = Network(MODEL, 3), standardize(clips.values)
    state = training.init_train_state(network, config, 10, key=jax.random.key(0))
    frames = jnp.asarray(clips.values)
    error = training.validation_error(network, plan, state, frames, scaling)
    segments = training.cut_segments(frames, jnp.asarray(plan.validation_starts), plan.segment_frames)
    residual, _ = network.residual(state.params, state.model_state, scaling(segments))
    assert error == pytest.approx(float(jnp.mean(jnp.square(residual))), rel=1e-5)
