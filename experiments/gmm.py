"""Gaussian mixture on the time-mean log-mel of a clip.

One full-covariance Gaussian a machine id by default: strong, and no network at all. Other statistics and features by
`--summary` and `--features`, other mixtures by `--n_components`,
`--covariance_type` and `--search`.

    python -m experiments.gmm --machine=slide_rail
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.STATISTICS, "n_components", "covariance_type", "reg_covar")


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorer and what it reads."""
    return asd_jax.runs.statistics("gmm", "gmm")


if __name__ == "__main__":
    launch.experiment(recipe)
