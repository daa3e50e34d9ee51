"""Gaussian mixture on the time-weighted frequency representation of a clip (Guan et al., ICASSP 2023).

Each mel bin's frames are ranked and averaged with the weights `twfr_decay ** rank`, which lifts short sounds: 1 is the
time-mean, 0 the maximum. The authors chose the decay by the labels of each machine; here it is fixed.

    python -m experiments.twfr_gmm --machine=slide_rail
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.STATISTICS, "n_components", "covariance_type", "reg_covar")


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorer and what it reads."""
    return asd_jax.runs.statistics("twfr_gmm", "gmm", summary=("twfr",))


if __name__ == "__main__":
    launch.experiment(recipe)
