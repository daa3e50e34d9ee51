"""Vectors computed anywhere (BEATs, CLAP, VGGish, ...), one a clip: any scorer, thresholds, intervals and the report.

A file of arrays holds each clip's vector, file name, split, machine id and, where known, label, domain and machine
type; docs/datasets.md has the schema. Where the recordings are there too, the control without a network hears them, and
what the file does not say comes from their names.

    python -m experiments.embeddings --embeddings=FILE.npz --scorer=knn [--data_dir=DIR]
"""

from absl import flags

import asd_jax
from asd_jax.errors import InputError
from experiments import launch

FLAGS = flags.FLAGS

_UNUSED = {"channel", "reference_channel", "far_bleed", "clip_seconds", "clip_hop_seconds", "prepare", "cache_dir"}
_UNUSED |= {"max_memory_gb"}
launch.adopt("embeddings", *(flag for flag in launch.SEARCH if flag not in _UNUSED), "scorer", "n_neighbors")
IN_BENCHMARK = False  # its vectors are the user's


def recipe() -> "asd_jax.runs.RunConfig":
    """The scorers."""
    if FLAGS.embeddings is None:
        raise InputError("--embeddings is needed: a file of vectors, .npz; docs/datasets.md has the schema")
    return asd_jax.runs.vectors("embeddings", FLAGS.scorer or "knn")


if __name__ == "__main__":
    launch.experiment(recipe)
