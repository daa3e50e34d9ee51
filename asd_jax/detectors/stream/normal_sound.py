"""What a machine's normal sound is in mel bands: whatever the detector looks at, this says where a sound departs."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.features.filterbank import mel_frequencies
from asd_jax.features.plain_log_mel import plain_log_mel
from asd_jax.features.shapes import Float

if TYPE_CHECKING:  # it needs JAX, which a monitor of an exported file does without
    from asd_jax.detectors.bundle import Detectors

_SETTINGS = ("sample_rate", "n_fft", "hop_length", "n_mels", "fmin", "fmax", "htk", "norm", "amin")


@dataclasses.dataclass(frozen=True)
class NormalSound:
    """Mean log-mel of the normal clips of a machine, and how it spreads from clip to clip.

    Attributes:
        settings: those of `plain_log_mel`.
        mean, spread: in dB, `(n_mels,)` each; empty where they are not known.
    """

    settings: Mapping[str, Any]
    mean: Float[np.ndarray, " n_mels"]
    spread: Float[np.ndarray, " n_mels"]

    @classmethod
    def unknown(cls, sample_rate: int) -> "NormalSound":
        """Bands alone, for detectors that do not say what is normal in them."""
        return cls({"sample_rate": sample_rate}, np.zeros(0), np.zeros(0))

    @classmethod
    def of_control(cls, detectors: "Detectors", machine: Machine) -> "NormalSound | None":
        """From the control of a run; None where its bundle has none, or one of other features."""
        control = detectors.controls.get("log_mel_mean")
        fitted = control and control.fitted.get("mahalanobis", {}).get(machine)
        if not fitted:
            return None
        settings = dataclasses.asdict(control.front_end)
        usual = {field.name: field.default for field in dataclasses.fields(control.front_end)}
        if any(settings[name] != value for name, value in usual.items() if name not in _SETTINGS):
            return None  # another transform than `plain_log_mel`
        scale = np.asarray(fitted.scorer.scale, np.float64)
        return cls({name: settings[name] for name in _SETTINGS}, np.asarray(fitted.scorer.mean), 1.0 / scale)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "settings": dict(self.settings),
            "mean": np.round(self.mean, 4).tolist(),
            "spread": np.round(self.spread, 4).tolist(),
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "NormalSound":
        """Rebuild from `to_dict`."""
        return cls(dict(saved["settings"]), np.asarray(saved["mean"]), np.asarray(saved["spread"]))

    @property
    def hop_seconds(self) -> float:
        """From one frame to the next."""
        return self.settings.get("hop_length", 512) / self.settings["sample_rate"]

    @property
    def frequencies(self) -> Float[np.ndarray, " n_mels"]:
        """Centre of each band, in Hz."""
        fmax = self.settings.get("fmax") or self.settings["sample_rate"] / 2
        n_mels, fmin = self.settings.get("n_mels", 128), self.settings.get("fmin", 0.0)
        return mel_frequencies(n_mels, fmin=fmin, fmax=fmax, htk=self.settings.get("htk", False))

    def log_mel(self, waveform: Float[np.ndarray, " n_samples"]) -> Float[np.ndarray, "n_frames n_mels"]:
        """Of a waveform at the detector's rate, in dB."""
        return plain_log_mel(waveform, **self.settings)

    def deviation(self, log_mel: Float[np.ndarray, "n_frames n_mels"]) -> Float[np.ndarray, " n_mels"] | None:
        """How far a clip's mean is from that of normal clips, in their spreads; None where it is not known."""
        return (log_mel.mean(axis=0) - self.mean) / self.spread if len(self.mean) else None


def normal_sounds(detectors: "Detectors", machines: Sequence[Machine]) -> list[list[Any]]:
    """Of the machines of a run, as an exported file says it: type, id, and `to_dict` each."""
    found = [(machine, NormalSound.of_control(detectors, machine)) for machine in machines]
    return [[*machine, sound.to_dict()] for machine, sound in found if sound]
