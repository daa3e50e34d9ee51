"""Isolation forest on the clip means of CENS, log-mel energies and MFCC.

How few random cuts set a clip apart from the normal ones of its machine id (Liu, Ting and Zhou, 2008).

    python -m experiments.iforest --machine=slide_rail
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.STATISTICS, "n_trees")


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorer and what it reads."""
    return asd_jax.runs.statistics("iforest", "iforest", features="cens,lmfe,mfcc")


if __name__ == "__main__":
    launch.experiment(recipe)
