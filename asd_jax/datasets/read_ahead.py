"""Clips read by all cores a little ahead of whoever takes them."""

import collections
import os
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
