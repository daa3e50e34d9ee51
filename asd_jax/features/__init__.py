"""Frames of waveforms, `(..., n_samples) -> (..., n_frames, n_features)`, by pure JAX transforms over any batch axes.

A `FrontEnd` is a choice of them with all settings; `extraction` computes the frames of many clips, `stored_clips` holds
them, and `Scaling` brings them to a network's range.

Names are imported when they are first used: a monitor on a small computer knows mel bands, and no JAX.
"""

from asd_jax import late

__getattr__, __dir__ = late(
    __name__,
    {
        "FRONT_ENDS": "front_ends",
        "PRESETS": "presets",
        "AnyFrontEnd": "front_ends",
        "FrontEnd": "front_end",
        "Samples": "samples",
        "Scaling": "scaling",
        "Settings": "presets",
        "Vectors": "vectors",
        "cens": "chroma",
        "cepstrum": "cepstra",
        "chroma_cqt": "chroma",
        "chroma_stft": "chroma",
        "cqt_magnitude": "constant_q",
        "delta": "cepstra",
        "frame": "framing",
        "frames": "framing",
        "lmfe": "log_mel",
        "log_mel_spectrogram": "log_mel",
        "mel_filterbank": "filterbank",
        "mel_spectrogram": "mel",
        "mfcc": "cepstra",
        "min_max": "scaling",
        "n_frames": "framing",
        "power_spectrogram": "spectrogram",
        "power_to_db": "log_mel",
        "spectrum": "spectrogram",
        "standardize": "scaling",
        "stft": "spectrogram",
        "subtract_reference": "near_far",
        "summaries": "summaries",
        "twfr": "summaries",
    },
)

__all__ = __dir__()
