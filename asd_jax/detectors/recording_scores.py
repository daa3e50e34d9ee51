"""From the scores of clips to those of the recordings that they were cut from.

A recording scores as its worst clip does: a fault that is heard for ten seconds of an hour is a fault.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int


def recording_index(recordings: Sequence[str]) -> Int[np.ndarray, " n_clips"]:
    """A number for each clip's recording, from 0 in the order in which recordings first come."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(recordings))}
    return np.asarray([numbers[name] for name in recordings], dtype=np.int64)


def worst_clip(
    scores: Float[np.ndarray, " n_clips"], recording: Int[np.ndarray, " n_clips"]
) -> Int[np.ndarray, " n_recordings"]:
    """The clip with the highest score of each recording, the first of equals.

    Args:
        scores: of clips; higher is more anomalous.
        recording: from `recording_index`.
    """
    order = np.lexsort((-scores, recording))
    return order[np.unique(recording[order], return_index=True)[1]]


def of_recordings(
    scores: Float[np.ndarray, " n_clips"], recording: Int[np.ndarray, " n_clips"]
) -> Float[np.ndarray, " n_recordings"]:
    """Score of each recording: that of its worst clip."""
    return scores[worst_clip(scores, recording)]
