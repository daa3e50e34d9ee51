"""Objectives that tell classes apart, against losses and gradients of the published code and hand-worked values."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax.datasets import Clip
from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips
from asd_jax.training import objectives
from asd_jax.training.objectives import AdaProj, ArcFace, SubClusterAdaCos
from asd_jax.training.objectives.classification import mixed

CASES = {
    "scadacos/fixed": SubClusterAdaCos(n_centres=4),
    "scadacos/dynamic": SubClusterAdaCos(n_centres=4, dynamic=True),
    "adaproj/fixed": AdaProj(subspace_size=3),
    "adaproj/dynamic": AdaProj(subspace_size=3, dynamic=True),
}
CLASSES = [of for of in objectives.REGISTRY.values() if of.reads == "embedding"]


@pytest.mark.parametrize("name", CASES)
def test_losses_scales_and_gradients_are_those_of_the_published_code(name, real_data):
    golden = np.load(real_data / "discriminative_golden" / "losses.npz")
    objective = CASES[name]
    (param,) = objective.init(5, 16, key=jax.random.key(0))[0]
    scale = objective.init(5, 16, key=jax.random.key(0))[1]["scale"]
    assert float(scale) == pytest.approx(float(golden[f"{name}/scale_before"]), rel=1e-6)

    def loss(embedding, weight):
        losses, state = objective.class_losses(
            {param: weight}, {"scale": scale}, embedding, jnp.asarray(golden["mixed"]), training=True
        )
        return losses.mean(), state["scale"]

    arguments = jnp.asarray(golden["embedding"]), jnp.asarray(golden[f"{name}/weight"])
    (value, after), gradients = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))(*arguments)
    assert float(value) == pytest.approx(float(golden[f"{name}/loss"]), rel=1e-5)
    assert float(after) == pytest.approx(float(golden[f"{name}/scale_after"]), rel=1e-5)
    for found, part in zip(gradients, ("embedding", "weight"), strict=True):
        wanted = golden[f"{name}/{part}_gradient"]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def test_the_dynamic_scale_of_two_centres_by_hand():
    """Two classes of one centre each, at right angles; an example on the first one's side, at 60 degrees."""
    objective = SubClusterAdaCos(n_centres=1, dynamic=True)
    embedding = jnp.asarray([[0.5, math.sqrt(3) / 2, 0.0]])
    params = {"centres": jnp.asarray([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])}
    _, state = objective.class_losses(
        params, {"scale": jnp.asarray(2.0)}, embedding, jnp.asarray([[0.0, 1.0]]), training=True
    )
    total = math.exp(2 * 0.5) + math.exp(2 * math.sqrt(3) / 2)
    assert float(state["scale"]) == pytest.approx(math.log(total) / math.cos(math.pi / 6), rel=1e-5)  # the angle is 30


def test_arcface_widens_the_angle_of_the_own_class_alone():
    objective = ArcFace(margin=0.3, scale=5.0)
    params = {"centres": jnp.asarray([[2.0, 0.0], [0.0, 3.0]])}
    embedding, labels = jnp.asarray([[0.6, 0.8]]), jnp.asarray([[1.0, 0.0]])
    own, other = math.acos(0.6), math.acos(0.8)
    for training, angle in ((True, own + 0.3), (False, own)):
        loss, _ = objective.class_losses(params, {}, embedding, labels, training=training)
        logits = 5 * math.cos(angle), 5 * math.cos(other)
        assert float(loss[0]) == pytest.approx(
            math.log(math.exp(logits[0]) + math.exp(logits[1])) - logits[0], rel=1e-4
        )


