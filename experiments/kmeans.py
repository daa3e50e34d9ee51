"""K-means on overlapping mel frames: the distance to the centre of normal sound, averaged over a clip.

Frames of 0.6 s of the mel-spectrogram, scaled to [0, 1] by the normal training clips; one centre a machine id. Results
of single frames are reported too, each with its clip's label.

    python -m experiments.kmeans --machine=slide_rail
"""

from experiments import classical, common

classical.adopt("kmeans")


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    classical.run(arguments, "kmeans", scorer="kmeans", frames=True)


if __name__ == "__main__":
    common.run(main)
