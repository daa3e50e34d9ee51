import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax.errors import InputError
from asd_jax.features.scaling import standardize
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.training import Reconstruction, TrainingConfig, loop, progress
from asd_jax.training.batches import Picks
from asd_jax.training.checkpoints import RunCheckpoints
from asd_jax.training.examples import Listed, split_validation
from asd_jax.training.hooks import Monitor
from asd_jax.training.state import init_train_state

MODEL = LSTMPredictorConfig(hidden_size=8, context_frames=3, segment_frames=12, segment_hop=9)


@pytest.fixture(scope="module")
def clips():
    """Frames that follow from those before: a slow rotation and a little noise."""
    rng = np.random.default_rng(0)
    phase = np.arange(60)[:, None] * np.array([0.3, 0.5, 0.7]) + rng.uniform(0, 6, (12, 1, 3))
    return StoredClips.from_clips(list((np.sin(phase) + 0.1 * rng.standard_normal((12, 60, 3))).astype(np.float32)))


def examples_of(clips, config, *, scaling=None, validation_fraction=0.25):
    train, validation = split_validation(["a"] * len(clips), fraction=validation_fraction, seed=0)
    return Listed.of(
        clips, train, validation, length=MODEL.segment_frames, hop=MODEL.segment_hop,
        config=config, scaling=scaling or standardize(clips.values),
    )  # fmt: skip


def fit(clips, config, checkpointer=None, monitor=Monitor(), examples=None, objective=Reconstruction()):  # noqa: B008
    examples = examples or examples_of(clips, config)
    return loop.fit(Network(MODEL, 3), objective, examples, config, seed=3, checkpointer=checkpointer, monitor=monitor)


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
    monkeypatch.setattr(loop, "STEPS_PER_CALL", 4)  # 6 steps: the second call is filled up with inactive ones
    parts = fit(clips, config)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), whole.params, parts.params)


class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("patience", [None, 1])
def test_a_resumed_run_ends_at_the_same_parameters(clips, tmp_path, patience):
    config = TrainingConfig(epochs=5, batch_size=8, learning_rate=2e-2, patience=patience)
    unbroken = fit(clips, config, RunCheckpoints(tmp_path / "unbroken"))

    class StopAfterSecond(Monitor):
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
        patch.setattr(loop, "validation_loss", lambda *args: next(losses))
        patch.setattr(loop, "advance", lambda p, m, c: (seen.append(m), progress.advance(p, m, c))[1])
        result = fit(clips, TrainingConfig(epochs=5, batch_size=8, patience=2))
    assert result.used == "best" and result.progress.best_epoch == 2 and result.progress.epoch == 4
    two_epochs = fit(clips, TrainingConfig(epochs=5, batch_size=8))
    assert two_epochs.used == "latest"


def test_min_delta_counts_small_gains_as_none():
    done, config = progress.Progress(), TrainingConfig(patience=2, min_delta=0.1)
    for loss in (1.0, 0.95, 0.93):
        done, better = progress.advance(done, {"validation_loss": loss}, config)
        assert better
    assert done.best_epoch == 3 and done.improved_epoch == 1
    assert progress.out_of_patience(done, config)


def test_latest_and_best_are_kept(clips, tmp_path, monkeypatch):
    losses = iter([0.5, 0.2, 0.4, 0.3])
    monkeypatch.setattr(loop, "validation_loss", lambda *args: next(losses))
    fit(clips, TrainingConfig(epochs=4, batch_size=8), RunCheckpoints(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.isdecimal()) == ["2", "4"]


def test_divergence_stops_with_step_and_learning_rate(clips):
    broken = dataclasses.replace(clips, values=clips.values.copy())
    broken.values[200:] = np.nan
    config = TrainingConfig(epochs=1, batch_size=8, learning_rate=0.123)
    examples = examples_of(broken, config, scaling=standardize(clips.values), validation_fraction=0.0)
    with pytest.raises(InputError, match=r"not finite at step 1, with learning rate 0\.123; lower `learning_rate`"):
        fit(broken, config, examples=examples)


def test_an_inactive_step_leaves_the_whole_state(clips):
    network, config = Network(MODEL, 3), TrainingConfig(batch_size=4)
    state = init_train_state(network, config, 10, key=jax.random.key(0))
    before = jax.tree.map(np.array, (state.params, state.opt_state, state.step))
    after, losses = loop.train_steps(
        network, Reconstruction(), config, 12, 10, state, examples_of(clips, config).source,
        Picks(np.zeros((2, 4), np.int32)), np.zeros(2, bool),
    )  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, before, (after.params, after.opt_state, after.step))
    assert (losses == 0).all()


