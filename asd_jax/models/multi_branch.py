"""Multi-branch network: embeddings of waveforms by which normal clips are told apart."""

import dataclasses

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.errors import InputError
from asd_jax.models.spectrogram_branch import SpectrogramBranch
from asd_jax.models.spectrum_branch import SpectrumBranch

SPECTRUM = "spectrum"


@dataclasses.dataclass(frozen=True)
class MultiBranchConfig:
    """A branch for the spectrum of the whole clip, and one for each spectrogram; their outputs stand side by side.

    Wilkinghoff's network of two branches ("Self-supervised learning for anomalous sound detection", ICASSP 2024) with
    the spectrograms of Fujimura et al. (2025).

    Attributes:
        branches: `spectrum`, and the n_fft of spectrograms.
        width: values of each branch, and channels of the spectrum's.
        sample_rate: of the waveforms.
        seconds: length that clips are tiled or cropped to; None for that of the longest ones trained on, or the least
            that the branches can read.
        scan_epoch: run the steps of an epoch in one compiled loop; XLA's CPU convolutions are many times slower there.
    """

    name = "multi_branch"
    gives = "embedding"

    branches: tuple[str, ...] = (SPECTRUM, "256", "1024", "4096")
    width: int = 128
    sample_rate: int = 16_000
    seconds: float | None = None
    scan_epoch: bool = False

    def __post_init__(self) -> None:
        given = f"`branches={','.join(self.branches)}`"
        for name in self.branches:
            if name != SPECTRUM and not (name.isdecimal() and 32 <= int(name) <= 2**15 and int(name) % 2 == 0):
                raise InputError(f"{given}: {name!r} is neither spectrum nor an even n_fft from 32 to 32768")
        if not self.branches or len(set(self.branches)) < len(self.branches):
            raise InputError(f"{given}: name each branch once, such as spectrum,256,1024,4096")
        if self.seconds is not None and self.seconds * self.sample_rate < self.least_samples:
            least = self.least_samples / self.sample_rate
            raise InputError(f"`seconds={self.seconds:g}`: {given} needs clips of at least {least:.3g} s")

    @property
    def embedding_size(self) -> int:
        """Values of an embedding."""
        return self.width * len(self.branches)

    @property
    def least_samples(self) -> int:
        """Fewest samples that a clip must be tiled or cropped to."""
        return max(
            SpectrumBranch.least_samples() if name == SPECTRUM else SpectrogramBranch.least_samples(int(name))
            for name in self.branches
        )

    def build(self, n_samples: int, *, rngs: nnx.Rngs) -> "MultiBranch":
        """The network for waveforms of `n_samples`."""
        return MultiBranch(self, n_samples, rngs=rngs)


class MultiBranch(nnx.Module):
    """The network of `MultiBranchConfig`."""

    def __init__(self, config: MultiBranchConfig, n_samples: int, *, rngs: nnx.Rngs) -> None:
        self.branches = nnx.List(
            SpectrumBranch(n_samples, config.width, rngs=rngs)
            if name == SPECTRUM
            else SpectrogramBranch(int(name), config.width, sample_rate=config.sample_rate, rngs=rngs)
            for name in config.branches
        )

    def embedding(self, waveforms: Float[Array, "batch n_samples"]) -> Float[Array, "batch embedding_size"]:
        """The branches' outputs side by side."""
        return jnp.concatenate([branch(waveforms) for branch in self.branches], axis=-1)
