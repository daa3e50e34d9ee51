import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from asd_jax.training.ensembles import Member, fit_members
from asd_jax.training.plan import TrainingConfig, epoch_order, make_plan

from asd_jax.features.scaling import standardize
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import DenseAutoencoderConfig, LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.representations.residual import Residual
from asd_jax.training import ensembles
from asd_jax.training import loop as training
from asd_jax.training.checkpoints import RunCheckpoints

MODELS = {
    "dense": DenseAutoencoderConfig(hidden_size=8, n_layers=1, bottleneck_size=3),
    "lstm": LSTMPredictorConfig(hidden_size=6, n_layers=1, context_frames=3, segment_frames=8, segment_hop=5),
}
CONFIG = TrainingConfig(epochs=2, batch_size=8)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    phase = np.arange(40)[:, None] * np.array([0.3, 0.5, 0.7]) + rng.uniform(0, 6, (10, 1, 3))
    return StoredClips.from_clips(list((np.sin(phase) + 0.1 * rng.standard_normal((10, 40, 3))).astype(np.float32)))


@pytest.fixture(scope="module", params=list(MODELS.values()), ids=list(MODELS))
def network(request):
    return Network(request.param, 3)


def make_members(network, clips, config=CONFIG, checkpointers=(None, None)):
    """Two members of different machines: fewer clips make fewer steps, another scaling, another seed."""
    members = []
    for seed, (chosen, checkpointer) in enumerate(zip([range(7), range(7, 10)], checkpointers, strict=True)):
        train, validation = np.asarray(chosen[:-1]), np.asarray(chosen[-1:])
        plan = make_plan(network.config, config, clips, train, validation)
        frames = np.concatenate([clips.clip(int(k)) for k in chosen])
        members.append(Member(plan, standardize(frames), seed, checkpointer))
    return members


def fit_alone(network, clips, member, config=CONFIG):
    return training.fit(network, clips, member.plan, config, scaling=member.scaling, seed=member.seed)


def test_first_gradients_equal_those_alone(network, clips):
    members = make_members(network, clips)
    inputs, params, states = [], [], []
    for member in members:
        starts = jnp.asarray(member.plan.starts[:8])
        inputs.append(
            member.scaling(training.cut_segments(jnp.asarray(clips.values), starts, member.plan.segment_frames))
        )
        state = training.init_train_state(network, CONFIG, 4, key=jax.random.key(member.seed))
        params.append(state.params)
        states.append(state.model_state)

    def gradient(params, model_state, segments):
        return jax.grad(lambda p: network.loss(p, model_state, segments, training=True)[0])(params)

    stack = lambda trees: jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)  # noqa: E731
    together = jax.jit(jax.vmap(gradient))(stack(params), stack(states), stack(inputs))
    alone = jax.jit(gradient)
    for k in range(2):
        for ours, theirs in zip(
            jax.tree.leaves(together), jax.tree.leaves(alone(params[k], states[k], inputs[k])), strict=True
        ):
            np.testing.assert_allclose(ours[k], theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_losses_of_the_first_ten_steps_equal_those_alone(network, clips):
    config = TrainingConfig(batch_size=8, learning_rate=3e-2, schedule="constant")
    members = make_members(network, clips, config)
    states, starts = [], []
    for member in members:
        states.append(training.init_train_state(network, config, 10, key=jax.random.key(member.seed)))
        order = [
            epoch_order(len(member.plan.starts), member.plan.batch_size, seed=member.seed, epoch=e) for e in range(10)
        ]
        starts.append(member.plan.starts[np.concatenate(order)[:10]].astype(np.int32))
    stack = lambda trees: jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)  # noqa: E731
    frames, active, segment_frames = jnp.asarray(clips.values), np.ones(10, bool), members[0].plan.segment_frames
    _, together = ensembles.train_members(
        network, config, jnp.full(2, 10), segment_frames, stack(states), frames,
        stack([member.scaling for member in members]), np.stack(starts), active,
    )  # fmt: skip
    for k, member in enumerate(members):
        _, alone = training.train_steps(
            network, config, 10, segment_frames, states[k], frames, member.scaling, starts[k], active
        )
        assert alone[0] > 1.05 * alone[-1]  # the steps move the parameters
        np.testing.assert_allclose(together[k], alone, rtol=1e-3)


def test_members_learn_as_if_alone(network, clips):
    members = make_members(network, clips)
    assert members[0].plan.n_steps != members[1].plan.n_steps  # the second sits out the rest of each epoch
    together = fit_members(network, clips, members, CONFIG)
    for member, result in zip(members, together, strict=True):
        alone = fit_alone(network, clips, member)
        for ours, theirs in zip(result.progress.history, alone.progress.history, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-3)
        # The same parameters give the same scores; after training two programs agree only statistically.
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-2), result.params, alone.params)


def test_scores_of_the_same_parameters_are_equal(network, clips):
    members = make_members(network, clips)
    results = fit_members(network, clips, members, CONFIG)
    scalings = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[member.scaling for member in members])
    stacked = [jax.tree.map(lambda *leaves: jnp.stack(leaves), *[getattr(r, n) for r in results])
               for n in ("params", "model_state")]  # fmt: skip
    segments = members[0].plan.segment_frames
    starts = np.tile(clips.clip_start.astype(np.int32), (2, 1))
    together = ensembles._validation_losses(network, segments, *stacked, jnp.asarray(clips.values), scalings, starts)
    first = StoredClips.from_clips([clips.clip(k)[:segments] for k in range(len(clips))])
    for k, (member, result) in enumerate(zip(members, results, strict=True)):
        alone = Residual(network, result.params, result.model_state, member.scaling)(first)
        np.testing.assert_allclose(together[k], alone.window_error.mean(axis=1), rtol=1e-5)


def test_early_stopping_is_a_members_own(clips):
    network = Network(MODELS["lstm"], 3)
    config = TrainingConfig(epochs=6, batch_size=8, learning_rate=0.3, schedule="constant", patience=1)
    members = make_members(network, clips, config)
    together = fit_members(network, clips, members, config)
    alone = [fit_alone(network, clips, member, config) for member in members]
    assert [result.progress.epoch for result in together] == [result.progress.epoch for result in alone]
    assert [result.used for result in together] == ["best", "best"]


def test_a_killed_ensemble_goes_on_with_the_member_that_lags(clips, tmp_path):
    network = Network(MODELS["lstm"], 3)

    def run(name, monitor=training.Monitor()):  # noqa: B008
        checkpointers = [RunCheckpoints(tmp_path / name / str(k)) for k in range(2)]
        members = make_members(network, clips, CONFIG, checkpointers)
        return fit_members(network, clips, [dataclasses.replace(m, monitor=monitor) for m in members], CONFIG)

    class Killed(Exception):
        pass

    class Kill(training.Monitor):
        def epoch(self, progress, step):
            raise Killed  # the first member has saved its first epoch, the second has not

    unbroken = run("unbroken")
    with pytest.raises(Killed):
        run("broken", Kill())
    for whole, resumed in zip(unbroken, run("broken"), strict=True):
        assert whole.progress == resumed.progress
        jax.tree.map(np.testing.assert_array_equal, whole.params, resumed.params)


def test_members_of_unlike_batches_are_refused(clips):
    network = Network(MODELS["dense"], 3)
    members = make_members(network, clips)
    small = make_plan(network.config, TrainingConfig(batch_size=4), clips, np.arange(3), np.arange(3, 4))
    with pytest.raises(ValueError, match="one batch size"):
        fit_members(network, clips, [members[0], Member(small, members[1].scaling, 1)], CONFIG)
