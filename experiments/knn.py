"""Nearest neighbours on the time-mean log-mel of a clip.

Mean distance to the nearest normal clips of the same machine id; ids are never pooled.

    python -m experiments.knn --machine=slide_rail
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.STATISTICS, "n_neighbors")


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorer and what it reads."""
    return asd_jax.runs.statistics("knn", "knn")


if __name__ == "__main__":
    launch.experiment(recipe)
