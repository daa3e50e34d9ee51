"""Convolutional autoencoder: overlapping mel frames as pictures, through strided convolutions and back."""

import dataclasses
import itertools

import jax
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.models.windows import WindowExamples, windows

Layer = tuple[int, tuple[int, int], tuple[int, int]]  # channels, kernel and stride (time, frequency)


@dataclasses.dataclass(frozen=True)
class ConvAutoencoderConfig(WindowExamples):
    """Strided convolutions with batch normalisation and ReLU, one to the code without padding, and their mirror image.

    The defaults are small enough for a CPU; `uminho` is the deeper published variant. Parameters with the defaults
    and 128 features: 268,553.

    Attributes:
        window_frames: frames of a window; 20 are 0.6 s from the first to the last.
        window_hop: frames from one window to the next.
        layers: channels, kernel and stride of each layer, kernel and stride as (time, frequency); the strides must
            divide the window.
        bottleneck_size: channels of the code, one vector a window.
        scaling: of the frames, see `features.scaling`.
        scan_epoch: run the steps of an epoch in one compiled loop; XLA's CPU convolutions are many times slower there.
    """

    name = "conv_autoencoder"

    window_frames: int = 20
    window_hop: int = 10
    layers: tuple[Layer, ...] = (
        (16, (5, 5), (2, 2)),
        (32, (5, 5), (2, 4)),
        (64, (3, 3), (1, 2)),
    )
    bottleneck_size: int = 40
    scaling: str = "min_max"
    scan_epoch: bool = False

    @classmethod
    def uminho(cls, **settings: object) -> "ConvAutoencoderConfig":
        """The deep variant of the University of Minho: patches of 32 frames every 3, standardised.

        Five layers and a code of 40; 4,122,089 parameters with 128 features. Not for a CPU.
        """
        layers = (
            (32, (5, 5), (1, 2)),
            (64, (5, 5), (1, 2)),
            (128, (5, 5), (2, 2)),
            (256, (3, 3), (2, 2)),
            (512, (3, 3), (2, 2)),
        )
        defaults = {"window_frames": 32, "window_hop": 3, "layers": layers, "scaling": "standardize"}
        return cls(**(defaults | settings))

    def build(self, n_features: int, *, rngs: nnx.Rngs) -> "ConvAutoencoder":
        """The network for frames of `n_features` values."""
        return ConvAutoencoder(self, n_features, rngs=rngs)


class _Block(nnx.Module):
    """A convolution without bias, or its transpose, then batch normalisation and ReLU."""

    def __init__(
        self, convolution: type, n_in: int, n_out: int, kernel: tuple, stride: tuple, padding: str, *, rngs: nnx.Rngs
    ) -> None:
        self.conv = convolution(n_in, n_out, kernel, strides=stride, padding=padding, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(n_out, rngs=rngs)

    def __call__(self, image: Float[Array, "batch t f c"]) -> Float[Array, "batch t2 f2 c2"]:
        return jax.nn.relu(self.norm(self.conv(image)))


class ConvAutoencoder(nnx.Module):
    """The network of `ConvAutoencoderConfig`."""

    def __init__(self, config: ConvAutoencoderConfig, n_features: int, *, rngs: nnx.Rngs) -> None:
        self.window_frames, self.window_hop = config.window_frames, config.window_hop
        size = [config.window_frames, n_features]
        for _, _, stride in config.layers:
            for axis in (0, 1):
                if size[axis] % stride[axis]:
                    raise ValueError(f"strides of {config.layers} do not divide {config.window_frames} × {n_features}")
                size[axis] //= stride[axis]
        channels = [1, *(layer[0] for layer in config.layers)]
        shapes = [layer[1:] for layer in config.layers]
        pairs = list(zip(itertools.pairwise(channels), shapes, strict=True))
        self.encoder = nnx.List(_Block(nnx.Conv, *io, *shape, "SAME", rngs=rngs) for io, shape in pairs)
        rest, code = (channels[-1], config.bottleneck_size), tuple(size)
        self.code = nnx.Conv(*rest, code, padding="VALID", rngs=rngs)
        self.unfold = _Block(nnx.ConvTranspose, *rest[::-1], code, (1, 1), "VALID", rngs=rngs)
        mirrored = [(io[::-1], shape) for io, shape in pairs[:0:-1]]
        self.decoder = nnx.List(_Block(nnx.ConvTranspose, *io, *shape, "SAME", rngs=rngs) for io, shape in mirrored)
        kernel, stride = shapes[0]
        self.output = nnx.ConvTranspose(channels[1], 1, kernel, strides=stride, padding="SAME", rngs=rngs)

    def residual(
        self, frames: Float[Array, "*batch n_frames n_features"]
    ) -> Float[Array, "*batch n_windows window_frames n_features"]:
        """Each window minus its reconstruction."""
        target = windows(frames, self.window_frames, self.window_hop)
        image = target.reshape(-1, *target.shape[-2:], 1)
        for block in self.encoder:
            image = block(image)
        image = self.unfold(self.code(image))
        for block in self.decoder:
            image = block(image)
        return target - self.output(image).reshape(target.shape)
