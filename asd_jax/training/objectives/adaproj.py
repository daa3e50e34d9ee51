"""AdaProj: a subspace for each class (Wilkinghoff, "AdaProj", DCASE 2024)."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from asd_jax.errors import InputError
from asd_jax.training.objectives.classification import Classification, angle, dynamic_scale, unit

_FEWEST_FOR_FIXED = 3  # with two classes the fixed scale is √2 · ln(1) = 0, and nothing could be learned


@dataclasses.dataclass(frozen=True)
class AdaProj(Classification):
    """Cross-entropy of the cosines between an embedding and its projection onto each class's subspace.

    With fewer than three classes the scale is dynamic whatever `dynamic` says, since the fixed one would be zero.

    Attributes:
        subspace_size: vectors that span a class's subspace, trained along, normalised but not orthogonal.
    """

    name: ClassVar[str] = "adaproj"

    subspace_size: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.subspace_size < 1:
            raise InputError(f"`subspace_size={self.subspace_size}`: give a number above 0")

    def init(self, n_classes: int, embedding_size: int, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """Vectors of each class, and the scale √2 · ln(n - 1) for n classes."""
        spans = jax.nn.initializers.glorot_uniform(in_axis=-1, out_axis=-2, batch_axis=0)(
            key, (n_classes, self.subspace_size, embedding_size)
        )
        return {"spans": spans}, {"scale": jnp.asarray(math.sqrt(2) * math.log(max(n_classes - 1, 1)), jnp.float32)}

    def class_losses(
        self,
        params: PyTree,
        state: PyTree,
        embedding: Float[Array, "batch dim"],
        labels: Float[Array, "batch n_classes"],
        *,
        training: bool,
    ) -> tuple[Float[Array, " batch"], PyTree]:
        """See `Classification`."""
        spans, embedding, scale = unit(params["spans"]), unit(embedding), state["scale"]
        along = jnp.einsum("bd,ckd->bck", embedding, spans)
        projected = jnp.einsum("bck,ckd->bcd", along, spans)
        cosine = jnp.sum(unit(projected) * embedding[:, None], axis=2)
        if training and (self.dynamic or labels.shape[1] < _FEWEST_FOR_FIXED):
            others = jnp.where(labels == 1, 1.0, jnp.exp(scale * cosine))
            scale = dynamic_scale(jnp.sum(others, axis=1), jnp.sum(labels * angle(cosine), axis=1))
        return -jnp.sum(labels * jax.nn.log_softmax(scale * cosine, axis=1), axis=1), {"scale": scale}
