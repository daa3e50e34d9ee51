import numpy as np
import pytest

from asd_jax.representations.bottleneck import smallest_within_one_standard_error


@pytest.mark.parametrize(
    ("means", "chosen"),
    [
        ({2: 0.9, 4: 0.65, 8: 0.6, 16: 0.58}, 8),  # 0.58 + 0.05 reaches 0.6 and not 0.65
        ({2: 0.62, 4: 0.6, 8: 0.7}, 2),
        ({2: 0.9, 4: 0.8, 8: 0.5}, 8),
        ({8: 0.6, 2: 0.6}, 2),  # in any order
    ],
)
def test_the_smallest_within_one_standard_error_of_the_best(means, chosen):
    spread = np.tile([-1.0, 1.0], 8) * 0.05 * np.sqrt(15)  # a standard error of 0.05 over 16 clips
    errors = {size: mean + spread for size, mean in means.items()}
    assert smallest_within_one_standard_error(errors) == chosen


def test_a_single_validation_clip_has_no_error_bar():
    assert smallest_within_one_standard_error({2: np.array([0.7]), 4: np.array([0.6])}) == 4
