"""Isolation forest: how few random cuts set a vector apart."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.refit import SKLEARN_VERSION, RefittedOnLoad
from asd_jax.scorers.standardization import apply, checked, standardization


@dataclasses.dataclass(frozen=True)
class IsolationForestScorer(RefittedOnLoad):
    """Anomaly score of Liu, Ting and Zhou (2008) in (0, 1): `2 ** (-mean path length / expected path length)`.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        vectors: the standardised training vectors, `(n, dim)`.
        n_trees: size of the forest.
        seed: of the cuts.
        check_scores, sklearn_version: see `RefittedOnLoad`.
    """

    name = "iforest"
    reads = "vector"
    seeded = True
    n_folds = 5  # growing a forest takes long, and few clips less change little

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    vectors: Float[np.ndarray, "n dim"]
    n_trees: int
    seed: int
    check_scores: Float[np.ndarray, " n_checks"] | None = None
    sklearn_version: str = SKLEARN_VERSION

    @classmethod
    def fit(
        cls, vectors: Float[np.ndarray, "n dim"], *, n_trees: int = 200, standardize: bool = True, seed: int = 0
    ) -> "IsolationForestScorer":
        """Fit on normal vectors."""
        vectors = checked(vectors, scorer=cls.name)
        mean, scale = standardization(vectors, standardize=standardize)
        return cls(mean, scale, (vectors - mean) * scale, n_trees, seed)

    def _estimator(self) -> Any:
        from sklearn.ensemble import IsolationForest

        return IsolationForest(n_estimators=self.n_trees, random_state=self.seed).fit(self.vectors)

    def _raw_scores(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        return -self._fitted.score_samples(vectors)

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Anomaly score of each vector."""
        return self._raw_scores(apply(vectors, self.mean, self.scale, self.name))
