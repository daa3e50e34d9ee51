"""The log-mel in NumPy alone, for computers without JAX: what they look at, never what a detector scores."""

import numpy as np

from asd_jax.features.filterbank import mel_filterbank
from asd_jax.features.shapes import Float


def plain_log_mel(
    waveform: Float[np.ndarray, " n_samples"],
    *,
    sample_rate: int = 16_000,
    n_fft: int = 1024,
    hop_length: int = 512,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    amin: float = 1e-10,
) -> Float[np.ndarray, "n_frames n_mels"]:
    """The log-mel spectrogram in dB of one waveform, as `log_mel_spectrogram` gives it to 1e-4 dB.

    Frames are centred and padded with zeros; the window is a periodic Hann of `n_fft` samples.

    Args:
        waveform: mono samples in [-1, 1], at least one.
        sample_rate, n_fft, hop_length, n_mels, fmin, fmax, htk, norm, amin: as in `log_mel_spectrogram`.
    """
    padded = np.pad(waveform, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]
    window = np.hanning(n_fft + 1)[:-1]  # in float64, as the detectors' transform is inside
    power = np.square(np.abs(np.fft.rfft(frames * window)))
    filters = mel_filterbank(
        sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm
    )
    return (10.0 * np.log10(np.maximum(power @ filters, amin))).astype(np.float32)
