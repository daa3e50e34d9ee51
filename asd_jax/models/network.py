"""A model's config as pure functions of its parameters: split once, from there plain JAX."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray, PyTree


@runtime_checkable
class Learner(Protocol):
    """What the training loop trains: a network, or one with what its objective learns beside it. Hashable."""

    config: Any  # the model's

    def init(self, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """Parameters and the rest of the state before the first step, as plain nested dicts."""

    def own(self, tree: PyTree) -> PyTree:
        """The network's part of parameters or state."""


@dataclasses.dataclass(frozen=True)
class Network:
    """A model's config for frames of a given width, as pure functions of its parameters. Hashable.

    Attributes:
        config: one of the configs in `models.REGISTRY`.
        n_features: width of a frame; of a model that embeds waveforms, their length.
    """

    config: Any
    n_features: int

    @functools.cached_property
    def _graph(self) -> nnx.GraphDef:
        model = nnx.eval_shape(lambda: self.config.build(self.n_features, rngs=nnx.Rngs(params=0)))
        return nnx.split(model, nnx.Param, ...)[0]

    def init(self, *, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        """Parameters and the rest of the model's state (running means and the like), as plain nested dicts."""
        if isinstance(key, jax.core.Tracer):  # compiled with what it is a part of
            return _init(self, key)
        return _compiled_init()(self, key)

    def residual(
        self,
        params: PyTree,
        model_state: PyTree,
        frames: Float[Array, "batch n_frames n_features"],
        *,
        training: bool = False,
    ) -> tuple[Float[Array, "batch n_windows window_frames n_features"], PyTree]:
        """Signed residual of every window, and the model state after it (which changes in training only)."""
        return self._call("residual", params, model_state, frames, training)

    def embedding(
        self, params: PyTree, model_state: PyTree, waveforms: Float[Array, "batch n_samples"], *, training: bool = False
    ) -> tuple[Float[Array, "batch embedding_size"], PyTree]:
        """Embedding of every waveform, and the model state after it (which changes in training only)."""
        return self._call("embedding", params, model_state, waveforms, training)

    def module(self, params: PyTree, model_state: PyTree) -> nnx.Module:
        """The Flax module with these parameters, in evaluation mode: its layers can be called one by one."""
        model = nnx.merge(self._graph, params, model_state, copy=True)
        model.eval()
        return model

    def _call(
        self, method: str, params: PyTree, model_state: PyTree, values: Array, training: bool
    ) -> tuple[Array, PyTree]:
        model = nnx.merge(self._graph, params, model_state, copy=True)  # BatchNorm writes into its module
        model.train() if training else model.eval()
        result = getattr(model, method)(values)
        return result, nnx.to_pure_dict(nnx.split(model, nnx.Param, ...)[2])

    def own(self, tree: PyTree) -> PyTree:
        """The network's part of parameters or state: all of it (see `Learner`)."""
        return tree


def _init(network: Network, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
    model = network.config.build(network.n_features, rngs=nnx.Rngs(params=key))
    _, params, model_state = nnx.split(model, nnx.Param, ...)
    return nnx.to_pure_dict(params), nnx.to_pure_dict(model_state)


@functools.cache
def _compiled_init() -> Callable[[Network, PRNGKeyArray], tuple[PyTree, PyTree]]:
    """`_init`, which runs once: on a CPU it compiles two to three times as fast, to the same bits, where XLA optimises
    less.
    """
    options = {"xla_backend_optimization_level": 1} if jax.default_backend() == "cpu" else None
    return jax.jit(_init, static_argnums=0, compiler_options=options)
