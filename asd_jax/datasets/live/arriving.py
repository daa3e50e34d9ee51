"""A folder that fills: recordings in the order in which they arrive."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from asd_jax.datasets.live.blocks import Break, Kind, SourceLost, Stream
from asd_jax.datasets.live.playback import playback
from asd_jax.datasets.tree import AUDIO_SUFFIXES

_POLL_SECONDS = 1.0


def arriving(
    folder: Path,
    stop: threading.Event,
    *,
    channel: str,
    since: float | None = None,
    done: Callable[[float], None] = lambda _: None,
) -> Stream:
    """The samples of new recordings in a folder, each once it has stopped growing, until `stop`.

    What is in the folder when it is first looked at is not new. Of files the times are kept, so nothing grows.

    Args:
        folder: of recordings; those in folders below it are not looked at.
        stop: ends it.
        channel: see `mono`.
        since: take also those changed after this time (of the file system, in seconds), as `done` said it last.
        done: told the time of the latest recording that was heard.

    Raises:
        InputError: no such channel.
        SourceLost: the folder is not there.
    """
    heard = _newest(folder) if since is None else (since, "")
    before: dict[str, tuple[float, int]] = {}
    while not stop.is_set():
        sizes = _listed(folder)
        for name, (changed, size) in sorted(sizes.items(), key=lambda item: (item[1][0], item[0])):
            if (changed, name) <= heard or before.get(name) != (changed, size):
                continue  # heard, or it may still be growing
            yield Break(Kind.RECORDING, name)
            try:
                yield from playback(folder / name, stop, channel=channel)
            except SourceLost as error:
                yield Break(Kind.UNREADABLE, str(error))
            heard = (changed, name)
            done(changed)
        before = sizes
        stop.wait(_POLL_SECONDS)


def _listed(folder: Path) -> dict[str, tuple[float, int]]:
    """When each recording was changed, and its size."""
    found = {}
    try:
        for entry in os.scandir(folder):
            if not entry.name.startswith(".") and os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES:
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue  # taken away between the two looks
                found[entry.name] = (status.st_mtime, status.st_size)
    except OSError as error:
        raise SourceLost(f"{folder}: {error.strerror}") from error
    return found


def _newest(folder: Path) -> tuple[float, str]:
    return max(((changed, name) for name, (changed, _) in _listed(folder).items()), default=(0.0, ""))
