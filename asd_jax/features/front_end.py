"""A front end: the frozen settings that turn a waveform into frames, stored in the detector bundle."""

import dataclasses
from typing import Any

from jaxtyping import Array, Float

from asd_jax.features.framing import n_frames
from asd_jax.features.log_mel import log_mel_spectrogram


@dataclasses.dataclass(frozen=True)
class FrontEnd:
    """Log-mel spectrogram with every parameter fixed; the defaults are those of DCASE Task 2."""

    sample_rate: int = 16_000
    n_fft: int = 1024
    hop_length: int = 512
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    power: float = 2.0

    @property
    def n_features(self) -> int:
        """Width of a frame."""
        return self.n_mels

    @property
    def pads_freely(self) -> bool:
        """Whether zeros appended to a waveform leave its own frames as they are."""
        return True

    def n_frames(self, n_samples: int) -> int:
        """Number of frames of a waveform of `n_samples` samples."""
        return n_frames(n_samples, n_fft=self.n_fft, hop_length=self.hop_length)

    def __call__(self, waveform: Float[Array, "*batch n_samples"]) -> Float[Array, "*batch n_frames n_features"]:
        """Frames of a waveform at `sample_rate`; pure, so that it can be jitted and batched."""
        return log_mel_spectrogram(waveform, **dataclasses.asdict(self))

    def to_dict(self) -> dict[str, Any]:
        """Settings as plain JSON values; `FrontEnd.from_dict` reads them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "FrontEnd":
        """The front end that `to_dict` described."""
        return cls(**settings)
