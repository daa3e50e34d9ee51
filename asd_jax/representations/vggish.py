"""VGGish embeddings as a representation: 128 values for each patch of 0.96 s, and their mean for the clip."""

import dataclasses
import functools
import hashlib
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
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import cache_folder
from asd_jax.models.published import Weights
from asd_jax.models.vggish import EMBEDDING_SIZE, PATCH_FRAMES, VGGishConfig
from asd_jax.models.vggish_weights import PUBLISHED
from asd_jax.representations.recipe import Untrained
from asd_jax.representations.representation import ClipArrays, ClipRepresentation
from asd_jax.representations.window_vectors import WindowVectors

_BATCH = 32
_RANDOM = "random"


@functools.cache
def _graph() -> nnx.GraphDef:
    return nnx.split(nnx.eval_shape(lambda: VGGishConfig().build(rngs=nnx.Rngs(0))), nnx.Param)[0]


def to_params(weights: Weights) -> dict[str, Any]:
    """Parameters of the Flax network, as plain nested dicts."""
    groups = {"convolutions": ("conv", 6), "dense": ("dense", 3)}
    return {
        group: {
            i: {name: jnp.asarray(weights[f"{prefix}{i}_{name}"]) for name in ("kernel", "bias")} for i in range(count)
        }
        for group, (prefix, count) in groups.items()
    }


@jax.jit
def embed(params: PyTree, patches: Float[Array, "batch 96 64"]) -> Float[Array, "batch 128"]:
    """Embeddings of patches of log-mel frames."""
    return nnx.merge(_graph(), params)(patches)


@dataclasses.dataclass(frozen=True)
class VGGishEmbedding(Untrained):
    """Embeddings of the patches of 96 frames that a clip begins with; the vector is their mean.

    A clip's embeddings are kept in the user's cache under the hash of its frames and of the weights.

    Attributes:
        source: SHA-256 of the file that the weights come from, or `random` for random ones, which no result should
            rest on.
        seed: of random weights.
        cache: keep embeddings on disk.
    """

    kind = "vggish"
    min_frames = PATCH_FRAMES

    source: str
    seed: int = 0
    cache: bool = True

    @functools.cached_property
    def params(self) -> PyTree:
        """Parameters of the network; read when they are first needed."""
        with jax.ensure_compile_time_eval():  # kept: they must be no part of a program that is being traced
            if self.source != _RANDOM:
                return to_params(PUBLISHED.cached(self.source))
            model = VGGishConfig().build(rngs=nnx.Rngs(self.seed))
            return nnx.to_pure_dict(nnx.split(model, nnx.Param)[1])

    @classmethod
    def load(cls, path: str | Path | None = None) -> "VGGishEmbedding":
        """With published weights; path and errors as in `Published.load`."""
        return cls(PUBLISHED.load(path)[1])

    @property
    def stamp(self) -> Mapping[str, Any]:
        """Whether the weights are random ones, of which nothing should be expected."""
        return {"random_weights": self.source == _RANDOM}

    @classmethod
    def random(cls, *, seed: int) -> "VGGishEmbedding":
        """With random weights: a control."""
        return cls(_RANDOM, seed)

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip."""
        found: dict[int, np.ndarray] = {}
        waiting: list[tuple[int, np.ndarray]] = []
        bar = tqdm(total=len(clips), desc="VGGish", unit="clip", delay=3, leave=False, disable=None)
        for index in range(len(clips)):
            frames = clips.clip(index)
            n_patches = len(frames) // PATCH_FRAMES
            patches = frames[: n_patches * PATCH_FRAMES].reshape(n_patches, PATCH_FRAMES, -1)
            saved = self._saved(patches)
            if saved is not None and saved.is_file():
                found[index] = np.load(saved, allow_pickle=False)
                bar.update()
            else:
                waiting.append((index, patches))
            if sum(len(patches) for _, patches in waiting) >= _BATCH:
                self._embed(waiting, found)
                bar.update(len(waiting))
                waiting = []
        self._embed(waiting, found)
        bar.close()
        windows = [found[index] for index in range(len(clips))]
        length = np.asarray([len(vectors) for vectors in windows])
        start = np.cumsum(length) - length
        vectors = np.stack([vectors.mean(axis=0) for vectors in windows])
        return ClipRepresentation(vectors, window_vector=WindowVectors(np.concatenate(windows), start, length))

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`; the weights, 288 MB of them, become part of what is exported."""
        n_patches = frames.shape[1] // PATCH_FRAMES
        patches = frames[:, : n_patches * PATCH_FRAMES].reshape(-1, PATCH_FRAMES, frames.shape[2])
        vectors = embed(self.params, patches).reshape(-1, n_patches, EMBEDDING_SIZE)
        return ClipArrays(vectors.mean(axis=1), window_vector=vectors)

    def _embed(self, waiting: list[tuple[int, np.ndarray]], found: dict[int, np.ndarray]) -> None:
        """Embed the patches of some clips in batches of one size, and keep them."""
        if not waiting:
            return
        patches = np.concatenate([patches for _, patches in waiting])
        padded = np.zeros((-(-len(patches) // _BATCH) * _BATCH, *patches.shape[1:]), np.float32)
        padded[: len(patches)] = patches
        parts = [np.asarray(embed(self.params, batch)) for batch in padded.reshape(-1, _BATCH, *patches.shape[1:])]
        vectors = np.concatenate(parts)
        first = 0
        for index, own in waiting:
            found[index] = vectors[first : first + len(own)].reshape(-1, EMBEDDING_SIZE)
            first += len(own)
            saved = self._saved(own)
            if saved is not None:
                saved.parent.mkdir(parents=True, exist_ok=True)
                aside = saved.with_suffix(".part")
                with aside.open("wb") as file:
                    np.save(file, found[index])
                aside.replace(saved)

    def _saved(self, patches: np.ndarray) -> Path | None:
        """Where the embeddings of a clip are kept."""
        if not self.cache:
            return None
        weights = self.source if self.source != _RANDOM else f"{_RANDOM}{self.seed}"
        digest = hashlib.sha256(weights.encode() + np.ascontiguousarray(patches).tobytes()).hexdigest()
        return cache_folder() / "vggish_embeddings" / digest[:2] / f"{digest}.npy"

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings; the weights stay in the user's cache, since every run would otherwise hold 288 MB of them."""
        return {"kind": self.kind, "weights": self.source, "seed": self.seed}, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "VGGishEmbedding":
        """Rebuild from `to_state`."""
        return cls(settings["weights"], settings["seed"])
