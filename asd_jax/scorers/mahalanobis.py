"""Mahalanobis distance with a shrunk covariance."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.standardization import checked, fitting, standardization, standardized


@dataclasses.dataclass(frozen=True)
class Mahalanobis:
    """Squared Mahalanobis distance of standardised vectors under the Ledoit-Wolf covariance, in float64.

    The shrinkage makes the covariance of fewer clips than dimensions usable (Ledoit and Wolf, 2004).

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        location: mean of the standardised vectors, `(dim,)`.
        precision: inverse of their shrunk covariance, `(dim, dim)`.
    """

    name = "mahalanobis"
    reads = "vector"

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    location: Float[np.ndarray, " dim"]
    precision: Float[np.ndarray, "dim dim"]

    @classmethod
    def fit(cls, vectors: Float[np.ndarray, "n_clips dim"]) -> "Mahalanobis":
        """Fit on the vectors of normal clips."""
        from sklearn.covariance import LedoitWolf

        vectors = checked(vectors, scorer=cls.name)
        mean, scale = standardization(vectors)
        fitted = LedoitWolf().fit((vectors - mean) * scale)
        return cls(mean, scale, fitted.location_, fitted.precision_)

    def score(self, vectors: Float[np.ndarray, "n_clips dim"]) -> Float[np.ndarray, " n_clips"]:
        """Squared distance of each vector from the normal ones."""
        return self.formula(fitting(vectors, len(self.mean), self.name), np)

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        centred = standardized(vectors, self.mean, self.scale) - self.location[None, :]
        return xp.einsum("nd,nd->n", centred @ self.precision, centred)
