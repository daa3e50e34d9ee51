"""The residual of a trained network as a representation."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int, PyTree
from tqdm import tqdm

from asd_jax import models
from asd_jax.datasets.clips import Machine
from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import to_json
from asd_jax.models.network import Network
from asd_jax.representations.representation import ClipArrays, ClipRepresentation


@functools.partial(jax.jit, static_argnames="network")
def _reduce_residual(
    network: Network,
    params: PyTree,
    model_state: PyTree,
    scaling: Scaling,
    frames: Float[Array, "batch n_frames n_features"],
    n_windows: Int[Array, " #batch"],
) -> tuple[Float[Array, "batch max_windows"], Float[Array, "batch n_features"]]:
    """Window errors (NaN beyond a clip's end) and the mean signed residual over a clip's windows and frames."""
    residual, _ = network.residual(params, model_state, scaling(frames))
    inside = jnp.arange(residual.shape[1])[None, :] < n_windows[:, None]
    window_error = jnp.where(inside, jnp.mean(jnp.square(residual), axis=(2, 3)), jnp.nan)
    total = jnp.sum(jnp.where(inside[:, :, None], jnp.mean(residual, axis=2), 0.0), axis=1)
    return window_error, total / n_windows[:, None].astype(total.dtype)


@dataclasses.dataclass(frozen=True)
class Residual:
    """The residual of a trained network: `vector` is the signed mean residual of a clip."""

    kind = "residual"

    network: Network
    params: PyTree
    model_state: PyTree
    scaling: Scaling

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip by its window errors and its signed mean residual."""
        config = self.network.config
        n_windows = (clips.clip_length - config.window_span) // config.window_hop + 1
        errors = np.full((len(clips), int(n_windows.max())), np.nan, np.float32)
        vectors = np.empty((len(clips), self.network.n_features), np.float32)
        # Shown after some seconds only, so that scoring a few clips stays quiet.
        bar = tqdm(total=len(clips), desc="residuals", unit="clip", delay=3, leave=False, disable=None)
        for chosen, batch in clips.padded_batches():
            bar.update(len(chosen))
            # Rows beyond the chosen clips are padding; one window keeps their mean defined.
            counts = np.ones(len(batch), np.int32)
            counts[: len(chosen)] = n_windows[chosen]
            window_error, mean_residual = _reduce_residual(
                self.network, self.params, self.model_state, self.scaling, batch, counts
            )
            rows = np.asarray(window_error)[: len(chosen), : errors.shape[1]]
            errors[chosen, : rows.shape[1]] = rows
            vectors[chosen] = np.asarray(mean_residual)[: len(chosen)]
        bar.close()
        return ClipRepresentation(vectors, errors)

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`; the network is the same for every machine."""
        config = self.network.config
        count = (frames.shape[1] - config.window_span) // config.window_hop + 1
        n_windows = jnp.full((1,), count, jnp.int32)
        error, vector = _reduce_residual(self.network, self.params, self.model_state, self.scaling, frames, n_windows)
        return ClipArrays(vector, error)

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays."""
        settings = {
            "kind": self.kind,
            "model": self.network.config.name,
            "config": to_json(self.network.config),
            "n_features": self.network.n_features,
        }
        scaling = {"offset": self.scaling.offset, "scale": self.scaling.scale}
        return settings, {"params": self.params, "model_state": self.model_state, "scaling": scaling}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "Residual":
        """Rebuild from `to_state`."""
        config = models.REGISTRY[settings["model"]](**_tuples(settings["config"]))
        return cls(
            Network(config, settings["n_features"]),
            nnx.restore_int_paths(arrays["params"]),  # a saved tree has names only, a list of layers numbers
            nnx.restore_int_paths(arrays["model_state"]),
            Scaling(**arrays["scaling"]),
        )


def _tuples(value: Any) -> Any:
    """JSON has lists only; a config that is a static argument of compiled functions needs tuples."""
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
