"""Dense autoencoder: the baseline of DCASE Task 2, which reconstructs five frames through a narrow layer."""

import dataclasses

from flax import nnx
from jaxtyping import Array, Float

from asd_jax.models.dense_layers import DenseBottleneck
from asd_jax.models.windows import WindowExamples, windows


@dataclasses.dataclass(frozen=True)
class DenseAutoencoderConfig(WindowExamples):
    """Consecutive frames, concatenated, through dense layers with batch normalisation and a bottleneck.

    Koizumi et al., "Description and discussion on DCASE2020 Challenge Task 2" (2020). Parameters with the defaults
    and 128 features: 266,896.

    Attributes:
        window_frames: frames reconstructed together.
        window_hop: frames from one window to the next.
        hidden_size: width of the wide layers.
        n_layers: wide layers on each side of the bottleneck.
        bottleneck_size: width of the bottleneck.
        scan_epoch: run the steps of an epoch in one compiled loop.
    """

    name = "dense_autoencoder"

    window_frames: int = 5
    window_hop: int = 1
    hidden_size: int = 128
    n_layers: int = 4
    bottleneck_size: int = 8
    scan_epoch: bool = True

    def build(self, n_features: int, *, rngs: nnx.Rngs) -> "DenseAutoencoder":
        """The network for frames of `n_features` values."""
        return DenseAutoencoder(self, n_features, rngs=rngs)


class DenseAutoencoder(nnx.Module):
    """The network of `DenseAutoencoderConfig`."""

    def __init__(self, config: DenseAutoencoderConfig, n_features: int, *, rngs: nnx.Rngs) -> None:
        self.window_frames, self.window_hop = config.window_frames, config.window_hop
        width = config.window_frames * n_features
        self.layers = DenseBottleneck(
            width,
            width,
            hidden_size=config.hidden_size,
            n_layers=config.n_layers,
            bottleneck_size=config.bottleneck_size,
            rngs=rngs,
        )

    def residual(
        self, frames: Float[Array, "*batch n_frames n_features"]
    ) -> Float[Array, "*batch n_windows window_frames n_features"]:
        """Each window minus its reconstruction; frames of a window are concatenated in the order of time."""
        target = windows(frames, self.window_frames, self.window_hop)
        vectors = target.reshape(*target.shape[:-2], -1)
        return target - self.layers(vectors).reshape(target.shape)
