"""Supervised reference: a classifier of normal and anomalous clips, by cross-validation over the labelled test clips.

The ceiling that shows how far label-free detection is from knowing the faults, and the tool for faults that come again.
No detector of faults that nobody has recorded: its figures are of the faults that it was taught. A support
vector machine reads each clip's mean log-mel, or with `--network` the embedding of a multi-branch network that learns
the two classes.

    python -m experiments.supervised --machine=slide_rail
"""

import dataclasses

from absl import flags

import asd_jax
from experiments import launch

FLAGS = flags.FLAGS

_UNUSED = {"search", "oracle_search", "scorers", "fusion", "fusion_rule", "pool", "pca", "frames"}
_UNUSED |= {"frame_seconds", "overlap"}
launch.adopt(*(flag for flag in launch.STATISTICS if flag not in _UNUSED), "epochs", "batch_size", "branches")
flags.DEFINE_integer("n_folds", 5, "Parts of the labelled recordings, each scored by what the others taught.")
flags.DEFINE_bool("save", False, "Keep the detector that is taught by all labelled recordings.")
flags.DEFINE_bool("network", False, "Train a multi-branch network on the two classes in each fold: minutes each.")
IN_BENCHMARK = False  # its figures are no rival's


def recipe() -> "asd_jax.runs.RunConfig":
    """What is looked at, and the classifier."""
    from asd_jax.runs import Supervised

    config = asd_jax.runs.statistics("supervised", "labelled_svm")
    if FLAGS.network:
        from asd_jax.training.objectives import SubClusterAdaCos

        model = asd_jax.models.MultiBranchConfig(branches=("spectrum", "1024"))
        training = asd_jax.training.TrainingConfig(epochs=16, batch_size=32, schedule="constant", weight_decay=0.01)
        network = asd_jax.runs.embedding("supervised", model, training)
        taught = dataclasses.replace(network.recipe, objective=SubClusterAdaCos(supervised=True))
        config = dataclasses.replace(config, recipe=taught, front_end=network.front_end)
    return dataclasses.replace(config, supervised=Supervised())


if __name__ == "__main__":
    launch.experiment(recipe)
