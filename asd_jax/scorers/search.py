"""Settings of a scorer chosen on normal clips alone: no label is looked at.

A candidate is fitted on four fifths of the clips and judged on the rest, five times over.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from asd_jax.errors import InputError

NOMINAL_REJECTION = 0.1  # share of normal clips that the boundary of LOF and k-NN may leave outside
_N_FOLDS = 5

Vectors = Float[np.ndarray, "n dim"]
Fit = Callable[..., Any]


def search(
    name: str,
    fit: Fit,
    vectors: Vectors,
    *,
    seed: int,
    groups: Int[np.ndarray, " n"] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Choose the settings of a scorer that are worth choosing; those that are given stay as they are.

    `gmm`: the number of components and the kind of covariance with the highest held-out likelihood. `ocsvm`: the
    largest gamma, the tightest boundary, whose rejection of held-out clips stays within one standard error of nu.
    `lof` and `knn`: by the same rule the smallest number of neighbours, the most local view, with the boundary at
    the 0.9 quantile of leave-one-out scores. A tuple of values for nu is chosen from: the one that allows the largest
    gamma, or with gamma fixed the one whose rejection stays within its bound or exceeds it least; the first of equals.

    Args:
        name: of the scorer, such as `gmm` or `pca+gmm`.
        fit: `scorers.fit`.
        vectors: of normal clips.
        seed: of the folds.
        groups: number of the recording that each vector comes from; folds keep a recording together, unless there is
            only one. Each vector is its own by default.
        settings: fixed beforehand.

    Returns:
        the chosen settings, without the fixed ones.

    Raises:
        InputError: the scorer has nothing to choose, or there are fewer than ten clips to choose with.
    """
    base = name.removeprefix("pca+")
    if base not in GRIDS:
        raise InputError(f"`search`: scorer {name} has no settings to choose; {', '.join(GRIDS)} have")
    if len(vectors) < 2 * _N_FOLDS:
        raise InputError(f"`search` needs at least {2 * _N_FOLDS} normal clips of a machine id, got {len(vectors)}")
    candidates = list(grid(name, vectors, settings))
    if groups is None or groups.max() == 0:
        groups = np.arange(len(vectors))
    n_folds = min(_N_FOLDS, int(groups.max()) + 1)
    fold = np.random.default_rng([seed, 5]).permutation(groups.max() + 1)[groups] % n_folds

    def folds() -> Iterator[tuple[Vectors, Vectors]]:
        for k in range(n_folds):
            yield vectors[fold != k], vectors[fold == k]

    if base == "gmm":
        costs = [
            np.mean([fit(name, train, **settings, **c).score(unseen).mean() for train, unseen in folds()])
            for c in candidates
        ]
        return candidates[int(np.argmin(costs))]

    def tightest(fixed: dict[str, Any]) -> tuple[int, float]:
        """Index of the last candidate within the bound, from the widest on, and the excess of the first, negated."""
        nominal = fixed.get("nu", NOMINAL_REJECTION)
        allowed = nominal + np.sqrt(nominal * (1 - nominal) / len(vectors))
        for index, candidate in enumerate(candidates):
            rejected = [_rejected(fit(name, train, **fixed, **candidate), unseen) for train, unseen in folds()]
            excess = np.concatenate(rejected).mean() - allowed
            if excess > 0:
                return max(index - 1, 0), -excess if index == 0 else 0.0
        return len(candidates) - 1, 0.0

    nu = settings.pop("nu", None)
    given = [{"nu": value} for value in (nu if isinstance(nu, tuple) else (nu,)) if value is not None] or [{}]
    found = [tightest(settings | fixed) for fixed in given]
    best = max(range(len(given)), key=found.__getitem__)
    return (given[best] if isinstance(nu, tuple) else {}) | candidates[found[best][0]]


def _rejected(scorer: Any, unseen: Vectors) -> np.ndarray:
    """Which held-out vectors lie outside a scorer's boundary."""
    inner = getattr(scorer, "inner", scorer)
    limit = np.quantile(inner.leave_one_out(), 1 - NOMINAL_REJECTION) if hasattr(inner, "leave_one_out") else 0.0
    return scorer.score(unseen) > limit


GRIDS: Mapping[str, Mapping[str, tuple]] = {
    "gmm": {"n_components": (1, 2, 4), "covariance_type": ("full", "tied", "diag")},
    "ocsvm": {"gamma": tuple(2.0**power for power in range(-8, 5))},  # times 1 / (dim * variance)
    "lof": {"n_neighbors": (40, 30, 20, 15, 10, 7, 5, 4, 3, 2)},
    "knn": {"n_neighbors": (40, 20, 10, 7, 5, 4, 3, 2, 1)},
}


def grid(name: str, vectors: Vectors, settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Settings that can be chosen between, from the smoothest description of the normal clips to the tightest."""
    grids = GRIDS[name.removeprefix("pca+")]
    free = {key: values for key, values in grids.items() if key not in settings}
    for values in itertools.product(*free.values()):
        candidate = dict(zip(free, values, strict=True))
        if "gamma" in candidate:
            candidate["gamma"] = f"{candidate['gamma']:g}*scale"
        yield candidate
