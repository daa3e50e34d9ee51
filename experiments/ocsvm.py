"""One-class support vector machine on overlapping mel frames.

Frames of 0.6 s of the mel-spectrogram, scaled to [0, 1] by the normal training clips; a Gaussian kernel, fitted on at
most 10,000 frames a machine id. Results of single frames are reported too, each with its clip's label. With
`--features=cens,lmfe,mfcc` it reads the standardised mean of each over a clip instead.

    python -m experiments.ocsvm --machine=slide_rail
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.STATISTICS, "nu", "gamma")


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorer and what it reads."""
    return asd_jax.runs.statistics("ocsvm", "ocsvm", overlapping_frames=True)


if __name__ == "__main__":
    launch.experiment(recipe)
