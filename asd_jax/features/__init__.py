"""Pure JAX transforms of waveforms and spectrograms: any leading batch axes, time before frequency."""

from asd_jax.features.framing import frame
from asd_jax.features.front_end import FrontEnd
from asd_jax.features.log_mel import log_mel_spectrogram, mel_filterbank, mel_spectrogram, power_to_db
from asd_jax.features.spectrogram import power_spectrogram, stft

__all__ = [
    "FrontEnd",
    "frame",
    "log_mel_spectrogram",
    "mel_filterbank",
    "mel_spectrogram",
    "power_spectrogram",
    "power_to_db",
    "stft",
]
