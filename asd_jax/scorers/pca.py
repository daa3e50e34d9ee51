"""Principal components as a step before any vector scorer: `pca+NAME`."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.standardization import checked, fitting, standardization, standardized


@dataclasses.dataclass(frozen=True)
class AfterPCA:
    """A scorer of the principal components of standardised vectors.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        components: `(n_components, dim)`.
        inner: the scorer that reads the components.
    """

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    components: Float[np.ndarray, "n_components dim"]
    inner: Any

    reads = "vector"

    @property
    def name(self) -> str:
        """`pca+NAME`."""
        return f"pca+{self.inner.name}"

    @classmethod
    def fit(
        cls,
        inner: type,
        vectors: Float[np.ndarray, "n dim"],
        *,
        pca_components: float | int = 0.95,
        pca_whiten: bool = False,
        **settings: Any,
    ) -> "AfterPCA":
        """Fit on normal vectors.

        Args:
            inner: class of the scorer that reads the components.
            vectors: of normal clips.
            pca_components: a number of components (never more than there are), or the share of the variance to keep.
            pca_whiten: let the inner scorer standardise each component, which raises the small ones to the large
                ones' weight. Mahalanobis always does.
            settings: of the inner scorer.
        """
        from sklearn.decomposition import PCA

        vectors = checked(vectors, scorer=f"pca+{inner.name}")
        mean, scale = standardization(vectors)
        inputs = (vectors - mean) * scale
        if pca_components >= 1:
            pca_components = min(int(pca_components), *inputs.shape)
        components = PCA(pca_components, svd_solver="full").fit(inputs).components_
        if inner.name not in ("mahalanobis", "selective_mahalanobis"):  # these do it always
            settings = {"standardize": pca_whiten} | settings
        return cls(mean, scale, components, inner.fit(inputs @ components.T, **settings))

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Score of each vector's components."""
        vectors = fitting(vectors, len(self.mean), self.name)
        return self.inner.score(standardized(vectors, self.mean, self.scale) @ self.components.T)

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        return self.inner.formula(standardized(vectors, self.mean, self.scale) @ self.components.T, xp)
