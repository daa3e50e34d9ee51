"""Support vector machine of labelled clips: the supervised reference, and no detector of what nobody has recorded."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.errors import InputError
from asd_jax.scorers.distances import squared_distances
from asd_jax.scorers.standardization import checked, fitting, standardization, standardized


@dataclasses.dataclass(frozen=True)
class SupportVectorMachine:
    """Decision function of an SVM (Cortes and Vapnik, 1995) whose Gaussian kernel measures as `mahalanobis` does.

    Vectors are whitened by the shrunk covariance of the normal ones: what that scorer knows without labels, this one
    knows too. Both classes weigh the same; positive is anomalous.

    Attributes:
        mean, scale: standardisation of normal vectors, `(dim,)`.
        location: mean of the standardised normal vectors, `(dim,)`.
        whitening: of standardised vectors, `(dim, dim)`: its product with itself is the precision.
        support_vectors: `(n_support, dim)`, whitened.
        weights: `(n_support,)` dual coefficients.
        offset: the decision function far from all of them.
        gamma: of the kernel `exp(-gamma * squared distance)`.
    """

    name = "labelled_svm"
    reads = "vector"
    clip_level = True

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    location: Float[np.ndarray, " dim"]
    whitening: Float[np.ndarray, "dim dim"]
    support_vectors: Float[np.ndarray, "n_support dim"]
    weights: Float[np.ndarray, " n_support"]
    offset: float
    gamma: float

    @classmethod
    def fit(
        cls,
        vectors: Float[np.ndarray, "n_clips dim"],
        *,
        is_anomaly: Bool[np.ndarray, " n_clips"] | None = None,
        C: float = 1.0,
    ) -> "SupportVectorMachine":
        """Fit on labelled vectors.

        Args:
            vectors: of clips.
            is_anomaly: their labels.
            C: how much a clip on the wrong side costs.

        Raises:
            InputError: there are no labels, or of one class only.
        """
        from sklearn.covariance import LedoitWolf
        from sklearn.svm import SVC

        if is_anomaly is None:
            raise InputError(f"{cls.name} learns from labelled anomalous clips; use python -m experiments.supervised")
        if is_anomaly.all() or not is_anomaly.any():
            raise InputError(f"{cls.name} needs both classes, and all {len(is_anomaly)} clips are of one")
        vectors = checked(vectors, scorer=cls.name)
        mean, scale = standardization(vectors[~is_anomaly])
        inputs = (vectors - mean) * scale
        normal = LedoitWolf().fit(inputs[~is_anomaly])
        whitening = np.linalg.cholesky(normal.precision_)
        inputs = (inputs - normal.location_) @ whitening
        gamma = 1 / (inputs.shape[1] * max(float(inputs.var()), 1e-12))
        machine = SVC(C=C, gamma=gamma, class_weight="balanced").fit(inputs, is_anomaly)
        weights, offset = machine.dual_coef_[0], float(machine.intercept_[0])
        return cls(mean, scale, normal.location_, whitening, machine.support_vectors_, weights, offset, gamma)

    def score(self, vectors: Float[np.ndarray, "n_clips dim"]) -> Float[np.ndarray, " n_clips"]:
        """Decision function of each vector."""
        return self.formula(fitting(vectors, len(self.mean), self.name), np)

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        white = (standardized(vectors, self.mean, self.scale) - self.location[None, :]) @ self.whitening
        return xp.exp(-self.gamma * squared_distances(white, self.support_vectors, xp)) @ self.weights + self.offset
