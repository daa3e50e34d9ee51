"""Reconstruction and prediction: the mean squared residual."""

import dataclasses
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from asd_jax.datasets.clips import Clip
from asd_jax.features import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.training.batches import Batch


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """The mean squared residual of an example's windows."""

    name = "reconstruction"
    reads = "residual"

    def targets(self, clips: Sequence[Clip]) -> None:
        """A clip is its own target."""

    def losses(
        self, network: Network, params: PyTree, model_state: PyTree, batch: Batch, *, key: PRNGKeyArray, training: bool
    ) -> tuple[Float[Array, " batch"], PyTree]:
        """Mean squared residual of each example; nothing is drawn."""
        residual, model_state = network.residual(params, model_state, batch.values, training=training)
        return jnp.mean(jnp.square(residual), axis=(1, 2, 3)), model_state

    def reference_loss(
        self,
        clips: StoredClips,
        train: Int[np.ndarray, " n_train"],
        validation: Int[np.ndarray, " n_validation"],
        scaling: Scaling,
        targets: None = None,
    ) -> float:
        """Mean squared error of predicting every scaled frame by the training clips' mean frame.

        A ratio of 1 to it means that a network has learned nothing but the mean.
        """
        n_train, n_validation = clips.clip_length[train].sum(), clips.clip_length[validation].sum()
        mean = sum(clips.clip(int(i)).sum(axis=0, dtype=np.float64) for i in train) / n_train
        squares = sum(np.square(clips.clip(int(i)) - mean).sum(axis=0) for i in validation)
        return float(np.mean(squares / n_validation * np.square(np.asarray(scaling.scale, np.float64))))
