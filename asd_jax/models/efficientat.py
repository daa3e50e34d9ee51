"""EfficientAT mn04: a small AudioSet network (Schmid et al., ICASSP 2023); never trained here.

MobileNetV3-large of width 0.4 on log-mels of 32 kHz (front end `efficientat`). Batch normalisation is part of the
convolutions (`efficientat_weights.folded`), as it is at rest.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

N_MELS = 128
N_CLASSES = 527
MIN_FRAMES = 32  # after five strides of two there is one left


class Block(NamedTuple):
    """An inverted residual block: channels of the whole network's width, before they are scaled."""

    kernel: int
    expanded: int
    out: int
    squeezes: bool
    hard_swish: bool
    stride: int


# Howard et al., "Searching for MobileNetV3", ICCV 2019, table 1.
BLOCKS = (
    Block(3, 16, 16, False, False, 1),
    Block(3, 64, 24, False, False, 2),
    Block(3, 72, 24, False, False, 1),
    Block(5, 72, 40, True, False, 2),
    Block(5, 120, 40, True, False, 1),
    Block(5, 120, 40, True, False, 1),
    Block(3, 240, 80, False, True, 2),
    Block(3, 200, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 184, 80, False, True, 1),
    Block(3, 480, 112, True, True, 1),
    Block(3, 672, 112, True, True, 1),
    Block(5, 672, 160, True, True, 2),
    Block(5, 960, 160, True, True, 1),
    Block(5, 960, 160, True, True, 1),
)
_STEM, _LAST, _HIDDEN = 16, 960, 1280


