import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax import features


def frames(n_frames=70_000):
    rng = np.random.default_rng(0)
    return (rng.normal(size=(n_frames, 3)) * [1.0, 20.0, 0.0] + [-60.0, 5.0, 3.0]).astype(np.float32)


def test_standardize():
    scaled = np.asarray(features.standardize(frames())(jnp.asarray(frames())))
    np.testing.assert_allclose(np.mean(scaled, axis=0, dtype=np.float64), 0.0, atol=1e-4)
    np.testing.assert_allclose(np.std(scaled, axis=0, dtype=np.float64), [1.0, 1.0, 0.0], atol=1e-4)


def test_one_minimum_and_maximum_for_all_bins():
    train = frames()
    scaled = features.min_max(train)(jnp.asarray(train))
    np.testing.assert_allclose(scaled, (train - train.min()) / np.ptp(train), atol=1e-6)
    assert np.min(scaled) == 0.0 and np.max(scaled) == pytest.approx(1.0)


def test_a_minimum_and_maximum_for_each_bin():
    scaled = features.min_max(frames(), per_bin=True)(jnp.asarray(frames()))
    np.testing.assert_allclose(np.min(scaled, axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(np.max(scaled, axis=0), [1.0, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("fit", [features.standardize, features.min_max, lambda x: features.min_max(x, per_bin=True)])
def test_a_constant_keeps_its_scale(fit):
    scaling = fit(np.full((5, 2), 3.0, np.float32))
    np.testing.assert_array_equal(scaling.scale, 1.0)
    np.testing.assert_array_equal(scaling(jnp.full((2, 2), 4.0)), 1.0)


def test_unseen_values_are_not_clipped():
    scaling = features.min_max(np.asarray([[0.0], [2.0]], np.float32))
    np.testing.assert_array_equal(scaling(jnp.asarray([[-1.0], [3.0]])), [[-0.5], [1.5]])


def test_scaling_is_a_pytree():
    scaling = features.min_max(frames())
    leaves = jax.tree.leaves(scaling)
    assert [leaf.dtype for leaf in leaves] == [np.float32] * 2
    clips = jnp.asarray(frames(8).reshape(2, 4, 3))
    np.testing.assert_allclose(jax.jit(lambda s, x: s(x))(scaling, clips), scaling(clips), atol=1e-6)
