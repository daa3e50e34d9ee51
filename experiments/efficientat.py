"""EfficientAT mn04, an AudioSet network, as it is: the nearest normal embedding, or a Gaussian on an early feature map.

The published network (Schmid et al., ICASSP 2023; MIT) is not trained on anything here. `--layer=embedding` scores 384
values by the cosine distance to the nearest normal clip; `--layer=block_4` the channels and mels of the map after four
blocks, averaged over time, by their Mahalanobis distance. The weights are fetched once, 4 MB, or named. The control
`at_initialisation` is the network with random weights.

    python -m experiments.efficientat --machine=slide_rail [--layer=block_4] [--weights=mn04_as_mAP_432.pt]
"""

from absl import flags

import asd_jax
from experiments import launch

FLAGS = flags.FLAGS

launch.adopt(*launch.SEARCH, "scorer")
flags.DEFINE_string("layer", "embedding", "embedding, or block_1 to block_15: the map after so many blocks.")
flags.DEFINE_string("weights", None, "The published .pt, or its arrays as .npz. Default: fetched once.")
IN_BENCHMARK = False  # its weights may have to be fetched


def recipe() -> "asd_jax.runs.RunConfig":
    """The layer and its scorer."""
    from asd_jax.representations import EfficientATEmbedding

    return asd_jax.runs.pretrained(
        "efficientat",
        EfficientATEmbedding.load(FLAGS.weights, layer=FLAGS.layer),
        FLAGS.scorer or ("knn" if FLAGS.layer == "embedding" else "mahalanobis"),
        front_end=asd_jax.features.FrontEnd.from_names("log_mel", preset="efficientat"),
    )


if __name__ == "__main__":
    launch.experiment(recipe)
