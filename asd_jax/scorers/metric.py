"""What distances of vectors are measured on: the vectors, or their directions."""

from typing import Any

import numpy as np

from asd_jax.errors import InputError

METRICS = ("euclidean", "cosine")


def checked_metric(metric: str) -> str:
    """The metric; an InputError where it is none."""
    if metric not in METRICS:
        raise InputError(f"`metric={metric}`: give {' or '.join(METRICS)}")
    return metric


def as_measured(vectors: Any, metric: str, xp: Any = np) -> Any:
    """For `cosine` the vectors `(n, dim)` at length 1, else as they are; `xp` is `numpy` or `jax.numpy`.

    Euclidean distances of directions are √(2 - 2 cos), which the field calls cosine distances.
    """
    if metric == "euclidean":
        return vectors
    return vectors / xp.maximum(xp.sqrt(xp.square(vectors).sum(axis=1, keepdims=True)), 1e-12)
