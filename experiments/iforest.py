"""Isolation forest on the clip means of CENS, log-mel energies and MFCC.

How few random cuts set a clip apart from the normal ones of its machine id (Liu, Ting and Zhou, 2008).

    python -m experiments.iforest --machine=slide_rail
"""

from experiments import classical, common

classical.adopt("iforest")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "iforest", scorer="iforest", features="cens,lmfe,mfcc")


if __name__ == "__main__":
    common.run(main)
