"""From the name of a source to its sound; a source that stops is opened again."""

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

from asd_jax.datasets.live.arriving import arriving
from asd_jax.datasets.live.blocks import Break, Kind, SourceLost, Stream
from asd_jax.datasets.live.microphone import microphone
from asd_jax.datasets.live.pcm import PcmFormat, pcm_stream
from asd_jax.datasets.live.pipe import Pipe
from asd_jax.datasets.live.playback import playback
from asd_jax.errors import InputError

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds


def open_source(
    name: str,
    stop: threading.Event,
    *,
    raw: PcmFormat,
    channel: str = "mix",
    speed: float = 1.0,
    since: float | None = None,
    done: Callable[[float], None] = lambda _: None,
) -> Stream:
    """The sound of a source, opened again with growing pauses where it stops or is not there yet.

    Args:
        name: `mic`, `mic:DEVICE`, `-` for standard input, `dir:FOLDER` for recordings as they arrive there, or the
            path of a recording or of a named pipe. Standard input and a recording end; the others do not.
        stop: ends it.
        raw: how samples lie in a pipe without a header.
        channel: see `mono`.
        speed: at which a recording is played, see `playback`.
        since, done: of a folder, see `arriving`.

    Raises:
        InputError: a stream or channel that cannot be read, or a library that is not installed.
    """
    if name == "-":
        return _standard_input(stop, raw, channel)
    kind, _, place = name.partition(":")
    if kind == "mic":
        return reopening(lambda: microphone(place, stop, channel=channel), stop)
    if kind == "dir":
        latest = [since]

        def heard(changed: float) -> None:
            latest[0] = changed
            done(changed)

        folder = Path(place).expanduser()
        return reopening(lambda: arriving(folder, stop, channel=channel, since=latest[0], done=heard), stop)
    path = Path(name).expanduser()
    if path.is_dir():
        raise InputError(f"`source={name}` is a folder; give dir:{name} to hear recordings as they arrive there")

    def opened() -> Stream:
        if not path.exists():
            raise SourceLost(f"{path}: no such file yet")
        if stat.S_ISFIFO(path.stat().st_mode):
            return _pipe(path, stop, raw, channel)
        return playback(path, stop, channel=channel, speed=speed)

    return reopening(opened, stop)


def _standard_input(stop: threading.Event, raw: PcmFormat, channel: str) -> Stream:
    """What is piped into the script, which cannot be opened again."""
    try:
        yield from pcm_stream(Pipe(0, stop), raw, channel=channel)
    except SourceLost as error:
        if not stop.is_set():
            raise InputError(f"standard input: {error}") from error


def _pipe(path: Path, stop: threading.Event, raw: PcmFormat, channel: str) -> Stream:
    """A named pipe; its writer may come, and come back."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # else it would wait for a writer, whatever `stop` says
    except OSError as error:
        raise SourceLost(f"{path}: {error.strerror}") from error
    try:
        yield from pcm_stream(Pipe(descriptor, stop), raw, channel=channel)
    finally:
        os.close(descriptor)
    raise SourceLost(f"{path}: nobody writes to it")


def reopening(
    opened: Callable[[], Stream],
    stop: threading.Event,
    *,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] | None = None,
) -> Stream:
    """A source, opened again where it is lost, after pauses of 1, 2, 4 and up to 60 s, until it ends or `stop`.

    The first break of a loss says why; one when samples come again says for how long none did.

    Args:
        opened: opens it.
        stop: ends it.
        now: a clock that only goes forward, in seconds.
        wait: for so many seconds; until `stop` by default.
    """
    pause, lost_at, told = _FIRST_PAUSE, None, ""
    while not stop.is_set():
        try:
            for item in opened():
                if lost_at is not None and not isinstance(item, Break):
                    yield Break(Kind.BACK, "the source is back", now() - lost_at)
                    pause, lost_at, told = _FIRST_PAUSE, None, ""
                yield item
            return
        except SourceLost as error:
            lost_at = now() if lost_at is None else lost_at
            if str(error) != told:
                told = str(error)
                yield Break(Kind.WAITING, told)
            (wait or stop.wait)(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
