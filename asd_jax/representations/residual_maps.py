"""Where in time and frequency a clip departs from what was expected: the map behind its score."""

import dataclasses
import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.representations.residual import Residual


@dataclasses.dataclass(frozen=True)
class ClipMap:
    """A clip held against what was expected of it; NaN where nothing was.

    Attributes:
        expected: reconstruction or prediction, in the unit of the frames, averaged over the windows that hold a frame.
        squared: squared residual in squared standard deviations of training, likewise averaged.
        deviation: of the clip's time-mean from that of normal clips, in their standard deviations; None with a network.
    """

    expected: Float[np.ndarray, "n_frames n_features"]
    squared: Float[np.ndarray, "n_frames n_features"]
    deviation: Float[np.ndarray, " n_features"] | None = None


@functools.partial(jax.jit, static_argnames="network")
def _maps(
    network: Network,
    params: PyTree,
    model_state: PyTree,
    scaling: Scaling,
    frames: Float[Array, "batch n_frames n_features"],
    n_windows: Int[Array, " batch"],
) -> tuple[Float[Array, "batch n_frames n_features"], Float[Array, "batch n_frames n_features"]]:
    """Mean over windows of the residual of each frame, and of its square."""
    residual, _ = network.residual(params, model_state, scaling(frames))
    hop, offset = network.config.window_hop, network.config.target_offset
    inside = (jnp.arange(residual.shape[1])[None, :] < n_windows[:, None])[:, :, None, None]
    after = frames.shape[1] - offset - (residual.shape[1] - 1) * hop - 1

    def onto_frames(values: Float[Array, "b w t f"]) -> Float[Array, "b n_frames f"]:
        """Sum of the windows, each laid where its target frames are."""
        zero = jnp.zeros((), values.dtype)
        return sum(
            jax.lax.pad(values[:, :, t], zero, ((0, 0, 0), (offset + t, after - t, hop - 1), (0, 0, 0)))
            for t in range(values.shape[2])
        )

    count = onto_frames(jnp.broadcast_to(inside, (*residual.shape[:3], 1)).astype(residual.dtype))
    residual = jnp.where(inside, residual, 0.0)
    return onto_frames(residual) / count, onto_frames(jnp.square(residual)) / count


def residual_maps(residual: Residual, clips: StoredClips) -> Iterator[tuple[int, ClipMap]]:
    """The map of each clip by a network, with the clip's index; clips of one length come together.

    The mean of `squared` over a clip is its `mse` where every frame lies in equally many windows.
    """
    config = residual.network.config
    n_windows = (clips.clip_length - config.window_span) // config.window_hop + 1
    scale = np.asarray(residual.scaling.scale)
    for chosen, batch in clips.padded_batches():
        counts = np.ones(len(batch), np.int32)
        counts[: len(chosen)] = n_windows[chosen]
        signed, squared = map(
            np.asarray, _maps(residual.network, residual.params, residual.model_state, residual.scaling, batch, counts)
        )
        for row, index in enumerate(chosen.tolist()):
            frames = clips.clip(index)
            expected = frames - signed[row, : len(frames)] / scale
            yield index, ClipMap(expected, squared[row, : len(frames)])
