"""Mahalanobis distance from the nearer of two domains."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.scorers import domains
from asd_jax.scorers.standardization import checked, fitting, standardization, standardized


@dataclasses.dataclass(frozen=True)
class SelectiveMahalanobis:
    """The smaller of the squared Mahalanobis distances from the source's and the target's normal vectors.

    The DCASE baseline's choice by domain (Harada et al., 2023), with Ledoit-Wolf covariances. Where domains are not
    told apart it is the `mahalanobis` scorer.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        locations: mean of the standardised vectors of each domain, `(n_domains, dim)`.
        precisions: inverse of their shrunk covariances, `(n_domains, dim, dim)`.
    """

    name = "selective_mahalanobis"
    reads = "vector"
    clip_level = True
    knows_domains = True

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    locations: Float[np.ndarray, "n_domains dim"]
    precisions: Float[np.ndarray, "n_domains dim dim"]

    @classmethod
    def fit(
        cls, vectors: Float[np.ndarray, "n_clips dim"], *, is_target: Bool[np.ndarray, " n_clips"] | None = None
    ) -> "SelectiveMahalanobis":
        """Fit on the vectors of normal clips; a domain with a single clip takes the covariance of all.

        Args:
            vectors: of normal clips.
            is_target: which are of the target domain.
        """
        from sklearn.covariance import LedoitWolf

        vectors = checked(vectors, scorer=cls.name)
        mean, scale = standardization(vectors)
        vectors = (vectors - mean) * scale
        locations, precisions = [], []
        for part in domains.parts(is_target) or [np.ones(len(vectors), bool)]:
            spread = vectors[part] if part.sum() > 1 else vectors
            locations.append(vectors[part].mean(axis=0))
            precisions.append(LedoitWolf().fit(spread).precision_)
        return cls(mean, scale, np.stack(locations), np.stack(precisions))

    def score(self, vectors: Float[np.ndarray, "n_clips dim"]) -> Float[np.ndarray, " n_clips"]:
        """Squared distance of each vector from the nearer domain."""
        return self.formula(fitting(vectors, len(self.mean), self.name), np)

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        vectors = standardized(vectors, self.mean, self.scale)
        distances = []
        for location, precision in zip(self.locations, self.precisions, strict=True):
            centred = vectors - location[None, :]
            distances.append(xp.einsum("nd,nd->n", centred @ precision, centred))
        return xp.stack(distances).min(axis=0)
