"""A model's config as pure functions of its parameters: split once, from there plain JAX."""

import dataclasses
import functools
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray, PyTree


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


@functools.partial(jax.jit, static_argnums=0)
def _init(network: Network, key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
    model = network.config.build(network.n_features, rngs=nnx.Rngs(params=key))
    _, params, model_state = nnx.split(model, nnx.Param, ...)
    return nnx.to_pure_dict(params), nnx.to_pure_dict(model_state)
