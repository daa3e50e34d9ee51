"""From blocks of samples to the windows that are scored, and to the minute that is kept of an alarm."""

import collections
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from asd_jax.features.shapes import Float


class Window(NamedTuple):
    """A window of a stream.

    Attributes:
        start: when it began, in seconds of the stream.
        end: when it ended.
        samples: mono, at the rate of the source.
        sample_rate: of the source, in Hz.
    """

    start: float
    end: float
    samples: Float[np.ndarray, " n_samples"]
    sample_rate: int


class Windows:
    """Cuts windows of one length from a stream, one every `hop_seconds`; none reaches over a break.

    The clock is that of the samples: it goes forward by what is heard, and by what a break says was not.

    Args:
        seconds: length of a window.
        hop_seconds: from the start of a window to that of the next.
    """

    def __init__(self, *, seconds: float, hop_seconds: float) -> None:
        self.seconds, self.hop_seconds = seconds, hop_seconds
        self.clock = 0.0  # seconds of the stream
        self._begin(0)

    def _begin(self, sample_rate: int) -> None:
        self._rate, self._origin = sample_rate, self.clock
        self._length = round(self.seconds * sample_rate)
        self._hop = max(1, round(self.hop_seconds * sample_rate))
        self._kept: list[np.ndarray] = []  # joined where a window is complete, not at each block
        self._n_kept = 0
        self._first = 0  # samples since the origin before those kept
        self._next = 0  # where the next window starts
        self._given = 0

    def push(self, samples: Float[np.ndarray, " n_samples"], sample_rate: int) -> Iterator[Window]:
        """The windows that these samples complete. Another rate than before is a break."""
        if sample_rate != self._rate:
            self._begin(sample_rate)
        while len(samples):  # a little at a time, so that a long block takes no more memory than a window
            part, samples = samples[: self._hop], samples[self._hop :]
            self._kept.append(part)
            self._n_kept += len(part)
            reached = self._first + self._n_kept
            self.clock = self._origin + reached / sample_rate
            if self._next + self._length > reached:
                continue
            joined = np.concatenate(self._kept)
            while self._next + self._length <= reached:
                begin = self._next - self._first
                yield self._window(joined[begin : begin + self._length], self._next)
                self._next += self._hop
                self._given += 1
            drop = min(self._next, reached) - self._first
            self._kept, self._n_kept, self._first = [joined[drop:]], len(joined) - drop, self._first + drop

    def _window(self, samples: np.ndarray, first: int) -> Window:
        start = self._origin + first / self._rate
        return Window(start, start + len(samples) / self._rate, samples, self._rate)

    def interrupt(self, seconds: float = 0.0) -> Window | None:
        """Begin anew after a break of so many seconds.

        Returns:
            what was heard before it, where that was too short for a window; the detector says whether it is enough.
        """
        rest = self._window(np.concatenate(self._kept), 0) if not self._given and self._n_kept else None
        self.clock += seconds
        self._begin(self._rate)
        return rest


class Memory:
    """The latest sound, for the minute around an alarm.

    Args:
        seconds: how much is kept.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._blocks: collections.deque[tuple[float, np.ndarray, int]] = collections.deque()  # each with its end

    def push(self, end: float, samples: Float[np.ndarray, " n_samples"], sample_rate: int) -> None:
        """Keep samples that ended at a time of the stream; what is older than `seconds` is forgotten."""
        self._blocks.append((end, samples, sample_rate))
        while self._blocks and self._blocks[0][0] < end - self._seconds:
            self._blocks.popleft()

    def since(self, start: float) -> tuple[Float[np.ndarray, " n_samples"], int]:
        """What is kept of the sound after a time, of the latest sample rate, with that rate; breaks are left out."""
        rate = self._blocks[-1][2] if self._blocks else 0
        chosen = [samples for end, samples, of in self._blocks if of == rate and end > start]
        return (np.concatenate(chosen) if chosen else np.zeros(0, np.float32)), rate
