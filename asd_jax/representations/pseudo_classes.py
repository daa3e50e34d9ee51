"""Classes for clips that have only one: groups that sound alike."""

import numpy as np
from jaxtyping import Int

from asd_jax import scorers
from asd_jax.features import FrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.stored_clips import StoredClips
from asd_jax.scorers.distances import squared_distances

_AT_ONCE = 64  # clips whose frames are there at a time


def pseudo_classes(waveforms: StoredClips, n_classes: int, *, sample_rate: int) -> Int[np.ndarray, " n_clips"]:
    """The k-means cluster of each clip by its standardised mean log-mel, from 0 without gaps.

    Args:
        waveforms: of the training clips.
        n_classes: clusters; fewer where there are not twice as many clips.
        sample_rate: in Hz.
    """
    front_end, means = FrontEnd(sample_rate=sample_rate), []
    for first in range(0, len(waveforms), _AT_ONCE):
        chosen = range(first, min(first + _AT_ONCE, len(waveforms)))
        frames = extract_waveforms((waveforms.floats(index) for index in chosen), front_end, n_clips=len(chosen))
        means += [frames.clip(index).mean(axis=0) for index in range(len(chosen))]
    vectors = np.stack(means)
    clusters = scorers.fit("kmeans", vectors, n_clusters=max(1, min(n_classes, len(vectors) // 2)), seed=0)
    nearest = squared_distances((vectors - clusters.mean) * clusters.scale, clusters.centres).argmin(axis=1)
    return np.unique(nearest, return_inverse=True)[1].reshape(-1)
