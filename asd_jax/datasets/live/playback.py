"""A recording as if it were heard now."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import soundfile

from asd_jax.datasets.live.blocks import BLOCK_SECONDS, Block, Break, Kind, SourceLost, Stream, mono

_FAST_SECONDS = 1.0  # of a block where nobody waits for it


def playback(
    path: Path,
    stop: threading.Event,
    *,
    channel: str,
    speed: float = 0.0,
    now: Callable[[], float] = time.monotonic,
) -> Stream:
    """The samples of a recording, from its beginning to its end or `stop`; a damaged one ends with a break.

    Args:
        path: of the recording, in any format that soundfile reads; it is never read whole.
        stop: ends it.
        channel: see `mono`.
        speed: seconds of sound a second; 0 for as fast as they are taken.
        now: a clock that only goes forward.

    Raises:
        InputError: no such channel.
        SourceLost: it is not there, or no recording.
    """
    begun, heard = now(), 0
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            block = max(1, round(rate * (BLOCK_SECONDS if speed else _FAST_SECONDS)))
            while not stop.is_set() and len(samples := file.read(block, dtype="float32", always_2d=True)):
                heard += len(samples)
                if speed and stop.wait(max(0.0, begun + heard / rate / speed - now())):
                    return
                yield Block(mono(samples, channel), rate)
    except (soundfile.LibsndfileError, OSError) as error:
        if not heard:  # else it would be played from its beginning for ever
            raise SourceLost(f"{path}: {_why(path, error)}") from error
        yield Break(Kind.UNREADABLE, f"{path}: {_why(path, error)} after {heard / rate:.1f} s")


def _why(path: Path, error: Exception) -> str:
    if not path.exists():
        return "no such file yet"
    return f"cannot be read as audio ({str(error).rsplit(': ', 1)[-1].rstrip('.')})"
