"""Bytes from a file descriptor, by a reader that can be told to stop while it waits."""

import os
import select
import threading

_LOOK_SECONDS = 0.2  # how long telling it may take
_AT_ONCE = 1 << 16


class Pipe:
    """Reads from a descriptor until its writers are gone, or `stop`.

    Standard input as Python has it would do neither: a thread that waits there keeps a program from ending.
    """

    def __init__(self, descriptor: int, stop: threading.Event) -> None:
        self._descriptor, self._stop = descriptor, stop

    def read(self, n_bytes: int) -> bytes:
        """So many bytes, fewer only at the end."""
        parts, left = [], n_bytes
        while left and not self._stop.is_set():
            ready, _, _ = select.select([self._descriptor], [], [], _LOOK_SECONDS)
            if not ready:
                continue
            content = os.read(self._descriptor, min(left, _AT_ONCE))
            if not content:
                break
            parts.append(content)
            left -= len(content)
        return b"".join(parts)
