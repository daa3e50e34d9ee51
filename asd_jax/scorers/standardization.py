"""Zero mean and unit variance of vectors, fitted on normal clips: the first step of every vector scorer."""

from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.errors import InputError


def checked(vectors: Float[np.ndarray, "n dim"], *, scorer: str, at_least: int = 1) -> Float[np.ndarray, "n dim"]:
    """The vectors in float64.

    Raises:
        InputError: not one vector a row, not finite, or fewer than `at_least`.
    """
    vectors = np.asarray(vectors, np.float64)
    if vectors.ndim != 2:
        raise InputError(f"{scorer} reads vectors of shape (n, dim), got {vectors.shape}")
    if len(vectors) < at_least:
        raise InputError(f"{scorer} needs at least {at_least} normal clips of a machine id, got {len(vectors)}")
    if not np.isfinite(vectors).all():
        bad = int((~np.isfinite(vectors).all(axis=1)).sum())
        raise InputError(f"{scorer}: {bad} of {len(vectors)} vectors hold NaN or infinity")
    return vectors


def standardization(
    vectors: Float[np.ndarray, "n dim"], *, standardize: bool = True
) -> tuple[Float[np.ndarray, " dim"], Float[np.ndarray, " dim"]]:
    """Mean and reciprocal standard deviation of each dimension, such that `(vectors - mean) * scale` is standard.

    Args:
        vectors: of normal clips.
        standardize: False leaves vectors as they are: zeros and ones.
    """
    dim = vectors.shape[1]
    if not standardize:
        return np.zeros(dim), np.ones(dim)
    std = vectors.std(axis=0)
    return vectors.mean(axis=0), 1 / np.where(std > 1e-12, std, 1.0)  # a dimension that never moves keeps its unit


def apply(
    vectors: Float[np.ndarray, "n width"],
    mean: Float[np.ndarray, " dim"],
    scale: Float[np.ndarray, " dim"],
    scorer: str,
) -> Float[np.ndarray, "n dim"]:
    """Standardised vectors; an InputError where their width is not the fitted one."""
    return standardized(fitting(vectors, len(mean), scorer), mean, scale)


def fitting(vectors: Float[np.ndarray, "n width"], dim: int, scorer: str) -> Float[np.ndarray, "n dim"]:
    """The vectors in float64; an InputError where their width is not the fitted one, and as in `checked`."""
    vectors = checked(vectors, scorer=scorer)
    if vectors.shape[1] != dim:
        raise InputError(f"{scorer} was fitted on vectors of {dim} values, got {vectors.shape[1]}")
    return vectors


def standardized(vectors: Any, mean: Float[np.ndarray, " dim"], scale: Float[np.ndarray, " dim"]) -> Any:
    """`(vectors - mean) * scale` of vectors `(n, dim)`, NumPy's or JAX's.

    The mean is taken away in two parts: one of -50 dB, rounded to float32, is off by a hundred thousandth of a standard
    deviation, which a covariance that is nearly singular raises a hundredfold.
    """
    coarse = mean.astype(np.float32)
    fine = mean - coarse
    return ((vectors - coarse[None, :]) - fine[None, :]) * scale[None, :]
