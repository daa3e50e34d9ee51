"""Decoding of audio files: any rate and channel count to mono float32 at one rate."""

import os
import re
import stat
from pathlib import Path

import numpy as np
import soundfile
import soxr

from asd_jax.datasets.near_far import parted, without_reference
from asd_jax.errors import InputError
from asd_jax.features.shapes import Float

_TRUNCATED = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
_STREAM_LENGTHS = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # what writers to a pipe put for "not known"

MAX_SECONDS = 1800.0  # of a recording that is read whole: half an hour is 115 MB of samples, and ten times that in work


def _check_whole(path: Path, extra_info: str) -> None:
    """libsndfile reads a WAV file that was cut short without a word, except in its log."""
    match = _TRUNCATED.search(extra_info)
    if match and int(match[1]) > int(match[2]) and int(match[1]) not in _STREAM_LENGTHS:
        raise InputError(
            f"{path} is truncated: it holds {match[2]} of {match[1]} bytes of audio; "
            "fetch it again or pass `skip_bad_files`"
        )


def _open(path: Path) -> soundfile.SoundFile:
    """Open a recording and check that it is whole.

    Raises:
        InputError: it is missing, empty, truncated or not audio.
    """
    if not path.is_file():  # reading a pipe would wait for ever
        raise _unreadable(path)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise _unreadable(path, error) from error
    try:
        _check_whole(path, file.extra_info)
    except InputError:
        file.close()
        raise
    return file


def _unreadable(path: Path, error: Exception | None = None) -> InputError:
    """Why a file cannot be read, and what to do about it."""
    mend = "remove it"
    try:
        status = path.stat()
    except FileNotFoundError:
        is_link = path.is_symlink()
        reason, mend = ("a link to a file that is gone", mend) if is_link else ("no such file", "check its name")
    except OSError as cause:
        reason, mend = cause.strerror, mend if path.is_symlink() else "change its permissions"
    else:
        if not stat.S_ISREG(status.st_mode):
            reason = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        elif not os.access(path, os.R_OK):
            reason, mend = "no permission to read it", "change its permissions"
        elif status.st_size == 0:
            reason = "the file is empty, 0 bytes"
        else:
            reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
    return InputError(f"{path} cannot be read as audio ({reason}); {mend} or pass `skip_bad_files`")


def n_channels(path: Path) -> int:
    """Channels of a recording, from its header; errors as in `duration_seconds`."""
    with _open(path) as file:
        return file.channels


def duration_seconds(path: Path) -> float:
    """Duration of a recording, from its header.

    Raises:
        InputError: it is missing, empty, truncated or not audio.
    """
    with _open(path) as file:
        return file.frames / file.samplerate


def read_audio(
    path: Path,
    *,
    sample_rate: int,
    channel: str = "mix",
    start_seconds: float = 0.0,
    clip_seconds: float | None = None,
) -> Float[np.ndarray, " n_samples"]:
    """Read a recording, or a part of it, as mono float32 at `sample_rate` Hz.

    Args:
        path: a file in any format that soundfile reads.
        sample_rate: rate of the result; another rate in the file is resampled with soxr (high quality).
        channel: `mix` averages all channels, a number takes that one (from 0), and `0-1` takes channel 0 without what
            channel 1 explains (see `features.subtract_reference`).
        start_seconds: where the part starts; what lies before is skipped, not decoded into memory.
        clip_seconds: how long it is at most; None reads to the end.

    Raises:
        InputError: the file is missing, truncated, empty or not audio, holds NaN or infinite samples, has no such
            channel, or is longer than `MAX_SECONDS` and to be read whole.
    """
    if not sample_rate > 0:
        raise InputError(f"sample_rate={sample_rate}: give the samples a second, above 0")
    with _open(path) as file:
        rate = file.samplerate
        first = round(start_seconds * rate)
        count = -1 if clip_seconds is None else round(clip_seconds * rate)
        if count < 0 and file.frames - first > MAX_SECONDS * rate:
            raise InputError(
                f"{path} is {file.frames / rate / 60:.0f} minutes long; recordings are cut into clips by "
                "`clip_seconds=10`, given when the detector is trained"
            )
        try:
            if first:
                file.seek(min(first, file.frames))
            samples = file.read(count, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, OSError) as error:
            raise _unreadable(path, error) from error
    if len(samples) == 0:
        raise InputError(f"{path} holds no samples; remove it or pass `skip_bad_files`")
    near, reference = parted(channel)
    waveform = _at_rate(_picked(samples, near, path), rate, sample_rate, path)
    if reference is None:
        return waveform
    if int(reference) >= samples.shape[1]:
        raise InputError(
            f"`reference_channel`={reference}: {path} has {samples.shape[1]} channel(s), numbered from 0; choose one "
            "of them or `reference_channel=none`"
        )
    return without_reference(waveform, _at_rate(_picked(samples, reference, path), rate, sample_rate, path))


def _picked(samples: np.ndarray, channel: str, path: Path) -> np.ndarray:
    if channel == "mix":
        return samples.mean(axis=1)
    if int(channel) < samples.shape[1]:
        return np.ascontiguousarray(samples[:, int(channel)])
    raise InputError(
        f"`channel`={channel}: {path} has {samples.shape[1]} channel(s), numbered from 0; "
        "choose one of them or `channel=mix`"
    )


def _at_rate(waveform: np.ndarray, rate: int, sample_rate: int, path: Path) -> np.ndarray:
    if not np.isfinite(waveform).all():
        raise InputError(f"{path} holds NaN or infinite samples; repair it or pass `skip_bad_files`")
    if rate != sample_rate:
        waveform = soxr.resample(waveform, rate, sample_rate)
        if len(waveform) == 0:
            raise InputError(f"{path} holds no samples at {sample_rate} Hz; remove it or pass `skip_bad_files`")
    return waveform
