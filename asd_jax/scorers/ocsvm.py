"""One-class support vector machine with a Gaussian kernel."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.errors import InputError
from asd_jax.scorers.distances import squared_distances
from asd_jax.scorers.standardization import checked, fitting, standardization, standardized

_BLOCK = 4096  # vectors whose kernel values are held at once


@dataclasses.dataclass(frozen=True)
class OneClassSVMScorer:
    """Negative decision function of a one-class SVM (Schölkopf et al., 2001): positive outside the learnt region.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        support_vectors: `(n_support, dim)` in standardised units.
        weights: `(n_support,)` dual coefficients.
        offset: the kernel sum at the boundary.
        gamma: of the kernel `exp(-gamma * squared distance)`.
    """

    name = "ocsvm"
    reads = "vector"
    max_windows = 10_000  # the fit's time grows with the square

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    support_vectors: Float[np.ndarray, "n_support dim"]
    weights: Float[np.ndarray, " n_support"]
    offset: float
    gamma: float

    @classmethod
    def fit(
        cls,
        vectors: Float[np.ndarray, "n dim"],
        *,
        nu: float = 0.1,
        gamma: float | str = "scale",
        standardize: bool = True,
    ) -> "OneClassSVMScorer":
        """Fit on normal vectors.

        Args:
            vectors: of normal clips.
            nu: bound on the share of them left outside, in (0, 1].
            gamma: of the kernel; `scale` is `1 / (dim * variance)`, and `4*scale` four times that.
            standardize: whether the scorer standardises.

        Raises:
            InputError: nu or gamma is out of range.
        """
        from sklearn.svm import OneClassSVM

        if not 0 < nu <= 1:
            raise InputError(f"ocsvm: nu={nu}; give a share above 0 and up to 1")
        vectors = checked(vectors, scorer=cls.name)
        mean, scale = standardization(vectors, standardize=standardize)
        inputs = (vectors - mean) * scale
        gamma = _resolve(gamma, inputs)
        if len(inputs) <= cls.max_windows:  # one matrix product makes the kernel several times faster than libsvm does
            kernel = np.exp(-gamma * squared_distances(inputs, inputs))
            machine = OneClassSVM(kernel="precomputed", nu=nu, cache_size=500).fit(kernel)
        else:
            machine = OneClassSVM(kernel="rbf", nu=nu, gamma=gamma, cache_size=500).fit(inputs)
        support = inputs[machine.support_]
        return cls(mean, scale, support, machine.dual_coef_[0], float(-machine.intercept_[0]), gamma)

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """The offset minus the kernel sum over the support vectors."""
        vectors = fitting(vectors, len(self.mean), self.name)
        scores = np.empty(len(vectors))
        for first in range(0, len(vectors), _BLOCK):
            block = slice(first, first + _BLOCK)
            scores[block] = self.formula(vectors[block], np)
        return scores

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        vectors = standardized(vectors, self.mean, self.scale)
        kernel = xp.exp(-self.gamma * squared_distances(vectors, self.support_vectors, xp))
        return self.offset - kernel @ self.weights


def _resolve(gamma: float | str, inputs: Float[np.ndarray, "n dim"]) -> float:
    """The number that a rule such as `scale` or `4*scale` means."""
    if isinstance(gamma, str):
        factor, _, rule = gamma.rpartition("*")
        try:
            variance = inputs.var()
            scale = 1 / (inputs.shape[1] * variance) if variance > 0 else 1.0
            gamma = float(factor or 1) * scale if rule == "scale" else float(gamma)
        except ValueError:
            raise InputError(f"ocsvm: gamma={gamma}; give a number, scale or a multiple such as 4*scale") from None
    if not gamma > 0:
        raise InputError(f"ocsvm: gamma={gamma}; give a number above 0")
    return float(gamma)
