"""The window vectors of clips, cut from their frames when they are needed: overlapping copies are never stored."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from asd_jax.features import Scaling

_BLOCK_VALUES = 2**24  # values of windows that are cut at once: 64 MB


@dataclasses.dataclass(frozen=True)
class WindowVectors:
    """Windows of `window_frames` consecutive frames, flattened in time order; frames after the last are left out.

    Attributes:
        frames: `(total_frames, n_features)`.
        clip_start: `(n_clips,)` row of each clip's first frame.
        clip_length: `(n_clips,)` frames of each clip, at least `window_frames`.
        window_frames: frames in a window.
        window_hop: frames from one window's start to the next one's.
        scaling: of the frames, when they are cut; None for none.
    """

    frames: Float[np.ndarray, "total_frames n_features"]
    clip_start: Int[np.ndarray, " n_clips"]
    clip_length: Int[np.ndarray, " n_clips"]
    window_frames: int = 1
    window_hop: int = 1
    scaling: Scaling | None = None

    def __len__(self) -> int:
        return len(self.clip_start)

    @property
    def n_windows(self) -> Int[np.ndarray, " n_clips"]:
        """Windows of each clip."""
        return (self.clip_length - self.window_frames) // self.window_hop + 1

    @property
    def clip_of_window(self) -> Int[np.ndarray, " n_windows"]:
        """Index of the clip that each window lies in, windows in order."""
        return np.repeat(np.arange(len(self)), self.n_windows)

    def of(self, chosen: np.ndarray) -> "WindowVectors":
        """The clips that a boolean mask or an index array chooses; their frames are shared."""
        return dataclasses.replace(self, clip_start=self.clip_start[chosen], clip_length=self.clip_length[chosen])

    def take(self, windows: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n dim"]:
        """Vectors of the windows of these numbers, counted over all clips."""
        clip = self.clip_of_window[windows]
        number = windows - (np.cumsum(self.n_windows) - self.n_windows)[clip]
        rows = (self.clip_start[clip] + number * self.window_hop)[:, None] + np.arange(self.window_frames)
        cut = np.asarray(self.frames[rows])
        return (cut if self.scaling is None else self.scaling(cut)).reshape(len(windows), -1)

    def sample(self, at_most: int | None, *, seed: int) -> Float[np.ndarray, "n dim"]:
        """All windows, or `at_most` of them drawn without replacement."""
        total = int(self.n_windows.sum())
        if at_most is None or total <= at_most:
            return self.take(np.arange(total))
        return self.take(np.sort(np.random.default_rng(seed).permutation(total)[:at_most]))

    def score(
        self, score: Callable[[Float[np.ndarray, "n dim"]], Float[np.ndarray, " n"]]
    ) -> Float[np.ndarray, "n_clips max_windows"]:
        """Score of every window by a function of vectors, a row a clip; NaN where a clip has no such window."""
        block = max(1, _BLOCK_VALUES // (self.window_frames * self.frames.shape[1]))
        total = int(self.n_windows.sum())
        inside: Bool[np.ndarray, "n_clips max_windows"] = np.arange(self.n_windows.max()) < self.n_windows[:, None]
        scores = np.full(inside.shape, np.nan)
        scores[inside] = np.concatenate(
            [score(self.take(np.arange(first, min(first + block, total)))) for first in range(0, total, block)]
        )
        return scores
