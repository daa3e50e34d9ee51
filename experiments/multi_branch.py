"""Multi-branch network: embeddings by which normal clips are told apart; the nearest normal embedding is the score.

A branch for the spectrum and one for each spectrogram (Wilkinghoff, ICASSP 2024; Fujimura et al., 2025) learn
to tell machine types, ids or sections, attributes and domains of normal clips apart by sub-cluster AdaCos, with mixup.
One network serves all machine types given.

    python -m experiments.multi_branch --machine=slide_rail
    python -m experiments.multi_branch --machine=all --data_dir=DIR
"""

from absl import flags

import asd_jax
from experiments import launch

FLAGS = flags.FLAGS

launch.adopt(
    *(flag for flag in launch.NETWORK if flag not in ("features", "preset", "per_machine_id")),
    "branches",
    "mixup",
    "pseudo_classes",
)
flags.DEFINE_enum(
    "recipe",
    "small",
    ["small", "published"],
    "Branches and batches for two CPU cores, or those of the publication (three spectrograms, for a GPU).",
)


def recipe() -> "asd_jax.runs.RunConfig":
    """The network and its training, of the recipe asked for."""
    published = FLAGS.recipe == "published"
    branches = ("spectrum", "256", "1024", "4096") if published else ("spectrum", "1024")
    training = asd_jax.training.TrainingConfig(
        epochs=16,
        batch_size=64 if published else 32,  # a step of 64 clips takes a gigabyte more
        learning_rate=1e-3,
        schedule="constant",
        weight_decay=0.01,
    )
    return asd_jax.runs.embedding("multi_branch", asd_jax.models.MultiBranchConfig(branches=branches), training)


if __name__ == "__main__":
    launch.experiment(recipe)
