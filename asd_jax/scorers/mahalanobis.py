"""Mahalanobis distance with a shrunk covariance."""

import dataclasses

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.standardization import apply, checked, standardization


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
        centred = apply(vectors, self.mean, self.scale, self.name) - self.location
        return np.einsum("nd,nd->n", centred @ self.precision, centred)
