"""Squared Euclidean distances by one matrix product."""

from typing import Any

import numpy as np
from jaxtyping import Float


def squared_distances(a: Any, b: Float[np.ndarray, "m dim"], xp: Any = np) -> Any:
    """`|a|² + |b|² - 2 a·b`, in the precision of `a` and never below zero: `(n, m)`.

    Both are first shifted by the mean of `b`, so that a common offset costs no digits.

    Args:
        a: `(n, dim)`, an array of `xp`.
        b: `(m, dim)`.
        xp: `numpy` or `jax.numpy`.
    """
    shift = b.mean(axis=0)
    a, b = a - shift[None, :], b - shift[None, :]
    result = a @ b.T  # in place from here: among ten thousand vectors it takes 800 MB
    result *= -2
    result += xp.einsum("nd,nd->n", a, a)[:, None]
    result += np.einsum("md,md->m", b, b)[None, :]
    return np.maximum(result, 0.0, out=result) if xp is np else xp.maximum(result, 0.0)
