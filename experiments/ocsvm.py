"""One-class support vector machine on overlapping mel frames.

Frames of 0.6 s of the mel-spectrogram, scaled to [0, 1] by the normal training clips; a Gaussian kernel, fitted on at
most 10,000 frames a machine id. Results of single frames are reported too, each with its clip's label. With
`--features=cens,lmfe,mfcc` it reads the standardised mean of each over a clip instead.

    python -m experiments.ocsvm --machine=slide_rail
"""

from experiments import classical, common

classical.adopt("ocsvm")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "ocsvm", scorer="ocsvm", frames=True)


if __name__ == "__main__":
    common.run(main)
