"""The branch of a multi-branch network that hears a clip's whole spectrum: tones, however long they last."""

import itertools

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.features.precise_stft import magnitude
from asd_jax.models.embedding_layers import BatchNorm, Dense, SqueezeExcitation, fan_in_uniform

_KERNELS = ((256, 64), (64, 32), (16, 4))  # width and stride of the convolutions, in bins
_N_HIDDEN = 5


class StridedConvolution(nnx.Module):
    """A one-dimensional convolution without padding whose stride divides its width, as one matrix product.

    XLA's CPU convolution of one axis is many times slower than the product of the overlapping windows, which for such
    strides are blocks side by side.
    """

    def __init__(self, n_inputs: int, n_outputs: int, width: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.width, self.stride = width, stride
        self.kernel = nnx.Param(fan_in_uniform(rngs.params(), (width * n_inputs, n_outputs)))

    def n_positions(self, length: int) -> int:
        """Positions of the output for an input of `length`."""
        return (length - self.width) // self.stride + 1

    def __call__(self, values: Float[Array, "batch length n_inputs"]) -> Float[Array, "batch positions n_outputs"]:
        """The convolved values."""
        batch, length, n_inputs = values.shape  # the batch may be a symbol, in a program that is exported
        positions, parts = self.n_positions(length), self.width // self.stride
        n_blocks = positions + parts - 1
        blocks = values[:, : n_blocks * self.stride].reshape(batch, n_blocks, self.stride * n_inputs)
        windows = jnp.concatenate([blocks[:, part : part + positions] for part in range(parts)], axis=-1)
        products = windows.reshape(batch * positions, self.width * n_inputs) @ self.kernel[...]
        return products.reshape(batch, positions, products.shape[1])


class SpectrumBranch(nnx.Module):
    """Magnitudes of the spectrum of a whole clip through three convolutions and six dense layers."""

    def __init__(self, n_samples: int, width: int, *, rngs: nnx.Rngs) -> None:
        length, self.convolutions = n_samples // 2 + 1, nnx.List()
        for n_inputs, (kernel, stride) in zip((1, width, width), _KERNELS, strict=True):
            self.convolutions.append(StridedConvolution(n_inputs, width, kernel, stride, rngs=rngs))
            length = self.convolutions[-1].n_positions(length)
        if length < 1:
            raise ValueError(f"n_samples={n_samples}: the spectrum's branch reads {self.least_samples()} at least")
        self.excitations = nnx.List(SqueezeExcitation(width, rngs=rngs) for _ in _KERNELS)
        widths = [length * width, *[width] * _N_HIDDEN]
        self.hidden = nnx.List(Dense(*pair, rngs=rngs) for pair in itertools.pairwise(widths))
        self.norms = nnx.List(BatchNorm(width) for _ in range(_N_HIDDEN))
        self.output = Dense(width, width, rngs=rngs)

    @staticmethod
    def least_samples() -> int:
        """Fewest samples of a clip: one position must be left after the convolutions."""
        length = 1
        for width, stride in reversed(_KERNELS):
            length = (length - 1) * stride + width
        return 2 * (length - 1)

    def __call__(self, waveforms: Float[Array, "batch n_samples"]) -> Float[Array, "batch width"]:
        """The branch's part of the embedding."""
        values = magnitude(waveforms)[..., None]
        for convolution, excitation in zip(self.convolutions, self.excitations, strict=True):
            values = excitation(jax.nn.relu(convolution(values)))
        values = values.swapaxes(1, 2)  # channel by channel, as published
        values = values.reshape(values.shape[0], values.shape[1] * values.shape[2])
        for layer, norm in zip(self.hidden, self.norms, strict=True):
            values = jax.nn.relu(norm(layer(values)))
        return self.output(values)
