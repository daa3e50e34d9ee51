"""Distance to the nearest of a few centres."""

import dataclasses
import warnings
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.scorers import domains
from asd_jax.scorers.distances import squared_distances
from asd_jax.scorers.standardization import checked, fitting, standardization, standardized


@dataclasses.dataclass(frozen=True)
class NearestCentre:
    """Euclidean distance of a standardised vector to the nearest k-means centre; with one centre, to the mean.

    Where there are vectors of a source and of a target domain, centres are found among the source's, and every vector
    of the target is a centre of its own.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        centres: `(n_clusters, dim)` in standardised units.
    """

    name = "kmeans"
    reads = "vector"
    seeded = True
    knows_domains = True

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    centres: Float[np.ndarray, "n_clusters dim"]

    @classmethod
    def fit(
        cls,
        vectors: Float[np.ndarray, "n dim"],
        *,
        n_clusters: int = 1,
        standardize: bool = True,
        is_target: Bool[np.ndarray, " n"] | None = None,
        seed: int = 0,
    ) -> "NearestCentre":
        """Fit on normal vectors; an InputError where there are fewer than `n_clusters`."""
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        vectors = checked(vectors, scorer=cls.name, at_least=n_clusters)
        mean, scale = standardization(vectors, standardize=standardize)
        vectors, is_centre = (vectors - mean) * scale, np.zeros(len(vectors), bool)
        if domains.parts(is_target):
            is_centre = is_target
        n_clusters = min(n_clusters, int((~is_centre).sum()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct vectors than centres: some coincide
            fitted = KMeans(n_clusters=n_clusters, n_init=10, random_state=seed).fit(vectors[~is_centre])
        return cls(mean, scale, np.concatenate([fitted.cluster_centers_, vectors[is_centre]]))

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Distance to the nearest centre, in standard deviations."""
        return self.formula(fitting(vectors, len(self.mean), self.name), np)

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        vectors = standardized(vectors, self.mean, self.scale)
        return xp.sqrt(squared_distances(vectors, self.centres, xp).min(axis=1))
