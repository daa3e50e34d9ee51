"""Where the frames or samples of many clips lie: in memory, or in a file where they would take too much of it."""

import dataclasses
import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import psutil

from asd_jax.errors import InputError

_CONTAINER = Path("/sys/fs/cgroup")  # what Linux lets a container have, where it says that at all


@dataclasses.dataclass(frozen=True)
class Storage:
    """How much memory the values of clips may take, and where they go that would take more.

    Attributes:
        limit: bytes that one array of frames or samples may take in memory.
        folder: of the file that holds a larger one; the file has no name and is gone when nothing reads it any more.
    """

    limit: int
    folder: Path

    @classmethod
    def of(cls, max_memory_gb: float | None, folder: str | Path) -> "Storage":
        """A limit in gigabytes (1e9 bytes); None for half of the memory that is free now.

        Raises:
            InputError: the limit is not above 0.
        """
        if max_memory_gb is None:
            return cls(free_memory() // 2, Path(folder))
        if not max_memory_gb > 0:
            raise InputError(f"`max_memory_gb={max_memory_gb}`: give a number above 0")
        return cls(int(max_memory_gb * 1e9), Path(folder))

    def holds(self, n_bytes: int) -> bool:
        """Whether so much may lie in memory."""
        return n_bytes <= self.limit


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, or of the container that it runs in."""
    free = psutil.virtual_memory().available
    try:
        limit, used = (int((_CONTAINER / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no such files, or `max`: the machine's own limit
        return free
    return max(0, min(free, limit - used))


class RowsFile:
    """Rows of one type and width that are written in any order, also by several threads, and then read."""

    def __init__(self, folder: Path, width: tuple[int, ...], dtype: np.dtype | type) -> None:
        """Open a file in `folder`.

        Raises:
            InputError: the folder cannot be written.
        """
        self._folder, self._width, self._dtype = folder, width, np.dtype(dtype)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed when all is written)
        except OSError as error:
            raise self._mistake(error) from error

    def write(self, first: int, rows: np.ndarray) -> None:
        """Write rows from the row of a number on.

        Raises:
            InputError: the disk is full.
        """
        if not len(rows):
            return
        row_bytes = self._dtype.itemsize * int(np.prod(self._width, dtype=np.int64))
        left = memoryview(np.ascontiguousarray(rows, self._dtype)).cast("B")
        offset = first * row_bytes
        try:
            while left:
                written = os.pwrite(self._file.fileno(), left, offset)
                left, offset = left[written:], offset + written
        except OSError as error:
            raise self._mistake(error) from error

    def finish(self, n_rows: int) -> np.memmap:
        """The rows, read from the file as they are asked for; nothing can be written any more."""
        with self._file:
            return np.memmap(self._file, dtype=self._dtype, mode="r", shape=(n_rows, *self._width))

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def _mistake(self, error: OSError) -> InputError:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "no space left" if full else f"cannot be written ({error.strerror})"
        return InputError(
            f"{self._folder}: {why}, and the frames of the clips take more than `max_memory_gb`; make room, choose "
            "another folder by `cache_dir`, or raise `max_memory_gb`"
        )
