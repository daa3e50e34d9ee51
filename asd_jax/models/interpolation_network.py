"""Interpolation network (IDNN): the middle one of five frames from the other four."""

import dataclasses

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.models.dense_layers import DenseBottleneck
from asd_jax.models.windows import WindowExamples, windows


@dataclasses.dataclass(frozen=True)
class InterpolationNetworkConfig(WindowExamples):
    """The frames around the middle one of a window, concatenated, through dense layers to the middle one.

    Suefusa et al., "Anomalous sound detection based on interpolation deep neural network" (ICASSP 2020), with the
    layers of the DCASE baseline. Parameters with the defaults and 128 features: 184,464.

    Attributes:
        window_frames: frames of a window, an odd number.
        window_hop: frames from one window to the next.
        hidden_size: width of the wide layers.
        n_layers: wide layers on each side of the bottleneck.
        bottleneck_size: width of the bottleneck.
        scan_epoch: run the steps of an epoch in one compiled loop.
    """

    name = "interpolation_network"

    window_frames: int = 5
    window_hop: int = 1
    hidden_size: int = 128
    n_layers: int = 4
    bottleneck_size: int = 8
    scan_epoch: bool = True

    def __post_init__(self) -> None:
        if self.window_frames < 3 or self.window_frames % 2 == 0:
            raise ValueError(f"window_frames must be odd and at least 3, got {self.window_frames}")

    @property
    def target_offset(self) -> int:
        """Frame of a window that is predicted: the middle one."""
        return self.window_frames // 2

    def build(self, n_features: int, *, rngs: nnx.Rngs) -> "InterpolationNetwork":
        """The network for frames of `n_features` values."""
        return InterpolationNetwork(self, n_features, rngs=rngs)


class InterpolationNetwork(nnx.Module):
    """The network of `InterpolationNetworkConfig`."""

    def __init__(self, config: InterpolationNetworkConfig, n_features: int, *, rngs: nnx.Rngs) -> None:
        self.window_frames, self.window_hop = config.window_frames, config.window_hop
        self.layers = DenseBottleneck(
            (config.window_frames - 1) * n_features,
            n_features,
            hidden_size=config.hidden_size,
            n_layers=config.n_layers,
            bottleneck_size=config.bottleneck_size,
            rngs=rngs,
        )

    def residual(
        self, frames: Float[Array, "*batch n_frames n_features"]
    ) -> Float[Array, "*batch n_windows 1 n_features"]:
        """The middle frame of each window minus its prediction."""
        window = windows(frames, self.window_frames, self.window_hop)
        middle = self.window_frames // 2
        around = jnp.concatenate([window[..., :middle, :], window[..., middle + 1 :, :]], axis=-2)
        prediction = self.layers(around.reshape(*around.shape[:-2], -1))
        return (window[..., middle, :] - prediction)[..., None, :]
