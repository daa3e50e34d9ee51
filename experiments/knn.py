"""Nearest neighbours on the time-mean log-mel of a clip.

Mean distance to the nearest normal clips of the same machine id; ids are never pooled.

    python -m experiments.knn --machine=slide_rail
"""

from experiments import classical, common

classical.adopt("knn")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "knn", scorer="knn")


if __name__ == "__main__":
    common.run(main)
