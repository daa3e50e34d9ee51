"""Pooling of window scores to one score a clip, by rules with names."""

import numpy as np
from jaxtyping import Float

from asd_jax.errors import InputError

GWRP_DECAY = 0.95


def mean(windows: Float[np.ndarray, "n_clips max_windows"]) -> Float[np.ndarray, " n_clips"]:
    """Mean over the windows of each clip; NaN marks windows that a clip does not have, here and below."""
    return np.nanmean(windows, axis=1, dtype=np.float64)


def maximum(windows: Float[np.ndarray, "n_clips max_windows"]) -> Float[np.ndarray, " n_clips"]:
    """Largest window of each clip."""
    return np.nanmax(windows, axis=1).astype(np.float64)


def gwrp(
    windows: Float[np.ndarray, "n_clips max_windows"], *, decay: float = GWRP_DECAY
) -> Float[np.ndarray, " n_clips"]:
    """Global weighted rank pooling (Kolesnikov and Lampert, 2016): windows in descending order, averaged with the
    weights `decay ** rank`, which sum to one over the windows that a clip has.

    A decay of 1 is the mean and of 0 the maximum; 0.95 looks at the twenty highest windows or so.
    """
    if not 0 <= decay <= 1:
        raise InputError(f"gwrp: decay={decay}; give a number from 0 to 1")
    ranked = -np.sort(-np.asarray(windows, np.float64), axis=1)  # NaN sorts last
    weights = np.where(np.isnan(ranked), 0.0, np.power(float(decay), np.arange(ranked.shape[1])))
    return np.nansum(ranked * weights, axis=1) / weights.sum(axis=1)


RULES = {"mean": mean, "max": maximum, "gwrp": gwrp}


def pool(rule: str, windows: Float[np.ndarray, "n_clips max_windows"]) -> Float[np.ndarray, " n_clips"]:
    """Clip scores by one of `RULES`; an InputError lists them."""
    if rule not in RULES:
        raise InputError(f"no pooling rule {rule!r}; there are {', '.join(RULES)}")
    return RULES[rule](windows)
