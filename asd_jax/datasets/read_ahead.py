"""Clips read by all cores a little ahead of whoever takes them."""

import collections
import contextlib
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asd_jax.datasets.clips import Clip
from asd_jax.errors import InputError


def read_ahead(clips: Sequence[Clip], read: Callable[[Clip], Any]) -> Iterator[tuple[Clip, Any | InputError]]:
    """What `read` makes of each clip, in order, by a thread a core a few clips ahead.

    Yields:
        the clip, and its result or, where the clip is bad, the error.
    """

    def attempt(clip: Clip) -> Any | InputError:
        try:
            return read(clip)
        except InputError as error:
            return error

    n_threads = os.cpu_count() or 1
    with ThreadPoolExecutor(n_threads) as pool:
        ahead = collections.deque()
        try:
            for clip in clips:
                ahead.append((clip, pool.submit(attempt, clip)))
                if len(ahead) > 4 * n_threads:
                    ready, future = ahead.popleft()
                    yield ready, future.result()
            for clip, future in ahead:
                yield clip, future.result()
        finally:  # whoever takes them may stop half way
            for _, future in ahead:
                future.cancel()


def in_a_thread(stream: Iterator[Any], ahead: int) -> Iterator[Any]:
    """What a stream gives, made by one thread up to so many items ahead; its errors come where they happened.

    Args:
        stream: of anything but None.
        ahead: items that may wait; whoever stops taking them early closes this iterator, which ends the thread.
    """
    waiting: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(ahead)
    stopped = threading.Event()

    def put(item: Any, error: BaseException | None = None) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                return waiting.put((item, error), timeout=0.2)

    def fill() -> None:
        try:
            for item in stream:
                put(item)
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopped.set()
