"""Negative log-likelihood under a Gaussian mixture."""

import dataclasses
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.errors import InputError
from asd_jax.scorers.standardization import checked, fitting, standardization, standardized


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Negative log-likelihood of a standardised vector under a Gaussian mixture, in nats.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        log_weights: of the components, `(k,)`.
        centres: `(k, dim)`.
        precision_roots: `(k, dim, dim)` upper triangles `R` with `R @ R.T` the inverse covariance, whatever the kind
            of covariance was.
    """

    name = "gmm"
    reads = "vector"
    seeded = True
    min_clips = 2

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    log_weights: Float[np.ndarray, " k"]
    centres: Float[np.ndarray, "k dim"]
    precision_roots: Float[np.ndarray, "k dim dim"]

    @classmethod
    def fit(
        cls,
        vectors: Float[np.ndarray, "n dim"],
        *,
        n_components: int = 1,
        covariance_type: str = "full",
        reg_covar: float = 1e-3,
        standardize: bool = True,
        seed: int = 0,
    ) -> "Mixture":
        """Fit on normal vectors by expectation maximisation from a k-means start.

        Args:
            vectors: of normal clips.
            n_components: Gaussians.
            covariance_type: `full`, `tied`, `diag` or `spherical`.
            reg_covar: added to the diagonal, in units of the standardised vectors.
            standardize: whether the scorer standardises.
            seed: of the start.

        Raises:
            InputError: fewer than two vectors, or than components, or a covariance that cannot be inverted.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        vectors = checked(vectors, scorer=cls.name, at_least=max(cls.min_clips, n_components))
        mean, scale = standardization(vectors, standardize=standardize)
        mixture = GaussianMixture(
            n_components=n_components,
            covariance_type=covariance_type,
            reg_covar=reg_covar,
            max_iter=500,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the best bound so far serves as well
            try:
                mixture.fit((vectors - mean) * scale)
            except ValueError as error:
                raise InputError(
                    f"gmm: the covariance of {len(vectors)} vectors of {vectors.shape[1]} numbers cannot be inverted; "
                    f"raise `reg_covar` (now {reg_covar:g}), take fewer components, or record more"
                ) from error
        dim, roots = vectors.shape[1], mixture.precisions_cholesky_
        if covariance_type == "tied":
            roots = np.broadcast_to(roots, (n_components, dim, dim))
        elif covariance_type != "full":
            roots = roots.reshape(n_components, -1, 1) * np.eye(dim)  # one value a dimension, or one for all
        return cls(mean, scale, np.log(mixture.weights_), mixture.means_, np.ascontiguousarray(roots))

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Negative log-likelihood of each vector."""
        return self.formula(fitting(vectors, len(self.mean), self.name), np)

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        vectors, terms = standardized(vectors, self.mean, self.scale), []
        parts = zip(self.log_weights, self.centres, self.precision_roots, strict=True)
        for log_weight, centre, root in parts:
            whitened = (vectors - centre[None, :]) @ root
            log_density = np.log(np.diagonal(root)).sum() - 0.5 * len(centre) * np.log(2 * np.pi)
            constant = float(log_weight + log_density)
            terms.append(constant - 0.5 * xp.einsum("nd,nd->n", whitened, whitened))
        terms = xp.stack(terms, axis=1)
        largest = terms.max(axis=1)
        return -(largest + xp.log(xp.exp(terms - largest[:, None]).sum(axis=1)))
