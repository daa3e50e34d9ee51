"""What a scorer looks at: a clip's window errors and one vector, from a network's residual or from statistics.

A representation is a frozen object called with the frames of clips. Its `window_error` feeds error scorers (None
where there is no network), its `vector` feeds vector scorers.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree
from tqdm import tqdm

from asd_jax import models
from asd_jax.extraction import ClipFrames
from asd_jax.features.scaling import Scaling
from asd_jax.window_vectors import WindowVectors


@dataclasses.dataclass(frozen=True)
class ClipRepresentation:
    """What a representation says of clips.

    Attributes:
        vector: `(n_clips, dim)`.
        window_error: `(n_clips, max_windows)` mean squared residual of each window, NaN where a clip has no such
            window; None for a representation without a network.
        window_vector: a vector for each window; None for a representation of whole clips.
    """

    vector: Float[np.ndarray, "n_clips dim"]
    window_error: Float[np.ndarray, "n_clips max_windows"] | None = None
    window_vector: WindowVectors | None = None

    def __len__(self) -> int:
        return len(self.vector)

    def of(self, chosen: np.ndarray) -> "ClipRepresentation":
        """The clips that a boolean mask or an index array chooses."""
        errors = None if self.window_error is None else self.window_error[chosen]
        windows = None if self.window_vector is None else self.window_vector.of(chosen)
        return ClipRepresentation(self.vector[chosen], errors, windows)


@runtime_checkable
class Representation(Protocol):
    """The contract of this module."""

    def __call__(self, clips: ClipFrames) -> ClipRepresentation:
        """Represent each clip."""

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """JSON settings and arrays, from which `from_state` rebuilds it."""


@dataclasses.dataclass(frozen=True)
class Network:
    """A model's config for frames of a given width, as pure functions of its parameters. Hashable.

    Attributes:
        config: one of the configs in `models.REGISTRY`.
        n_features: width of a frame.
    """

    config: Any
    n_features: int

    @functools.cached_property
    def _graph(self) -> nnx.GraphDef:
        model = nnx.eval_shape(lambda: self.config.build(self.n_features, rngs=nnx.Rngs(params=0)))
        return nnx.split(model, nnx.Param, ...)[0]

    def init(self, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """Parameters and the rest of the model's state (running means and the like), as plain nested dicts."""
        return _init(self, key)

    def residual(
        self,
        params: PyTree,
        model_state: PyTree,
        frames: Float[Array, "batch n_frames n_features"],
        *,
        training: bool = False,
    ) -> tuple[Float[Array, "batch n_windows window_frames n_features"], PyTree]:
        """Signed residual of every window, and the model state after it (which changes in training only)."""
        model = nnx.merge(self._graph, params, model_state, copy=True)  # BatchNorm writes into its module
        model.train() if training else model.eval()
        residual = model.residual(frames)
        return residual, nnx.to_pure_dict(nnx.split(model, nnx.Param, ...)[2])

    def loss(
        self,
        params: PyTree,
        model_state: PyTree,
        frames: Float[Array, "batch n_frames n_features"],
        *,
        training: bool = False,
    ) -> tuple[Float[Array, ""], PyTree]:
        """Mean squared residual, and the model state."""
        residual, model_state = self.residual(params, model_state, frames, training=training)
        return jnp.mean(jnp.square(residual)), model_state


@functools.partial(jax.jit, static_argnums=0)
def _init(network: Network, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
    model = network.config.build(network.n_features, rngs=nnx.Rngs(params=key))
    _, params, model_state = nnx.split(model, nnx.Param, ...)
    return nnx.to_pure_dict(params), nnx.to_pure_dict(model_state)


@functools.partial(jax.jit, static_argnames="network")
def _reduce_residual(
    network: Network,
    params: PyTree,
    model_state: PyTree,
    scaling: Scaling,
    frames: Float[Array, "batch n_frames n_features"],
    n_windows: Int[Array, " batch"],
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

    def __call__(self, clips: ClipFrames) -> ClipRepresentation:
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

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays."""
        settings = {
            "kind": self.kind,
            "model": self.network.config.name,
            "config": dataclasses.asdict(self.network.config),
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


@dataclasses.dataclass(frozen=True)
class PerMachine:
    """One network a machine id: a clip is represented by its own id's."""

    kind = "per_machine"

    parts: dict[str, Residual]

    def of_machine(self, machine_id: str) -> Residual:
        """The representation of an id."""
        return self.parts[machine_id]

    def __call__(self, clips: ClipFrames) -> ClipRepresentation:
        """There is no representation that holds for all ids."""
        raise TypeError("take of_machine(machine_id) of a representation per machine id")

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays."""
        states = {machine_id: part.to_state() for machine_id, part in self.parts.items()}
        settings = {"kind": self.kind, "parts": {machine_id: state[0] for machine_id, state in states.items()}}
        return settings, {machine_id: state[1] for machine_id, state in states.items()}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "PerMachine":
        """Rebuild from `to_state`."""
        parts = settings["parts"]
        return cls({machine_id: Residual.from_state(parts[machine_id], arrays[machine_id]) for machine_id in parts})


def represent(representation: Representation, clips: ClipFrames) -> Callable[[str], ClipRepresentation]:
    """Clips as each machine id sees them: the same for all ids, unless the representation is one a machine id.

    Returns:
        from a machine id to the representation of all clips, computed when it is first asked for.
    """
    if isinstance(representation, PerMachine):
        return functools.cache(lambda machine_id: representation.of_machine(machine_id)(clips))
    shared = functools.cache(lambda: representation(clips))
    return lambda machine_id: shared()


@dataclasses.dataclass(frozen=True)
class FrameMean:
    """The time-mean of a clip's frames: the control that needs no network."""

    kind = "frame_mean"

    def __call__(self, clips: ClipFrames) -> ClipRepresentation:
        """Represent each clip by its mean frame."""
        means = np.add.reduceat(clips.frames, clips.clip_start, axis=0, dtype=np.float64)
        return ClipRepresentation((means / clips.clip_length[:, None]).astype(np.float32))

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings; there are no arrays."""
        return {"kind": self.kind}, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "FrameMean":
        """Rebuild from `to_state`."""
        return cls()


REGISTRY = {representation.kind: representation for representation in (Residual, PerMachine, FrameMean)}
