"""Pooling of window scores to one score a clip, by rules with names."""

from typing import Any

import numpy as np

from asd_jax.errors import InputError

GWRP_DECAY = 0.95


def mean(windows: Any, *, xp: Any = np) -> Any:
    """Mean over the windows of each clip, `(n_clips, max_windows)`; NaN marks windows that a clip does not have.

    Here and below `xp` is `numpy`, which then reckons in float64, or `jax.numpy`.
    """
    return xp.nanmean(_wide(windows, xp), axis=1)


def maximum(windows: Any, *, xp: Any = np) -> Any:
    """Largest window of each clip."""
    return xp.nanmax(_wide(windows, xp), axis=1)


def gwrp(windows: Any, *, decay: float = GWRP_DECAY, xp: Any = np) -> Any:
    """Global weighted rank pooling (Kolesnikov and Lampert, 2016): windows in descending order, averaged with the
    weights `decay ** rank`, which sum to one over the windows that a clip has.

    A decay of 1 is the mean and of 0 the maximum; 0.95 looks at the twenty highest windows or so.
    """
    if not 0 <= decay <= 1:
        raise InputError(f"gwrp: decay={decay}; give a number from 0 to 1")
    ranked = -xp.sort(-_wide(windows, xp), axis=1)  # NaN sorts last
    by_rank = np.power(float(decay), np.arange(ranked.shape[1]))[None, :]
    weights = xp.where(xp.isnan(ranked), 0.0, by_rank)
    return xp.nansum(ranked * weights, axis=1) / weights.sum(axis=1)


def _wide(windows: Any, xp: Any) -> Any:
    return np.asarray(windows, np.float64) if xp is np else windows


RULES = {"mean": mean, "max": maximum, "gwrp": gwrp}


def pool(rule: str, windows: Any, *, xp: Any = np) -> Any:
    """Clip scores by one of `RULES`; an InputError lists them."""
    if rule not in RULES:
        raise InputError(f"no pooling rule {rule!r}; there are {', '.join(RULES)}")
    return RULES[rule](windows, xp=xp)
