"""Scorers: from a representation to an anomaly score a clip; higher is more anomalous.

A scorer is one file with a frozen dataclass, and one line in `REGISTRY`. It names what it `reads` (`window_error` or
`vector`), `fit` makes it from normal clips, `score` applies it, and its fields are all that it needs to be saved.
"""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.mahalanobis import Mahalanobis
from asd_jax.scorers.mse import MeanSquaredError

REGISTRY = {scorer.name: scorer for scorer in (MeanSquaredError, Mahalanobis)}


def fit(name: str, values: Float[np.ndarray, "n_clips dim"], **settings: Any) -> Any:
    """Fit a scorer on the values of normal clips.

    Args:
        name: one of `REGISTRY`.
        values: `(n_clips, dim)` vectors, or for error scorers `(n_clips, max_windows)` window errors with NaN where
            a clip has no such window.
        settings: of the scorer.

    Raises:
        ValueError: no scorer of that name.
    """
    return get(name).fit(values, **settings)


def get(name: str) -> type:
    """The scorer's class; a ValueError lists the names there are."""
    if name not in REGISTRY:
        raise ValueError(f"no scorer named {name!r}; there are {', '.join(sorted(REGISTRY))}")
    return REGISTRY[name]


def to_state(scorer: Any) -> dict[str, Any]:
    """Fields of a fitted scorer: arrays and plain values."""
    return {field.name: getattr(scorer, field.name) for field in dataclasses.fields(scorer)}


def from_state(name: str, state: dict[str, Any]) -> Any:
    """The scorer that `to_state` described."""
    return get(name)(**state)
