"""From the scores of clips to those of the recordings that they were cut from.

A recording scores as its worst clip does: a fault that is heard for ten seconds of an hour is a fault.
"""

import numpy as np
from jaxtyping import Float, Int


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
