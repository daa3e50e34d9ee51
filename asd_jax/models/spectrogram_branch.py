"""The branch of a multi-branch network that hears a spectrogram: a small residual network over time and frequency."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.features.precise_stft import magnitude
from asd_jax.models.convolution import Convolution
from asd_jax.models.embedding_layers import BatchNorm, Dense, SqueezeExcitation, normalized
from asd_jax.models.max_pool import max_pool

_LOWEST_HZ, _HIGHEST_HZ = 200.0, 8000.0
_STAGES = (16, 32, 64, 128)  # channels of the stages, halved in time and frequency from the second on
_BLOCKS = 2


def magnitudes(
    waveforms: Float[Array, "batch n_samples"], *, n_fft: int, sample_rate: int
) -> Float[Array, "batch n_frames n_bins"]:
    """Magnitude spectrogram from 200 to 8000 Hz, no logarithm: periodic Hann window, hop of half of it, centred frames
    with zeros beyond the ends, divided by the window's root energy. In the precision of the waveforms.
    """
    hop = n_fft // 2
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    window = jnp.asarray(window / math.sqrt(np.square(window).sum()), waveforms.dtype)
    padded = jnp.pad(waveforms, ((0, 0), (hop, hop)))
    n_blocks = padded.shape[1] // hop
    blocks = padded[:, : n_blocks * hop].reshape(padded.shape[0], n_blocks, hop)
    frames = jnp.concatenate([blocks[:, :-1], blocks[:, 1:]], axis=-1)  # half overlapping: two blocks each
    first, last = bins(n_fft, sample_rate)
    return magnitude(frames * window[None, None])[..., first:last]


def bins(n_fft: int, sample_rate: int) -> tuple[int, int]:
    """First bin that is kept, and the one after the last."""
    hertz = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    return int(np.searchsorted(hertz, _LOWEST_HZ)), int(np.searchsorted(hertz, _HIGHEST_HZ, side="right"))


class ResidualBlock(nnx.Module):
    """Normalised values, plus two convolutions of them with squeeze and excitation."""

    def __init__(self, n_inputs: int, n_outputs: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.norm = BatchNorm(n_inputs)
        self.first = Convolution(n_inputs, n_outputs, 3, stride=stride, padding=1, rngs=rngs)
        self.middle = BatchNorm(n_outputs)
        self.second = Convolution(n_outputs, n_outputs, 3, padding=1, rngs=rngs)
        self.excitation = SqueezeExcitation(n_outputs, rngs=rngs)
        self.skip = Convolution(n_inputs, n_outputs, 1, rngs=rngs) if stride > 1 else None

    def __call__(self, image: Float[Array, "batch t f n_inputs"]) -> Float[Array, "batch t2 f2 n_outputs"]:
        """The block's output, half as large where its stride is two."""
        image = self.norm(image)
        residual = self.second(jax.nn.relu(self.middle(self.first(jax.nn.relu(image)))))
        skip = image if self.skip is None else self.skip(max_pool(image, padding=1))
        return self.excitation(residual) + skip


class SpectrogramBranch(nnx.Module):
    """A spectrogram through a convolution and four stages of residual blocks; the largest value over time is kept."""

    def __init__(self, n_fft: int, width: int, *, sample_rate: int, rngs: nnx.Rngs) -> None:
        self.n_fft, self.sample_rate = n_fft, sample_rate
        first, last = bins(n_fft, sample_rate)
        self.norm = BatchNorm(last - first)
        self.stem = Convolution(1, _STAGES[0], 7, stride=2, rngs=rngs)
        self.stem_norm = BatchNorm(_STAGES[0])
        self.blocks, n_inputs = nnx.List(), _STAGES[0]
        for stage, channels in enumerate(_STAGES):
            for block in range(_BLOCKS):
                stride = 2 if stage and not block else 1
                self.blocks.append(ResidualBlock(n_inputs, channels, stride, rngs=rngs))
                n_inputs = channels
        flat = _positions(last - first) * _STAGES[-1]
        self.output_norm = BatchNorm(flat)
        self.output = Dense(flat, width, rngs=rngs)

    @staticmethod
    def least_samples(n_fft: int) -> int:
        """Fewest samples of a clip: one frame must be left after the stem and its pooling."""
        return (11 - 1) * (n_fft // 2)  # a pooled position reads three of the stem's, and these eleven frames

    def __call__(self, waveforms: Float[Array, "batch n_samples"]) -> Float[Array, "batch width"]:
        """The branch's part of the embedding."""
        spectrogram = magnitudes(waveforms, n_fft=self.n_fft, sample_rate=self.sample_rate)
        image = self.norm(spectrogram)[..., None]  # a mean and a variance for each bin
        image = self.stem(image)
        moments = self.stem_norm.moments(image)
        # Normalisation and ReLU keep order: the quarter of the positions that the pooling keeps needs them.
        image = jax.nn.relu(normalized(max_pool(image), *moments))
        for block in self.blocks:
            image = block(image)
        loudest = jnp.max(image, axis=1)
        loudest = loudest.swapaxes(1, 2)  # channel by channel, as published
        flat = loudest.reshape(loudest.shape[0], loudest.shape[1] * loudest.shape[2])
        return self.output(self.output_norm(flat))


def _positions(length: int) -> int:
    """Positions along an axis after the stem, its pooling and the halvings."""
    length = ((length - 7) // 2 + 1 - 3) // 2 + 1
    for _ in _STAGES[1:]:
        length = (length - 1) // 2 + 1
    return length
