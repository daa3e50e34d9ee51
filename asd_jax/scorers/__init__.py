"""An anomaly score a clip, out of its vectors or window errors; higher is more anomalous.

A scorer is one file with a frozen dataclass, and one line in `REGISTRY`. It names what it `reads` (`window_error` or
`vector`), `fit` makes it from normal clips, `score` applies it, and its fields are all that it needs to be saved:
arrays and plain values, from which a load builds an equal scorer and runs no code of the file's author. Vector
scorers also score windows, whose scores `pool` brings together; those marked `clip_level` do not. `pca+NAME` puts
principal components before a vector scorer. Those that `knows_domains` are told which clips are of a target domain
where a release says so.

Where `score` is a `formula` of the operations of NumPy or of `jax.numpy`, the same formula is what is exported.
"""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from asd_jax.errors import InputError
from asd_jax.scorers import search as _search
from asd_jax.scorers.gmm import Mixture
from asd_jax.scorers.gwrp import RankPooledError
from asd_jax.scorers.iforest import IsolationForestScorer
from asd_jax.scorers.kmeans import NearestCentre
from asd_jax.scorers.knn import NearestNeighborsScorer
from asd_jax.scorers.knn_rescaled import RescaledNearestNeighbor
from asd_jax.scorers.lof import LocalOutlierFactorScorer
from asd_jax.scorers.mahalanobis import Mahalanobis
from asd_jax.scorers.max_error import MaximumError
from asd_jax.scorers.mse import MeanSquaredError
from asd_jax.scorers.ocsvm import OneClassSVMScorer
from asd_jax.scorers.pca import AfterPCA
from asd_jax.scorers.pooling import RULES as POOLING_RULES
from asd_jax.scorers.pooling import pool
from asd_jax.scorers.selective_mahalanobis import SelectiveMahalanobis
from asd_jax.scorers.svm import SupportVectorMachine

REGISTRY = {
    scorer.name: scorer
    for scorer in (
        MeanSquaredError,
        MaximumError,
        RankPooledError,
        Mahalanobis,
        NearestCentre,
        Mixture,
        OneClassSVMScorer,
        IsolationForestScorer,
        LocalOutlierFactorScorer,
        NearestNeighborsScorer,
        RescaledNearestNeighbor,
        SelectiveMahalanobis,
    )
}

# Those that learn from labelled anomalous clips, which no label-free run offers.
SUPERVISED = {SupportVectorMachine.name: SupportVectorMachine}

__all__ = ["POOLING_RULES", "REGISTRY", "SUPERVISED", "fit", "from_state", "get", "pool", "search", "to_state"]

_PCA, _INNER = "pca+", "inner_"


def fit(name: str, values: Float[np.ndarray, "n_clips dim"], **settings: Any) -> Any:
    """Fit a scorer on the values of normal clips.

    Args:
        name: one of `REGISTRY`, a vector scorer also as `pca+NAME`.
        values: `(n_clips, dim)` vectors, or for error scorers `(n_clips, max_windows)` window errors with NaN where
            a clip has no such window.
        settings: of the scorer, and for `pca+NAME` those of `AfterPCA.fit`.

    Raises:
        InputError: no scorer of that name, a setting it does not have, or values that it cannot be fitted on.
    """
    scorer = get(name)
    try:
        return AfterPCA.fit(scorer, values, **settings) if name.startswith(_PCA) else scorer.fit(values, **settings)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise InputError(f"{name}: {str(error).split('() ')[-1]}") from error


def search(
    name: str,
    values: Float[np.ndarray, "n_clips dim"],
    *,
    seed: int = 0,
    groups: Int[np.ndarray, " n_clips"] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Settings chosen on normal clips alone, without labels; see `search.search`."""
    return _search.search(name, fit, values, seed=seed, groups=groups, **settings)


def get(name: str) -> type:
    """The scorer's class, for `pca+NAME` that of NAME.

    Raises:
        InputError: no scorer of that name, or PCA before one that reads no vectors.
    """
    if name in SUPERVISED:
        return SUPERVISED[name]
    base = name.removeprefix(_PCA)
    if base not in REGISTRY:
        raise InputError(f"no scorer named {name!r}; there are {', '.join(REGISTRY)}, and pca+NAME")
    if base != name and REGISTRY[base].reads != "vector":
        raise InputError(f"{name}: {base} reads window errors, which have no principal components")
    return REGISTRY[base]


def to_state(scorer: Any) -> dict[str, Any]:
    """Fields of a fitted scorer: arrays and plain values."""
    state = {field.name: getattr(scorer, field.name) for field in dataclasses.fields(scorer)}
    if "inner" in state:
        state |= {_INNER + key: value for key, value in to_state(state.pop("inner")).items()}
    return state


def from_state(name: str, state: dict[str, Any]) -> Any:
    """The scorer that `to_state` described."""
    if not name.startswith(_PCA):
        return get(name)(**state)
    inner = {key.removeprefix(_INNER): value for key, value in state.items() if key.startswith(_INNER)}
    own = {key: value for key, value in state.items() if not key.startswith(_INNER)}
    return AfterPCA(**own, inner=get(name)(**inner))
