"""Decoding of audio files: any rate and channel count to mono float32 at one rate."""

import re
from pathlib import Path

import numpy as np
import soundfile
import soxr
from jaxtyping import Float

from asd_jax.errors import InputError

_TRUNCATED = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
_STREAM_LENGTHS = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # what writers to a pipe put for "not known"


def _check_whole(path: Path, extra_info: str) -> None:
    """libsndfile reads a WAV file that was cut short without a word, except in its log."""
    match = _TRUNCATED.search(extra_info)
    if match and int(match[1]) > int(match[2]) and int(match[1]) not in _STREAM_LENGTHS:
        raise InputError(
            f"{path} is truncated: it holds {match[2]} of {match[1]} bytes of audio; "
            "fetch it again or pass --skip_bad_files"
        )


def read_audio(path: Path, *, sample_rate: int, channel: str = "mix") -> Float[np.ndarray, " n_samples"]:
    """Read a recording as mono float32 at `sample_rate` Hz.

    Args:
        path: a file in any format that soundfile reads.
        sample_rate: rate of the result; another rate in the file is resampled with soxr (high quality).
        channel: `mix` averages all channels, a number takes that one (from 0).

    Raises:
        InputError: the file is missing, truncated, empty or not audio, holds NaN or infinite samples, or has no
            such channel.
    """
    try:
        with soundfile.SoundFile(path) as file:
            _check_whole(path, file.extra_info)
            rate = file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        reason = "no such file" if not path.exists() else str(error).rsplit(": ", 1)[-1].rstrip(".")
        raise InputError(f"{path} cannot be read as audio ({reason}); remove it or pass --skip_bad_files") from error
    if len(samples) == 0:
        raise InputError(f"{path} holds no samples; remove it or pass --skip_bad_files")
    if channel == "mix":
        waveform = samples.mean(axis=1)
    elif int(channel) < samples.shape[1]:
        waveform = np.ascontiguousarray(samples[:, int(channel)])
    else:
        raise InputError(
            f"--channel={channel}: {path} has {samples.shape[1]} channel(s), numbered from 0; "
            "choose one of them or --channel=mix"
        )
    if not np.isfinite(waveform).all():
        raise InputError(f"{path} holds NaN or infinite samples; repair it or pass --skip_bad_files")
    if rate != sample_rate:
        waveform = soxr.resample(waveform, rate, sample_rate)
    return waveform
