"""What objectives share that tell normal clips apart: classes of clips, mixed examples, parameters of their own."""

import abc
import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from asd_jax.datasets.clips import Clip
from asd_jax.errors import InputError
from asd_jax.features import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import sparse
from asd_jax.models.network import Network
from asd_jax.training.batches import Batch


def class_names(clips: Sequence[Clip]) -> list[tuple[str, str, str, str]]:
    """What tells clips apart beside their sound: machine type, machine id or section, attributes, domain."""
    return [(clip.machine_type, clip.machine_id, clip.attributes, clip.domain) for clip in clips]


@dataclasses.dataclass(frozen=True)
class WithHead:
    """A network and what an objective learns beside it, as one thing to train.

    Attributes:
        network: whose embeddings are learned.
        objective: what they are learned by.
        n_classes: of the training clips.
    """

    network: Network
    objective: "Classification"
    n_classes: int

    @property
    def config(self) -> Any:
        """The network's."""
        return self.network.config

    def init(self, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """Parameters and state of both."""
        network_key, head_key = jax.random.split(key)
        params, state = self.network.init(key=network_key)
        head = self.objective.init(self.n_classes, self.config.embedding_size, key=head_key)
        return {"network": params, "head": head[0]}, {"network": state, "head": head[1]}

    def own(self, tree: PyTree) -> PyTree:
        """The network's part of parameters or state."""
        return tree["network"]


@dataclasses.dataclass(frozen=True)
class Classification(abc.ABC):
    """Base of objectives that tell the classes of training clips apart by their embeddings.

    One of them gives `init` (its parameters and state) and `class_losses` (the loss of each embedding).

    Attributes:
        mixup: share of the examples of a step that are mixed with another one, sound and class alike, in a proportion
            drawn from 0 to 1 (Zhang et al., "mixup", ICLR 2018).
        dynamic: the scale of the logits follows the batch instead of staying where it starts (Zhang et al., "AdaCos",
            CVPR 2019).
        supervised: normal and anomalous clips are classes of their own; for the supervised reference alone, whose
            training clips are of both.
    """

    reads: ClassVar[str] = "embedding"

    mixup: float = 0.5
    dynamic: bool = False
    supervised: bool = sparse(False)

    def __post_init__(self) -> None:
        if not 0 <= self.mixup <= 1:
            raise InputError(f"`mixup={self.mixup}`: give a share from 0 to 1")

    def targets(self, clips: Sequence[Clip]) -> Int[np.ndarray, " n_clips"]:
        """The class of each training clip: machine type, id or section, attributes and domain."""
        names = class_names(clips)
        if self.supervised:
            names = [(*name, str(bool(clip.is_anomaly))) for name, clip in zip(names, clips, strict=True)]
        number = {name: index for index, name in enumerate(sorted(set(names)))}
        return np.asarray([number[name] for name in names])

    def learner(self, network: Network, targets: Int[np.ndarray, " n_clips"]) -> WithHead:
        """What is trained: the network, and the parameters of this objective for so many classes."""
        return WithHead(network, self, int(targets.max()) + 1)

    @abc.abstractmethod
    def init(self, n_classes: int, embedding_size: int, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """Parameters and state of the objective before the first step."""

    @abc.abstractmethod
    def class_losses(
        self,
        params: PyTree,
        state: PyTree,
        embedding: Float[Array, "batch dim"],
        labels: Float[Array, "batch n_classes"],
        *,
        training: bool,
    ) -> tuple[Float[Array, " batch"], PyTree]:
        """Loss of each embedding, and the state after it.

        Args:
            params, state: of the objective.
            embedding: of the examples, not normalised.
            labels: shares of the classes in each example, which add up to 1.
            training: whether the state may move.
        """

    def losses(
        self, network: WithHead, params: PyTree, model_state: PyTree, batch: Batch, *, key: PRNGKeyArray, training: bool
    ) -> tuple[Float[Array, " batch"], PyTree]:
        """Loss of each example; in training some are mixed."""
        waveforms, labels = batch.values, jax.nn.one_hot(batch.targets, network.n_classes)
        if training and self.mixup:
            waveforms, labels = mixed(waveforms, labels, self.mixup, key=key)
        embedding, state = network.network.embedding(
            params["network"], model_state["network"], waveforms, training=training
        )
        losses, head = self.class_losses(params["head"], model_state["head"], embedding, labels, training=training)
        return losses, {"network": state, "head": head}

    def reference_loss(
        self,
        clips: StoredClips,
        train: Int[np.ndarray, " n_train"],
        validation: Int[np.ndarray, " n_validation"],
        scaling: Scaling | None,
        targets: Int[np.ndarray, " n_clips"],
    ) -> float:
        """Cross-entropy of giving every class its share of the training clips; the logarithm of their number at most.

        A ratio of 1 to it means that nothing has been learned but how frequent classes are.
        """
        n_classes = int(targets.max()) + 1
        share = (np.bincount(targets[train], minlength=n_classes) + 1) / (len(train) + n_classes)
        return max(float(-np.log(share[targets[validation]]).mean()), 1e-9)


def mixed(
    waveforms: Float[Array, "batch n_samples"],
    labels: Float[Array, "batch n_classes"],
    share: float,
    *,
    key: PRNGKeyArray,
) -> tuple[Float[Array, "batch n_samples"], Float[Array, "batch n_classes"]]:
    """Examples of which about a share is mixed with another of the batch, in a proportion drawn from 0 to 1."""
    which, how_much, whom = jax.random.split(key, 3)
    n = len(waveforms)
    chosen = jax.random.bernoulli(which, share, (n,))
    weight = jnp.where(chosen, jax.random.uniform(how_much, (n,)), 1.0)[:, None]
    other = jax.random.permutation(whom, n)
    return (
        weight * waveforms + (1 - weight) * waveforms[other],
        weight * labels + (1 - weight) * labels[other],
    )


def unit(vectors: Float[Array, "*batch dim"]) -> Float[Array, "*batch dim"]:
    """Vectors of length 1; one that is zero stays so, with a finite gradient, as where all units are silent."""
    squares = jnp.sum(jnp.square(vectors), axis=-1, keepdims=True)
    return vectors * jax.lax.rsqrt(jnp.maximum(squares, 1e-12))


def dynamic_scale(sums: Float[Array, " batch"], angles: Float[Array, " batch"]) -> Float[Array, ""]:
    """AdaCos's scale for a batch: ln(mean of `sums`) / cos(min(π/4, median angle)); no gradient passes.

    Args:
        sums: of exp(scale · cosine) over what each example is compared with.
        angles: between each example and its own class.
    """
    median = jnp.sort(angles)[(len(angles) - 1) // 2]  # the lower one, as PyTorch has it
    return jax.lax.stop_gradient(jnp.log(jnp.mean(sums)) / jnp.cos(jnp.minimum(math.pi / 4, median)))


def angle(cosine: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Angle of a cosine, which rounding may have brought beyond 1."""
    return jnp.arccos(jnp.clip(cosine, -1 + 1e-7, 1 - 1e-7))
