"""A front end: the frozen settings that turn a waveform into frames, stored in the detector bundle."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from asd_jax.features.cepstra import cepstrum
from asd_jax.features.chroma import cens, chroma_cqt, chroma_stft
from asd_jax.features.framing import n_frames
from asd_jax.features.log_mel import log_mel_spectrogram
from asd_jax.features.presets import PRESETS, Settings
from asd_jax.features.spectrogram import power_spectrogram
from asd_jax.features.waveform import as_waveform


@dataclasses.dataclass(frozen=True)
class FrontEnd(Settings):
    """Features of a waveform, side by side on the last axis at one hop; the default is the log-mel of DCASE Task 2.

    Attributes:
        features: names from `FrontEnd.known()`, in the order of their columns. `log_mel`, `lmfe` (the same bands in the
            natural logarithm), `mfcc` and `spectrogram` follow the settings; `chroma_stft` takes those of its STFT,
            `chroma_cqt` and `cens` the rate and hop.

    Raises:
        ValueError: an unknown or repeated name; chroma of a constant-Q transform with frames that are not centred.
    """

    kind: ClassVar[str] = "transforms"

    features: tuple[str, ...] = ("log_mel",)

    def __post_init__(self) -> None:
        unknown = [name for name in self.features if name not in _COLUMNS]
        if unknown or not self.features:
            named = f"unknown feature {', '.join(unknown)}" if unknown else "no features named"
            raise ValueError(f"{named}; the known ones are {', '.join(self.known())}")
        if len(set(self.features)) < len(self.features):
            raise ValueError(f"a feature is named twice: {','.join(self.features)}")
        if not self.center and {"chroma_cqt", "cens"} & set(self.features):
            raise ValueError("chroma_cqt and cens have centred frames; take a preset with center, such as dcase")

    @classmethod
    def known(cls) -> tuple[str, ...]:
        """Names of features."""
        return tuple(_COLUMNS)

    @classmethod
    def from_names(cls, names: str | Sequence[str], *, preset: str = "dcase", **settings: Any) -> "FrontEnd":
        """The front end of a flag such as `log_mel,mfcc,cens`.

        Args:
            names: features, as a sequence or separated by commas.
            preset: a key of `PRESETS`.
            **settings: fields that differ from the preset.

        Raises:
            ValueError: an unknown feature or preset; the message lists the known ones.
        """
        if preset not in PRESETS:
            raise ValueError(f"unknown preset {preset}; the known ones are {', '.join(PRESETS)}")
        if isinstance(names, str):
            names = [name.strip() for name in names.split(",") if name.strip()]
        return cls(**(dataclasses.asdict(PRESETS[preset]) | {"features": tuple(names)} | settings))

    @property
    def n_features(self) -> int:
        """Width of a frame."""
        return sum(_COLUMNS[name](self) for name in self.features)

    @property
    def pads_freely(self) -> bool:
        """Whether zeros appended to a waveform leave its own frames as they are."""
        if (self.center and self.pad_mode != "constant") or self.preemphasis:
            return False
        relative = self.top_db is not None and {"log_mel", "mfcc"} & set(self.features)
        return not relative and not {"chroma_cqt", "cens"} & set(self.features)

    def n_frames(self, n_samples: int) -> int:
        """Number of frames of a waveform of `n_samples` samples."""
        n_samples += 2 * self.margin - bool(self.preemphasis)
        return n_frames(n_samples, n_fft=self.n_fft, hop_length=self.hop_length, center=self.center)

    def __call__(self, waveform: Float[Array, "*batch n_samples"]) -> Float[Array, "*batch n_frames n_features"]:
        """Frames of a waveform at `sample_rate`; pure, so that it can be jitted, batched and differentiated.

        Raises:
            ValueError: a waveform of integers, or too short for a frame.
        """
        waveform = as_waveform(waveform)
        if waveform.ndim == 1:
            return self.batched(waveform)
        batch = waveform.shape[:-1]
        result = jax.lax.platform_dependent(
            waveform.reshape(-1, waveform.shape[-1]),
            # Clip by clip, intermediate arrays stay in the cache and memory does not grow with the batch.
            cpu=lambda clips: jax.lax.map(self.batched, clips),
            default=self.batched,
        )
        return result.reshape(*batch, *result.shape[1:])

    def batched(self, waveform: Float[Array, "*batch n_samples"]) -> Float[Array, "*batch n_frames n_features"]:
        """The same frames by one program for all clips at once on every device, of any number of clips."""
        if self.preemphasis:
            waveform = waveform[..., 1:] - self.preemphasis * waveform[..., :-1]
        if self.margin:
            waveform = jnp.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(self.margin, self.margin)])
        stft = {
            "n_fft": self.n_fft,
            "hop_length": self.hop_length,
            "win_length": self.win_length,
            "center": self.center,
            "pad_mode": self.pad_mode,
        }
        pitch = {"sample_rate": self.sample_rate, "hop_length": self.hop_length}

        def log_mel(**log: Any) -> Array:
            return log_mel_spectrogram(
                waveform,
                sample_rate=self.sample_rate,
                power=self.power,
                n_mels=self.n_mels,
                fmin=self.fmin,
                fmax=self.fmax,
                htk=self.htk,
                norm=self.norm,
                triangles=self.triangles,
                amin=self.amin,
                offset=self.offset,
                **stft,
                **log,
            )

        compute = {
            "log_mel": lambda: log_mel(log=self.log, top_db=self.top_db),
            "lmfe": lambda: log_mel(log="natural"),
            "mfcc": lambda: cepstrum(log_mel(log=self.log, top_db=self.top_db), n_mfcc=self.n_mfcc, lifter=self.lifter),
            "spectrogram": lambda: power_spectrogram(waveform, power=self.power, **stft),
            "chroma_stft": lambda: chroma_stft(waveform, sample_rate=self.sample_rate, **stft),
            "chroma_cqt": lambda: chroma_cqt(waveform, **pitch),
            "cens": lambda: cens(waveform, **pitch),
        }
        columns = [compute[name]() for name in self.features]
        return columns[0] if len(columns) == 1 else jnp.concatenate(columns, axis=-1)

    def to_dict(self) -> dict[str, Any]:
        """Settings as plain JSON values; `FrontEnd.from_dict` reads them back."""
        return dataclasses.asdict(self) | {"features": list(self.features)}

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "FrontEnd":
        """The front end that `to_dict` described."""
        return cls(**(settings | {"features": tuple(settings.get("features", ("log_mel",)))}))


# Name of each feature, and how many columns it has.
_COLUMNS = {
    "log_mel": lambda settings: settings.n_mels,
    "lmfe": lambda settings: settings.n_mels,
    "mfcc": lambda settings: settings.n_mfcc,
    "spectrogram": lambda settings: settings.n_fft // 2 + 1,
    "chroma_stft": lambda settings: 12,
    "chroma_cqt": lambda settings: 12,
    "cens": lambda settings: 12,
}
