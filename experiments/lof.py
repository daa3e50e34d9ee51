"""Local outlier factor on the clip means of CENS, log-mel energies and MFCC.

How much sparser a clip lies among the normal ones of its machine id than its neighbours do (Breunig et al., 2000).

    python -m experiments.lof --machine=slide_rail
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.STATISTICS, "n_neighbors")


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorer and what it reads."""
    return asd_jax.runs.statistics("lof", "lof", features="cens,lmfe,mfcc")


if __name__ == "__main__":
    launch.experiment(recipe)
