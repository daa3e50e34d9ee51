"""A source read in a thread of its own, so that whoever scores it can stop, and may take a moment."""

import queue
import threading
from collections.abc import Iterator

from asd_jax.datasets.live.blocks import Block, Break, Stream

_MOST_WAITING = 20
_LOOK_SECONDS = 0.2


def ahead(stream: Stream, stop: threading.Event) -> Iterator[Block | Break | None]:
    """What a source gives, in order, and None now and then while it gives nothing; until its end or `stop`.

    A source that is faster than its reader waits for it: nothing is lost here.

    Raises:
        whatever the source does.
    """
    waiting: queue.Queue[tuple[Block | Break | None, BaseException | None]] = queue.Queue(_MOST_WAITING)

    def put(item: Block | Break | None, error: BaseException | None = None) -> bool:
        while not stop.is_set():
            try:
                waiting.put((item, error), timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for item in stream:
                if not put(item):
                    return
        except BaseException as error:
            put(None, error)
        else:
            put(None, StopIteration())

    threading.Thread(target=read, name="source", daemon=True).start()
    while not stop.is_set():
        try:
            item, error = waiting.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            yield None
            continue
        if isinstance(error, StopIteration):
            return
        if error is not None:
            raise error
        yield item
