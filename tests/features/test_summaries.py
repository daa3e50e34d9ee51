import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax.features import summaries

FRAMES = np.random.default_rng(0).normal(size=(2, 7, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (summaries.mean, FRAMES.mean(axis=1)),
        (summaries.std, FRAMES.std(axis=1)),
        (summaries.maximum, FRAMES.max(axis=1)),
        (lambda x: summaries.twfr(x, r=1.0), FRAMES.mean(axis=1)),
        (lambda x: summaries.twfr(x, r=0.0), FRAMES.max(axis=1)),
    ],
    ids=["mean", "std", "max", "twfr of 1", "twfr of 0"],
)
def test_over_time(summary, expected):
    np.testing.assert_allclose(summary(jnp.asarray(FRAMES)), expected, rtol=1e-5, atol=1e-6)


def test_twfr_by_hand():
    # (3 + 2 / 2 + 1 / 4) / (1 + 1/2 + 1/4), and the mean of the other feature, whose r is 1.
    frames = jnp.asarray([[1.0, 5.0], [3.0, 6.0], [2.0, 10.0]])
    actual = summaries.twfr(frames, r=jnp.asarray([0.5, 1.0]))
    np.testing.assert_allclose(actual, [17 / 7, 7.0], rtol=1e-6)


@pytest.mark.parametrize("r", [-0.1, 1.1])
def test_twfr_weights_lie_between_maximum_and_mean(r):
    with pytest.raises(ValueError, match="r="):
        summaries.twfr(jnp.asarray(FRAMES), r=r)


def test_gradients_are_finite_where_time_is_constant():
    for summary in (summaries.mean, summaries.std, summaries.maximum, summaries.twfr):
        assert np.isfinite(jax.grad(lambda x, summary=summary: summary(x).sum())(jnp.ones((4, 2)))).all()