def test_validation_loss_weights_segments_equally(clips):
    config = TrainingConfig(batch_size=7)  # 18 segments in batches of 7: the last batch is filled up
    examples, network = examples_of(clips, config), Network(MODEL, 3)
    state = init_train_state(network, config, 10, key=jax.random.key(0))
    found = loop.validation_loss(network, Reconstruction(), examples, state, examples.source)
    segments = examples.source.batch(Picks(jnp.asarray(examples.held_back.starts)), examples.length).values
    residual, _ = network.residual(state.params, state.model_state, segments)
    assert found == pytest.approx(float(jnp.mean(jnp.square(residual))), rel=1e-5)


@dataclasses.dataclass(frozen=True)
class Matched(Reconstruction):
    """Weighs a clip's error by its target and by a draw, both of which a step must hand over."""

    name = "matched"

    def targets(self, clips):
        return np.asarray([clip.machine_id == "b" for clip in clips]).astype(np.int64)

    def losses(self, network, params, model_state, batch, *, key, training):
        losses, model_state = super().losses(network, params, model_state, batch, key=key, training=training)
        weight = batch.targets.astype(jnp.float32) + (jax.random.uniform(key) if training else 1.0)
        return losses * weight, model_state


def test_an_objective_reads_targets_and_a_key_of_each_step(clips):
    """The losses of the first two steps are those computed by hand from the targets and the steps' keys."""
    config = TrainingConfig(epochs=1, batch_size=8, learning_rate=1e-9)
    targets = np.arange(12) % 2
    train = np.arange(12)
    examples = Listed.of(
        clips, train, np.zeros(0, int), length=12, hop=9, config=config,
        scaling=standardize(clips.values), targets=targets,
    )  # fmt: skip
    heard = []

    class Listen(Monitor):
        def steps(self, first_step, losses):
            heard.extend(losses.tolist())

    fit(clips, config, monitor=Listen(), examples=examples, objective=Matched())
    network = Network(MODEL, 3)
    state = init_train_state(network, config, 10, key=jax.random.key(3))
    (picks, _), *_ = examples.calls(seed=3, epoch=0, steps_per_call=2)
    for step in range(2):
        clip = np.searchsorted(clips.clip_start, picks.starts[step], side="right") - 1
        segments = examples.source.batch(Picks(jnp.asarray(picks.starts[step])), 12).values
        residual, _ = network.residual(state.params, state.model_state, segments)
        draw = jax.random.uniform(jax.random.fold_in(state.key, step))
        expected = jnp.mean(jnp.mean(jnp.square(residual), axis=(1, 2, 3)) * (targets[clip].astype(np.float32) + draw))
        assert heard[step] == pytest.approx(float(expected), rel=1e-4)


def test_losses_are_those_of_plain_adam(clips):
    """Ten steps against the same loop written out: gradient, Adam, cosine decay."""
    import optax

    network, config = Network(MODEL, 3), TrainingConfig(epochs=2, batch_size=8, learning_rate=2e-2)
    examples = examples_of(clips, config)
    state = init_train_state(network, config, 12, key=jax.random.key(3))
    optimizer = optax.adam(optax.cosine_decay_schedule(2e-2, 2 * examples.steps_per_epoch))
    params, opt_state, losses = state.params, optimizer.init(state.params), []

    @jax.jit
    def loss(params, starts):
        segments = examples.source.batch(Picks(starts), examples.length).values
        return jnp.mean(jnp.square(network.residual(params, state.model_state, segments)[0]))

    for epoch in range(2):
        for picks, _ in examples.calls(seed=3, epoch=epoch, steps_per_call=1):
            value, gradient = jax.value_and_grad(loss)(params, jnp.asarray(picks.starts[0]))
            losses.append(float(value))
            with jax.numpy_dtype_promotion("standard"):
                updates, opt_state = optimizer.update(gradient, opt_state, params)
            params = optax.apply_updates(params, updates)
    heard = []

    class Listen(Monitor):
        def steps(self, first_step, losses):
            heard.extend(losses.tolist())

    fit(clips, config, monitor=Listen())
    np.testing.assert_allclose(heard[:10], losses[:10], rtol=1e-3)


def test_the_bar_shows_the_mean_loss_of_the_running_epoch(clips, monkeypatch):
    shown, heard = {}, {}

    class Bar(loop.tqdm):
        def set_postfix(self, *, epoch, loss, refresh):
            shown[epoch] = float(loss)

    class Listen(Monitor):
        def steps(self, first_step, losses):
            heard.setdefault(first_step // steps + 1, []).extend(losses.tolist())

    config = TrainingConfig(epochs=3, batch_size=4)
    steps = examples_of(clips, config).steps_per_epoch
    monkeypatch.setattr(loop, "tqdm", Bar)
    fit(clips, config, monitor=Listen())
    assert len(heard) == 3
    assert shown == {epoch: pytest.approx(np.mean(losses), abs=1e-4) for epoch, losses in heard.items()}
