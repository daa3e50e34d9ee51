"""Anomalous sound detection for machines in JAX.

Submodules are imported when they are first used, so that `import asd_jax` costs nothing and a script's
`--help` does not wait for JAX.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_SUBMODULES = (
    "bootstrap",
    "checkpoints",
    "classical",
    "datasets",
    "detector",
    "embeddings",
    "evaluation",
    "evaluation_run",
    "experiment",
    "extraction",
    "features",
    "fitted_scorers",
    "metrics",
    "models",
    "official_scores",
    "oracle_thresholds",
    "recordings",
    "representations",
    "run_folder",
    "score_files",
    "scorers",
    "thresholds",
    "training",
    "training_plan",
)


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"asd_jax.{name}")
    if name == "load_detector":
        return importlib.import_module("asd_jax.detector").load_detector
    raise AttributeError(f"module 'asd_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*_SUBMODULES, "load_detector"]
