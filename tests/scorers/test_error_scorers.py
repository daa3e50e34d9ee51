"""Scorers of window errors and the pooling rules they share with window scores, against hand-computed values."""

import numpy as np
import pytest

from asd_jax import scorers
from asd_jax.errors import InputError

ERRORS = np.array([[1.0, 4.0, 2.0], [3.0, 5.0, np.nan]], np.float32)


def test_max_takes_the_largest_window_that_a_clip_has():
    np.testing.assert_array_equal(scorers.fit("max", ERRORS).score(ERRORS), [4.0, 5.0])


def test_gwrp_weights_windows_by_rank():
    expected = [(4 + 0.5 * 2 + 0.25 * 1) / 1.75, (5 + 0.5 * 3) / 1.5]
    np.testing.assert_allclose(scorers.fit("gwrp", ERRORS, decay=0.5).score(ERRORS), expected)


@pytest.mark.parametrize(("decay", "name"), [(1.0, "mse"), (0.0, "max")])
def test_gwrp_lies_between_the_mean_and_the_maximum(decay, name):
    np.testing.assert_allclose(
        scorers.fit("gwrp", ERRORS, decay=decay).score(ERRORS), scorers.fit(name, ERRORS).score(ERRORS)
    )


def test_gwrp_comes_back_with_its_decay():
    state = scorers.to_state(scorers.fit("gwrp", ERRORS, decay=0.5))
    assert state == {"decay": 0.5}
    np.testing.assert_array_equal(
        scorers.from_state("gwrp", state).score(ERRORS), scorers.fit("gwrp", ERRORS, decay=0.5).score(ERRORS)
    )


@pytest.mark.parametrize(("rule", "scorer"), [("mean", "mse"), ("max", "max"), ("gwrp", "gwrp")])
def test_pooling_rules_are_those_of_the_error_scorers(rule, scorer):
    np.testing.assert_array_equal(scorers.pool(rule, ERRORS), scorers.fit(scorer, ERRORS).score(ERRORS))


def test_unknown_rule_and_bad_decay():
    with pytest.raises(InputError, match="no pooling rule 'median'; there are mean, max, gwrp"):
        scorers.pool("median", ERRORS)
    with pytest.raises(InputError, match="decay=2"):
        scorers.fit("gwrp", ERRORS, decay=2.0).score(ERRORS)
