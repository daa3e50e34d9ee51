"""Distance to the nearest normal vectors."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.scorers import domains
from asd_jax.scorers.distances import squared_distances
from asd_jax.scorers.metric import as_measured, checked_metric
from asd_jax.scorers.refit import SKLEARN_VERSION, RefittedOnLoad
from asd_jax.scorers.standardization import apply, checked, standardization, standardized


@dataclasses.dataclass(frozen=True)
class NearestNeighborsScorer(RefittedOnLoad):
    """Mean distance of a vector to its nearest training vectors; with domains to the nearer of the two.

    Where there are vectors of a source and of a target domain, it is the smaller of the mean distances to the nearest
    of each: the target has few vectors, which among the many of the source would never be the nearest ones.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        vectors: the training vectors as they are measured, `(n, dim)`.
        n_neighbors: neighbours looked at; at most as many as there are vectors.
        check_scores, sklearn_version: see `RefittedOnLoad`.
        metric: `euclidean`, or `cosine`: half the Euclidean distance of vectors at length 1.
        is_target: which vectors are of the target domain; None where no domains are told apart.
    """

    name = "knn"
    reads = "vector"
    clip_level = True
    seeded = True
    knows_domains = True

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    vectors: Float[np.ndarray, "n dim"]
    n_neighbors: int
    check_scores: Float[np.ndarray, " n_checks"] | None = None
    sklearn_version: str = SKLEARN_VERSION
    metric: str = "euclidean"
    is_target: Bool[np.ndarray, " n"] | None = None

    @classmethod
    def fit(
        cls,
        vectors: Float[np.ndarray, "n dim"],
        *,
        n_neighbors: int = 2,
        metric: str = "euclidean",
        standardize: bool = True,
        smote: float = 0.0,
        is_target: Bool[np.ndarray, " n"] | None = None,
        seed: int = 0,
    ) -> "NearestNeighborsScorer":
        """Fit on normal vectors.

        Args:
            vectors: of normal clips.
            n_neighbors: neighbours looked at.
            metric: `euclidean` or `cosine`.
            standardize: whether the scorer standardises.
            smote: synthetic vectors fill up the target domain to this share of the source (see `domains.smote`).
            is_target: which vectors are of the target domain.
            seed: of synthetic vectors.
        """
        vectors, metric = checked(vectors, scorer=cls.name), checked_metric(metric)
        mean, scale = standardization(vectors, standardize=standardize)
        own, target = domains.smote((vectors - mean) * scale, is_target, smote, seed=seed)
        own = as_measured(own, metric)
        target = target if domains.parts(target) else None
        return cls(mean, scale, own, min(n_neighbors, len(own)), metric=metric, is_target=target)

    def _parts(self) -> list[np.ndarray]:
        return domains.parts(self.is_target) or [np.ones(len(self.vectors), bool)]

    def _estimator(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return [
            NearestNeighbors(n_neighbors=min(self.n_neighbors, p.sum())).fit(self.vectors[p]) for p in self._parts()
        ]

    @property
    def _unit(self) -> float:
        return 0.5 if self.metric == "cosine" else 1.0

    def _raw_scores(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        return self._unit * np.min([of.kneighbors(vectors)[0].mean(axis=1) for of in self._fitted], axis=0)

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Mean distance to the nearest training vectors, in standard deviations where they are standardised."""
        return self._raw_scores(as_measured(apply(vectors, self.mean, self.scale, self.name), self.metric))

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        measured = as_measured(standardized(vectors, self.mean, self.scale), self.metric, xp)
        scores = []
        for part in self._parts():
            nearest = xp.sort(squared_distances(measured, self.vectors[part], xp), axis=1)
            scores.append(xp.sqrt(nearest[:, : self.n_neighbors]).mean(axis=1))
        return self._unit * xp.stack(scores).min(axis=0)

    def leave_one_out(self) -> Float[np.ndarray, " n"]:
        """Score of each training vector among the others."""
        distances = np.full((len(self._fitted), len(self.vectors)), np.inf)
        for row, (part, fitted) in enumerate(zip(self._parts(), self._fitted, strict=True)):
            if part.sum() > 1:
                own = fitted.kneighbors(n_neighbors=min(self.n_neighbors, part.sum() - 1))[0]
                distances[row, part] = own.mean(axis=1)
            if not part.all():
                distances[row, ~part] = fitted.kneighbors(self.vectors[~part])[0].mean(axis=1)
        return self._unit * distances.min(axis=0)