@pytest.mark.slow
def test_adaproj_learns_from_two_classes_whose_fixed_scale_would_be_zero():
    objective = AdaProj(subspace_size=2)
    params, state = objective.init(2, 6, key=jax.random.key(0))
    assert float(state["scale"]) == 0
    labels = jax.nn.one_hot(jnp.asarray([0, 1, 0]), 2)
    embedding = jax.random.normal(jax.random.key(1), (3, 6))
    losses, after = objective.class_losses(params, state, embedding, labels, training=True)
    assert float(after["scale"]) > 0.5 and float(losses.mean()) != pytest.approx(math.log(2))
    again, kept = objective.class_losses(params, after, embedding, labels, training=False)
    assert kept == after and np.isfinite(again).all()


@pytest.mark.slow
@pytest.mark.parametrize("objective", CLASSES, ids=lambda of: of.name)
def test_the_right_class_costs_less_and_labels_that_are_mixed_lie_between(objective):
    params, state = objective().init(4, 8, key=jax.random.key(0))
    weights = jax.tree.leaves(params)[0]
    toward = weights[0].sum(axis=0) if weights.ndim == 3 else weights[:, 0]  # class 0's own direction

    def loss(labels):
        return float(objective().class_losses(params, state, toward[None], labels, training=False)[0][0])

    right, wrong = (jax.nn.one_hot(jnp.asarray([k]), 4) for k in (0, 2))
    assert loss(right) < loss(wrong)
    assert loss(0.3 * right + 0.7 * wrong) == pytest.approx(0.3 * loss(right) + 0.7 * loss(wrong), rel=1e-4)


def test_mixing_keeps_labels_whole_and_mixes_sound_alike():
    waveforms, labels = jnp.eye(64), jnp.eye(64)  # so that a waveform says what it was mixed of
    sound, classes = mixed(waveforms, labels, 0.5, key=jax.random.key(0))
    np.testing.assert_allclose(sound, classes)
    np.testing.assert_allclose(classes.sum(axis=1), 1, rtol=1e-6)
    n_mixed = int(((classes > 0).sum(axis=1) == 2).sum())
    assert 16 <= n_mixed <= 48
    np.testing.assert_array_equal(mixed(waveforms, labels, 0.0, key=jax.random.key(0))[0], waveforms)


def test_classes_come_from_what_names_say_and_never_from_labels():
    clips = [
        Clip("a", "id_00", "train", machine_type="fan"),
        Clip("b", "id_00", "train", machine_type="pump"),
        Clip("c", "id_00", "train", machine_type="fan", domain="target"),
        Clip("d", "id_00", "train", machine_type="fan", attributes="speed_3"),
        Clip("e", "id_00", "train", machine_type="fan"),
    ]
    targets = SubClusterAdaCos().targets(clips)
    assert len(set(targets[:4])) == 4 and targets[4] == targets[0]
    labelled = [dataclasses.replace(clip, is_anomaly=True) for clip in clips]
    np.testing.assert_array_equal(SubClusterAdaCos().targets(labelled), targets)


@pytest.mark.parametrize("objective", CLASSES, ids=lambda of: of.name)
def test_an_embedding_of_zeros_has_finite_gradients(objective):
    params, state = objective().init(3, 8, key=jax.random.key(0))

    def loss(params, embedding):
        return objective().class_losses(params, state, embedding, jnp.eye(3)[:1], training=True)[0].sum()

    assert all(
        np.isfinite(of).all() for of in jax.tree.leaves(jax.jit(jax.grad(loss, (0, 1)))(params, jnp.zeros((1, 8))))
    )


def test_knowing_nothing_costs_the_logarithm_of_the_number_of_equal_classes():
    targets, clips = np.repeat(np.arange(4), 25), StoredClips.from_clips([np.zeros(1, np.float32)])
    loss = SubClusterAdaCos().reference_loss(clips, np.arange(100), np.arange(0, 100, 10), None, targets)
    assert loss == pytest.approx(math.log(4), rel=1e-6)


@pytest.mark.parametrize(
    "make",
    [lambda: SubClusterAdaCos(mixup=1.5), lambda: SubClusterAdaCos(n_centres=0), lambda: AdaProj(subspace_size=0)],
)
def test_settings_that_cannot_be_are_named(make):
    with pytest.raises(InputError, match="give a"):
        make()
