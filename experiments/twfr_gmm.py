"""Gaussian mixture on the time-weighted frequency representation of a clip (Guan et al., ICASSP 2023).

Each mel bin's frames are ranked and averaged with the weights `twfr_decay ** rank`, which lifts short sounds: 1 is the
time-mean, 0 the maximum. The authors chose the decay by the labels of each machine; here it is fixed.

    python -m experiments.twfr_gmm --machine=slide_rail
"""

from experiments import classical, common

classical.adopt("gmm")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "twfr_gmm", scorer="gmm", summary=("twfr",))


if __name__ == "__main__":
    common.run(main)