def rounded(channels: int | float) -> int:
    """A number of channels as a multiple of 8, at least 8 and never below nine tenths of what is wanted."""
    multiple = max(8, int(channels + 4) // 8 * 8)
    return multiple + 8 if multiple < 0.9 * channels else multiple


@dataclasses.dataclass(frozen=True)
class EfficientATConfig:
    """MobileNetV3-large of a width. Parameters with the default, batch normalisation folded: 978,679.

    Attributes:
        width: of the channels, relative to the full network's.
    """

    width: float = 0.4

    def channels(self, full: int) -> int:
        """Channels of a layer that has `full` at width 1."""
        return rounded(full * self.width)

    @property
    def embedding_size(self) -> int:
        """Values of the embedding."""
        return self.channels(_LAST)

    def build(self, *, rngs: nnx.Rngs) -> "EfficientAT":
        """The network with random parameters."""
        return EfficientAT(self, rngs=rngs)


class Dense(nnx.Module):
    """A linear layer, or a 1 × 1 convolution: it acts on the last axis."""

    def __init__(self, n_in: int, n_out: int, *, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(jax.nn.initializers.he_normal()(rngs.params(), (n_in, n_out)))
        self.bias = nnx.Param(jnp.zeros(n_out))

    def __call__(self, values: Float[Array, "*batch n_in"]) -> Float[Array, "*batch n_out"]:
        """Weighted sums of the channels."""
        # HIGHEST, so that a GPU gives the same embeddings.
        return _biased(jnp.matmul(values, self.kernel[...], precision=jax.lax.Precision.HIGHEST), self.bias[...])


class Shifts(nnx.Module):
    """A k × k convolution of each channel, or of a single one to several, as a sum of k² shifted slices.

    On a CPU `lax.conv` took 25 times as long for these layers.
    """

    def __init__(self, kernel: int, n_channels: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.size, self.stride = kernel, stride
        shape = (kernel, kernel, n_channels)
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), shape) / kernel)
        self.bias = nnx.Param(jnp.zeros(n_channels))

    def __call__(self, values: Float[Array, "batch time mels _"]) -> Float[Array, "batch new_time new_mels channels"]:
        """Padded by (k - 1) / 2 on all sides."""
        margin, (time, mels) = self.size // 2, values.shape[1:3]
        padded = jnp.pad(values, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
        kernel, total = self.kernel[...], None
        for i in range(self.size):
            for j in range(self.size):
                part = padded[:, i : i + time : self.stride, j : j + mels : self.stride]
                part = part * kernel[i, j].reshape(1, 1, 1, -1)
                total = part if total is None else total + part
        return _biased(total, self.bias[...])


class Squeeze(nnx.Module):
    """Channels weighed by what all of the map says (squeeze and excitation)."""

    def __init__(self, n_channels: int, *, rngs: nnx.Rngs) -> None:
        squeezed = rounded(n_channels // 4)
        self.down = Dense(n_channels, squeezed, rngs=rngs)
        self.up = Dense(squeezed, n_channels, rngs=rngs)

    def __call__(self, values: Float[Array, "batch time mels channels"]) -> Float[Array, "batch time mels channels"]:
        """The map, each channel times a weight from 0 to 1."""
        weight = jax.nn.sigmoid(self.up(jax.nn.relu(self.down(values.mean(axis=(1, 2))))))
        return values * weight[:, None, None, :]


class InvertedResidual(nnx.Module):
    """A block: expand, convolve each channel, weigh the channels, project; added to its input where shapes agree."""

    def __init__(self, n_in: int, block: Block, config: EfficientATConfig, *, rngs: nnx.Rngs) -> None:
        expanded, out = config.channels(block.expanded), config.channels(block.out)
        self.hard_swish, self.adds = block.hard_swish, block.stride == 1 and n_in == out
        self.expand = Dense(n_in, expanded, rngs=rngs) if expanded != n_in else None
        self.depthwise = Shifts(block.kernel, expanded, block.stride, rngs=rngs)
        self.squeeze = Squeeze(expanded, rngs=rngs) if block.squeezes else None
        self.project = Dense(expanded, out, rngs=rngs)

    def __call__(self, values: Float[Array, "batch time mels n_in"]) -> Float[Array, "batch new_time new_mels n_out"]:
        """The block's map."""
        active = _hard_swish if self.hard_swish else jax.nn.relu
        inner = values if self.expand is None else active(self.expand(values))
        inner = active(self.depthwise(inner))
        inner = inner if self.squeeze is None else self.squeeze(inner)
        projected = self.project(inner)
        return values + projected if self.adds else projected


class EfficientAT(nnx.Module):
    """The network of `EfficientATConfig`."""

    def __init__(self, config: EfficientATConfig, *, rngs: nnx.Rngs) -> None:
        widths = [config.channels(full) for full in (_STEM, *(block.out for block in BLOCKS))]
        self.stem = Shifts(3, widths[0], 2, rngs=rngs)
        self.blocks = nnx.List(
            InvertedResidual(n_in, block, config, rngs=rngs) for n_in, block in zip(widths[:-1], BLOCKS, strict=True)
        )
        self.last = Dense(widths[-1], config.embedding_size, rngs=rngs)
        hidden = rounded(_HIDDEN * config.width)
        self.classifier = nnx.List(
            Dense(*pair, rngs=rngs) for pair in ((config.embedding_size, hidden), (hidden, N_CLASSES))
        )

    def feature_map(
        self, frames: Float[Array, "batch n_frames 128"], blocks: int | None = None
    ) -> Float[Array, "batch time mels channels"]:
        """The map after so many blocks, all by default, from frames of the front end `efficientat`."""
        values = _hard_swish(self.stem((frames[..., None] + 4.5) / 5))
        for block in list(self.blocks)[:blocks]:
            values = block(values)
        return values

    def embedding(self, frames: Float[Array, "batch n_frames 128"]) -> Float[Array, "batch embedding_size"]:
        """The last convolution's mean over time and mels."""
        return _hard_swish(self.last(self.feature_map(frames))).mean(axis=(1, 2))

    def logits(self, embedding: Float[Array, "batch embedding_size"]) -> Float[Array, "batch 527"]:
        """Of AudioSet's classes, before the sigmoid."""
        hidden, out = self.classifier
        return out(_hard_swish(hidden(embedding)))


def _hard_swish(values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return values * jnp.clip(values + 3, 0, 6) / 6


def _biased(values: Float[Array, "*batch width"], bias: Float[Array, " width"]) -> Float[Array, "*batch width"]:
    return values + bias.reshape((1,) * (values.ndim - 1) + bias.shape)
