"""VGGish: the audio network that AudioSet's embeddings come from (Hershey et al., ICASSP 2017); never trained here."""

import dataclasses
import itertools

import jax
from flax import nnx
from jaxtyping import Array, Float

PATCH_FRAMES = 96
N_MELS = 64
EMBEDDING_SIZE = 128
_CHANNELS = (64, 128, 256, 256, 512, 512)
_POOLED = (True, True, False, True, False, True)


@dataclasses.dataclass(frozen=True)
class VGGishConfig:
    """Six 3 × 3 convolutions, four of them before a pooling by two, and three dense layers, each with ReLU.

    Parameters with the defaults: 72,141,184. The fields are there for tests, which need no network that large.

    Attributes:
        channels: of the six convolutions.
        hidden_size: of the first two dense layers.
    """

    channels: tuple[int, ...] = _CHANNELS
    hidden_size: int = 4096

    def build(self, *, rngs: nnx.Rngs) -> "VGGish":
        """The network with random parameters."""
        return VGGish(self, rngs=rngs)


class VGGish(nnx.Module):
    """The network of `VGGishConfig`, from patches of log-mel to embeddings of 128 values, none negative."""

    def __init__(self, config: VGGishConfig, *, rngs: nnx.Rngs) -> None:
        exact = {"precision": jax.lax.Precision.HIGHEST, "rngs": rngs}  # so that a GPU gives the same embeddings
        pairs = itertools.pairwise((1, *config.channels))
        self.convolutions = nnx.List(nnx.Conv(n_in, n_out, (3, 3), **exact) for n_in, n_out in pairs)
        flat = (PATCH_FRAMES // 16) * (N_MELS // 16) * config.channels[-1]
        widths = (flat, config.hidden_size, config.hidden_size, EMBEDDING_SIZE)
        self.dense = nnx.List(nnx.Linear(n_in, n_out, **exact) for n_in, n_out in itertools.pairwise(widths))

    def __call__(self, patches: Float[Array, "batch 96 64"]) -> Float[Array, "batch 128"]:
        """Embeddings of patches of 96 frames of the front end `vggish`."""
        values = patches[..., None]
        for convolution, pooled in zip(self.convolutions, _POOLED, strict=True):
            values = jax.nn.relu(convolution(values))
            if pooled:
                batch, height, width, channels = values.shape
                values = values.reshape(batch, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
        values = values.reshape(values.shape[0], -1)  # in the order time, frequency, channel
        for layer in self.dense:
            values = jax.nn.relu(layer(values))
        return values
