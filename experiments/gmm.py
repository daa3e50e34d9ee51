"""Gaussian mixture on the time-mean log-mel of a clip.

One full-covariance Gaussian a machine id by default: strong, and no network at all. Other statistics and features by
`--summary` and `--features`, other mixtures by `--n_components`,
`--covariance_type` and `--search`.

    python -m experiments.gmm --machine=slide_rail
"""

from experiments import classical, common

classical.adopt("gmm")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "gmm", scorer="gmm")


if __name__ == "__main__":
    common.run(main)
