"""ArcFace: an angular margin for the own class (Deng et al., "ArcFace", CVPR 2019)."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from asd_jax.training.objectives.classification import Classification, angle, unit


@dataclasses.dataclass(frozen=True)
class ArcFace(Classification):
    """Cross-entropy of the cosines to one centre a class, the own class's angle widened by a margin in training.

    An example that is mixed of two classes has the margin of each in its share. The scale is fixed.

    Attributes:
        margin: in radians.
        scale: of the logits.
    """

    name: ClassVar[str] = "arcface"

    margin: float = 0.5
    scale: float = 64.0

    def init(self, n_classes: int, embedding_size: int, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """A centre a class; there is no state."""
        return {"centres": jax.nn.initializers.glorot_uniform()(key, (embedding_size, n_classes))}, {}

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
        cosine = unit(embedding) @ unit(params["centres"].T).T
        if training:
            cosine = jnp.cos(angle(cosine) + self.margin * labels)
        return -jnp.sum(labels * jax.nn.log_softmax(self.scale * cosine, axis=1), axis=1), state
