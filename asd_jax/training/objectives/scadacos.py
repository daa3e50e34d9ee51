"""Sub-cluster AdaCos: several centres a class (Wilkinghoff, "Sub-cluster AdaCos", IJCNN 2021)."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from asd_jax.errors import InputError
from asd_jax.training.objectives.classification import Classification, angle, dynamic_scale, unit


@dataclasses.dataclass(frozen=True)
class SubClusterAdaCos(Classification):
    """Cross-entropy of the classes' shares of a softmax over all centres, by their cosines to the embedding.

    Attributes:
        n_centres: of each class, trained along.
    """

    name: ClassVar[str] = "scadacos"

    n_centres: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_centres < 1:
            raise InputError(f"`n_centres={self.n_centres}`: give a number above 0")

    def init(self, n_classes: int, embedding_size: int, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """Centres, class by class, and the scale √2 · ln(n - 1) for n centres."""
        n = n_classes * self.n_centres
        centres = jax.nn.initializers.glorot_uniform()(key, (embedding_size, n))
        return {"centres": centres}, {"scale": jnp.asarray(math.sqrt(2) * math.log(max(n - 1, 2)), jnp.float32)}

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
        scale = state["scale"]
        if training and self.dynamic:
            # The angles of all of a class's centres are added up, as its author has it.
            angles = jnp.sum(jnp.repeat(labels, self.n_centres, axis=1) * angle(cosine), axis=1)
            scale = dynamic_scale(jnp.sum(jnp.exp(scale * cosine), axis=1), angles)
        logits = (scale * cosine).reshape(len(cosine), -1, self.n_centres)
        log_share = jax.nn.logsumexp(logits, axis=2) - jax.nn.logsumexp(logits, axis=(1, 2))[:, None]
        return -jnp.sum(labels * log_share, axis=1), {"scale": scale}
