"""What a network is trained to do: the contract of an objective."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from asd_jax.datasets.clips import Clip
from asd_jax.features import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Learner
from asd_jax.training.batches import Batch


@runtime_checkable
class Objective(Protocol):
    """A frozen, hashable config: compiled programs are kept by it."""

    name: str
    reads: str  # what it asks of a model: `residual` or `embedding`

    def targets(self, clips: Sequence[Clip]) -> Int[np.ndarray, " n_clips"] | None:
        """What each training clip is to be told apart by, never an anomaly label; None where there is no such thing."""

    def losses(
        self, network: Learner, params: PyTree, model_state: PyTree, batch: Batch, *, key: PRNGKeyArray, training: bool
    ) -> tuple[Float[Array, " batch"], PyTree]:
        """Loss of each example, and the model's state after it; pure, for compiled code.

        Args:
            key: of this step, for what is drawn (mixing examples, say); validation gives the same in every epoch.
            training: batch statistics and whatever is done to examples in training only.
        """

    def reference_loss(
        self,
        clips: StoredClips,
        train: Int[np.ndarray, " n_train"],
        validation: Int[np.ndarray, " n_validation"],
        scaling: Scaling | None,
        targets: Int[np.ndarray, " n_clips"] | None,
    ) -> float:
        """Loss of knowing nothing, on the validation clips: what a network's own is held against.

        Args:
            clips: all training clips.
            train, validation: indices of those that a network was trained on, and of those it is validated by.
            scaling: of frames, None for waveforms.
            targets: of each clip, from `targets`.
        """
