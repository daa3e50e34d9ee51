"""Rows for the frames of clips while they come: one array in memory, or a file."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from asd_jax.features.storage import RowsFile, Storage
from asd_jax.features.stored_clips import StoredClips

_MOST_EXPECTED_ROWS = 2**22  # 2 GiB of 128 bands: a first clip of hours says nothing of the next


class Rows:
    """Rows for the frames of clips whose number is not known beforehand, in one place from the first clip to the last.

    They are in memory until they take more than `storage` lets them, and from then on in a file.
    """

    def __init__(self, n_features: int, n_clips: int, storage: Storage | None = None) -> None:
        self._n_clips, self._storage = n_clips, storage
        self._rows = np.empty((0, n_features), np.float32)
        self._file: RowsFile | None = None
        self._start = [0]

    def reserve(self, n_frames: int, *, before_moving: Callable[[], None]) -> int:
        """Make room for a clip's frames and return its number; nobody may be writing when the rows move."""
        needed, capacity = self._start[-1] + n_frames, len(self._rows)
        row_bytes = self._rows.shape[1] * self._rows.itemsize
        if self._file is None and self._storage is not None and not self._storage.holds(needed * row_bytes):
            before_moving()
            self._file = RowsFile(self._storage.folder, self._rows.shape[1:], np.float32)
            self._file.write(0, self._rows[: self._start[-1]])
            self._rows = self._rows[:0].copy()
        if self._file is None and needed > capacity:
            before_moving()
            expected = min(n_frames * self._n_clips, _MOST_EXPECTED_ROWS)
            shape = (max(needed, expected, capacity + capacity // 4), self._rows.shape[1])
            if capacity == 0:
                self._rows = np.empty(shape, np.float32)  # untouched pages take no memory
            else:
                self._rows.resize(shape, refcheck=False)
        self._start.append(needed)
        return len(self._start) - 2

    def fill(self, index: int, frames: Float[np.ndarray, "_ n_features"]) -> None:
        """Write a clip's frames; those beyond what was reserved, of padding, are left out."""
        start, end = self._start[index : index + 2]
        if self._file is not None:
            self._file.write(start, frames[: end - start])
        else:
            self._rows[start:end] = frames[: end - start]

    def finish(self) -> StoredClips:
        """The frames of all clips, in the order in which they were reserved."""
        start = np.asarray(self._start, np.int64)
        if self._file is not None:
            values = self._file.finish(int(start[-1]))
        else:
            self._rows.resize((self._start[-1], self._rows.shape[1]), refcheck=False)
            values = self._rows
        return StoredClips(values, start[:-1], np.diff(start))
