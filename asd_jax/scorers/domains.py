"""Source and target domain of training vectors: how to tell whether there are two, and more vectors of the rarer one.

Domains are conditions of normal recordings (speeds, rooms), of which the target's are few; they are no anomaly labels.
"""

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.scorers.distances import squared_distances


def parts(is_target: Bool[np.ndarray, " n"] | None) -> list[Bool[np.ndarray, " n"]]:
    """Masks of the source's and the target's vectors; none where there are not both."""
    if is_target is None or is_target.all() or not is_target.any():
        return []
    return [~is_target, is_target]


def smote(
    vectors: Float[np.ndarray, "n dim"],
    is_target: Bool[np.ndarray, " n"] | None,
    ratio: float,
    *,
    n_neighbors: int = 2,
    seed: int = 0,
) -> tuple[Float[np.ndarray, "m dim"], Bool[np.ndarray, " m"] | None]:
    """The vectors, and synthetic ones of the target until they are `ratio` times as many as those of the source.

    Each lies between one target vector and one of its nearest other target vectors (Chawla et al., "SMOTE", 2002).
    Nothing is added where there are enough, or fewer than two.
    """
    if not ratio or not parts(is_target):
        return vectors, is_target
    target = vectors[is_target]
    n_more = int(ratio * (~is_target).sum()) - len(target)
    if n_more <= 0 or len(target) < 2:
        return vectors, is_target
    distances = squared_distances(target, target)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, : min(n_neighbors, len(target) - 1)]
    rng = np.random.default_rng([seed, 11])
    first = rng.integers(len(target), size=n_more)
    other = nearest[first, rng.integers(nearest.shape[1], size=n_more)]
    more = target[first] + rng.uniform(size=(n_more, 1)) * (target[other] - target[first])
    return np.concatenate([vectors, more]), np.concatenate([is_target, np.ones(n_more, bool)])
