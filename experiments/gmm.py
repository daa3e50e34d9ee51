"""Gaussian mixture on the time-mean log-mel of a clip.

One full-covariance Gaussian a machine id by default: strong, and no network at all. Other statistics and features by
`--summary` and `--features`, other mixtures by the flags below or `--search`.

    python -m experiments.gmm --machine=slide_rail
"""

from absl import flags

from experiments import classical, common

classical.adopt()
flags.DEFINE_integer("n_components", None, "Gaussians. Default: 1.", lower_bound=1)
flags.DEFINE_enum("covariance_type", None, ["full", "tied", "diag", "spherical"], "Kind of covariance. Default: full.")
flags.DEFINE_float("reg_covar", None, "Added to the diagonal of standardised vectors. Default: 1e-3.")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "gmm", scorer="gmm", settings=("n_components", "covariance_type", "reg_covar"))


if __name__ == "__main__":
    common.run(main)
