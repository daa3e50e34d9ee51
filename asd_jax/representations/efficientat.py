"""EfficientAT as a representation: the embedding of a clip, or a feature map's channels and mels averaged over time."""

import dataclasses
import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, PyTree
from tqdm import tqdm

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.extraction import Extracted
from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import hidden
from asd_jax.models.efficientat import BLOCKS, MIN_FRAMES, EfficientATConfig
from asd_jax.models.efficientat_weights import PUBLISHED, to_params
from asd_jax.models.published import Weights
from asd_jax.representations.recipe import Fit, Hooks, Untrained
from asd_jax.representations.representation import ClipArrays, ClipRepresentation

EMBEDDING = "embedding"
_BLOCK = re.compile(r"block_(\d+)")
_BATCH = 4  # clips at once: more gain nothing on a CPU
_RANDOM = "random"
_CONFIG = EfficientATConfig()


@functools.cache
def _graph() -> nnx.GraphDef:
    return nnx.split(nnx.eval_shape(lambda: _CONFIG.build(rngs=nnx.Rngs(0))), nnx.Param)[0]


@functools.partial(jax.jit, static_argnames="layer")
def embed(
    params: PyTree, frames: Float[Array, "batch n_frames 128"], layer: str = EMBEDDING
) -> Float[Array, "batch dim"]:
    """Vectors of clips of one length, from frames of the front end `efficientat`.

    Args:
        params: of the network, as `to_params` gives them.
        frames: at least `MIN_FRAMES` of them.
        layer: `embedding`, or `block_N` for the map after so many blocks: its mean over time, a value a mel and
            channel.
    """
    network = nnx.merge(_graph(), params)
    if layer == EMBEDDING:
        return network.embedding(frames)
    values = network.feature_map(frames, int(_BLOCK.fullmatch(layer)[1]))
    return values.mean(axis=1).reshape(values.shape[0], -1)


@dataclasses.dataclass(frozen=True)
class EfficientATEmbedding(Untrained):
    """What the network mn04 says of a clip, with its published weights; with random ones as the control beside it.

    Attributes:
        source: SHA-256 of the file that the weights come from, or `random` for random ones.
        layer: `embedding` (384 values), or `block_N` for the map after so many of its 15 blocks.
        seed: of random weights.
        weights: the published arrays, where a bundle brings them; else those in the user's cache.
    """

    kind = "efficientat"
    min_frames = MIN_FRAMES

    source: str
    layer: str = EMBEDDING
    seed: int = 0
    weights: Weights | None = hidden(default=None)

    def __post_init__(self) -> None:
        match = _BLOCK.fullmatch(self.layer)
        if self.layer != EMBEDDING and not (match and 1 <= int(match[1]) <= len(BLOCKS)):
            raise InputError(f"`layer={self.layer}`: give {EMBEDDING}, or block_1 to block_{len(BLOCKS)}")

    @classmethod
    def load(cls, path: str | Path | None = None, *, layer: str = EMBEDDING) -> "EfficientATEmbedding":
        """With published weights; path and errors as in `Published.load`."""
        return cls(PUBLISHED.load(path)[1], layer)

    @classmethod
    def random(cls, *, layer: str = EMBEDDING, seed: int = 0) -> "EfficientATEmbedding":
        """With random weights: the control."""
        return cls(_RANDOM, layer, seed)

    @property
    def _is_random(self) -> bool:
        return self.source == _RANDOM

    @property
    def stamp(self) -> Mapping[str, Any]:
        """Whether the weights are random ones, of which nothing should be expected."""
        return {"random_weights": self._is_random}

    @functools.cached_property
    def published(self) -> Weights:
        """The published arrays; read when they are first needed."""
        return PUBLISHED.cached(self.source) if self.weights is None else self.weights

    @functools.cached_property
    def params(self) -> PyTree:
        """Parameters of the network."""
        with jax.ensure_compile_time_eval():  # kept: they must be no part of a program that is being traced
            if not self._is_random:
                return jax.tree.map(jnp.asarray, to_params(self.published, _CONFIG))
            return nnx.to_pure_dict(nnx.split(_CONFIG.build(rngs=nnx.Rngs(self.seed)), nnx.Param)[1])

    def fit(self, train: Extracted, *, seed: int, hooks: Hooks) -> tuple[Fit, ...]:
        """One representation, for all seeds, beside the network with random weights."""
        control = None if self._is_random else self.random(layer=self.layer, seed=seed)
        return (Fit(seed, self, at_initialisation=control),)

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip; clips of one length go together, since padding would enter the means."""
        vectors = None
        bar = tqdm(total=len(clips), desc="EfficientAT", unit="clip", delay=3, leave=False, disable=None)
        for length in np.unique(clips.clip_length):
            members = np.flatnonzero(clips.clip_length == length)
            size = min(_BATCH, len(members))
            for first in range(0, len(members), size):
                chosen = members[first : first + size]
                batch = np.zeros((size, int(length), clips.values.shape[1]), np.float32)
                batch[: len(chosen)] = [clips.clip(int(index)) for index in chosen]
                part = np.asarray(embed(self.params, batch, self.layer))[: len(chosen)]
                vectors = np.empty((len(clips), part.shape[1]), np.float32) if vectors is None else vectors
                vectors[chosen] = part
                bar.update(len(chosen))
        bar.close()
        return ClipRepresentation(vectors)

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`."""
        return ClipArrays(embed(self.params, frames, self.layer))

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings, and the published arrays: four megabytes, with which a bundle needs no cache."""
        settings = {"kind": self.kind, "source": self.source, "layer": self.layer, "seed": self.seed}
        return settings, {} if self._is_random else dict(self.published)

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "EfficientATEmbedding":
        """Rebuild from `to_state`."""
        weights = None if settings["source"] == _RANDOM else PUBLISHED.checked(arrays)
        return cls(settings["source"], settings["layer"], settings["seed"], weights)
