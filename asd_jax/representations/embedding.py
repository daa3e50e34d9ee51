"""Embeddings of waveforms by a trained network as a representation: one vector a clip."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, PyTree
from tqdm import tqdm

from asd_jax import models
from asd_jax.datasets.clips import Machine
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import from_json, to_json
from asd_jax.models.network import Network
from asd_jax.representations.representation import ClipArrays, ClipRepresentation

_BATCH = 16  # clips at once


@functools.partial(jax.jit, static_argnames="network")
def embed(
    network: Network, params: PyTree, model_state: PyTree, waveforms: Float[Array, "batch n_samples"]
) -> Float[Array, "batch dim"]:
    """Embeddings of waveforms of the network's length."""
    return network.embedding(params, model_state, waveforms)[0]


@dataclasses.dataclass(frozen=True)
class Embedding:
    """The embedding of a clip, which is tiled or cropped to the length that the network knows."""

    kind = "embedding"

    network: Network
    params: PyTree
    model_state: PyTree

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip; `clips` are waveforms."""
        length, vectors = (
            self.network.n_features,
            np.empty((len(clips), self.network.config.embedding_size), np.float32),
        )
        size = min(_BATCH, len(clips))
        bar = tqdm(total=len(clips), desc="embeddings", unit="clip", delay=3, leave=False, disable=None)
        for first in range(0, len(clips), size):
            chosen = range(first, min(first + size, len(clips)))
            batch = np.zeros((size, length), np.float32)  # rows beyond the last clip are padding
            for row, index in enumerate(chosen):
                batch[row] = np.resize(clips.floats(index)[:length], length)
            vectors[chosen.start : chosen.stop] = embed(self.network, self.params, self.model_state, batch)[
                : len(chosen)
            ]
            bar.update(len(chosen))
        bar.close()
        return ClipRepresentation(vectors)

    def of_frames(self, frames: Float[Array, "n_clips n_samples"], machine: Machine) -> ClipArrays:
        """See `Representation`; a frame is a sample."""
        length = self.network.n_features
        tiled = jnp.tile(frames, (1, -(-length // frames.shape[1])))[:, :length]
        params, model_state = jax.tree.map(jnp.asarray, (self.params, self.model_state))
        return ClipArrays(self.network.embedding(params, model_state, tiled)[0])

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays."""
        config = self.network.config
        settings = {
            "kind": self.kind,
            "model": config.name,
            "config": to_json(config),
            "n_samples": self.network.n_features,
        }
        return settings, {"params": self.params, "model_state": self.model_state}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "Embedding":
        """Rebuild from `to_state`."""
        config = from_json(models.EMBEDDINGS[settings["model"]], settings["config"])
        restored = (nnx.restore_int_paths(arrays[name]) for name in ("params", "model_state"))
        return cls(Network(config, settings["n_samples"]), *restored)
