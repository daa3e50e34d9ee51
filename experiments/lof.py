"""Local outlier factor on the clip means of CENS, log-mel energies and MFCC.

How much sparser a clip lies among the normal ones of its machine id than its neighbours do (Breunig et al., 2000).

    python -m experiments.lof --machine=slide_rail
"""

from experiments import classical, common

classical.adopt("lof")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "lof", scorer="lof", features="cens,lmfe,mfcc")


if __name__ == "__main__":
    common.run(main)
