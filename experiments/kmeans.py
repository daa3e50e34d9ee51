"""K-means on overlapping mel frames: the distance to the centre of normal sound, averaged over a clip.

Frames of 0.6 s of the mel-spectrogram, scaled to [0, 1] by the normal training clips; one centre a machine id. Results
of single frames are reported too, each with its clip's label.

    python -m experiments.kmeans --machine=slide_rail
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.STATISTICS, "n_clusters")


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorer and what it reads."""
    return asd_jax.runs.statistics("kmeans", "kmeans", overlapping_frames=True)


if __name__ == "__main__":
    launch.experiment(recipe)
