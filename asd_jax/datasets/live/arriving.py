"""A folder that fills: recordings in the order in which they arrive."""

import math
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

    What is in the folder when it is first looked at is not new. What comes later is, whatever its time: a recording
    that is moved or copied there may be older than those heard. Nothing is kept of files that are gone.

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
    heard = {name: status for name, status in _listed(folder).items() if since is None or status[0] <= since}
    before: dict[str, tuple[float, int]] = {}
    latest = -math.inf if since is None else since
    while not stop.is_set():
        there = _listed(folder)
        heard = {name: status for name, status in heard.items() if name in there}
        for name, status in sorted(there.items(), key=lambda item: (item[1][0], item[0])):
            if heard.get(name) == status or before.get(name) != status:
                continue  # heard, or it may still be growing
            yield Break(Kind.RECORDING, name)
            try:
                yield from playback(folder / name, stop, channel=channel)
            except SourceLost as error:
                yield Break(Kind.UNREADABLE, str(error))
            heard[name], latest = status, max(latest, status[0])
            done(latest)
        before = there
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
