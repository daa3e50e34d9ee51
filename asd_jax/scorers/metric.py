"""What distances of vectors are measured on: the vectors, or their directions."""

import numpy as np
from jaxtyping import Float

from asd_jax.errors import InputError

METRICS = ("euclidean", "cosine")


def checked_metric(metric: str) -> str:
    """The metric; an InputError where it is none."""
    if metric not in METRICS:
        raise InputError(f"`metric={metric}`: give {' or '.join(METRICS)}")
    return metric


def as_measured(vectors: Float[np.ndarray, "n dim"], metric: str) -> Float[np.ndarray, "n dim"]:
    """For `cosine` the vectors at length 1, else as they are.

    Euclidean distances of directions are √(2 - 2 cos), which the field calls cosine distances.
    """
    if metric == "euclidean":
        return vectors
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
