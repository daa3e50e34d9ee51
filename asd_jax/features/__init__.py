"""Frames of waveforms, `(..., n_samples) -> (..., n_frames, n_features)`, by pure JAX transforms over any batch axes.

A `FrontEnd` is a choice of them with all settings; `extraction` computes the frames of many clips, `stored_clips` holds
them, and `Scaling` brings them to a network's range.
"""

from asd_jax.features import summaries
from asd_jax.features.cepstrum import cepstrum, delta, mfcc
from asd_jax.features.chroma import cens, chroma_cqt, chroma_stft
from asd_jax.features.constant_q import cqt_magnitude
from asd_jax.features.framing import frame, frames, n_frames
from asd_jax.features.front_end import FrontEnd
from asd_jax.features.log_mel import lmfe, log_mel_spectrogram, power_to_db
from asd_jax.features.mel import mel_filterbank, mel_spectrogram
from asd_jax.features.near_far import subtract_reference
from asd_jax.features.presets import PRESETS, Settings
from asd_jax.features.samples import Samples
from asd_jax.features.scaling import Scaling, min_max, standardize
from asd_jax.features.spectrogram import power_spectrogram, spectrum, stft
from asd_jax.features.summaries import twfr
from asd_jax.features.vectors import Vectors

AnyFrontEnd = FrontEnd | Samples | Vectors
FRONT_ENDS = {kind.kind: kind for kind in (FrontEnd, Samples, Vectors)}  # what a detector can hear through, by name

__all__ = [
    "FRONT_ENDS",
    "PRESETS",
    "AnyFrontEnd",
    "FrontEnd",
    "Samples",
    "Scaling",
    "Settings",
    "Vectors",
    "cens",
    "cepstrum",
    "chroma_cqt",
    "chroma_stft",
    "cqt_magnitude",
    "delta",
    "frame",
    "frames",
    "lmfe",
    "log_mel_spectrogram",
    "mel_filterbank",
    "mel_spectrogram",
    "mfcc",
    "min_max",
    "n_frames",
    "power_spectrogram",
    "power_to_db",
    "spectrum",
    "standardize",
    "stft",
    "subtract_reference",
    "summaries",
    "twfr",
]
