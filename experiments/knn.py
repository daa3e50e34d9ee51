"""Nearest neighbours on the time-mean log-mel of a clip.

Mean distance to the nearest normal clips of the same machine id; ids are never pooled.

    python -m experiments.knn --machine=slide_rail
"""

from absl import flags

from experiments import classical, common

classical.adopt()
flags.DEFINE_integer("n_neighbors", None, "Neighbours looked at. Default: 2.", lower_bound=1)


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "knn", scorer="knn", settings=("n_neighbors",))


if __name__ == "__main__":
    common.run(main)
