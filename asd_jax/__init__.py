"""Anomalous sound detection for machines in JAX.

Rooms are imported when they are first used, so that `import asd_jax` costs nothing and a script's `--help` does not
wait for JAX.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_ROOMS = (
    "datasets",
    "detectors",
    "evaluation",
    "features",
    "models",
    "report",
    "representations",
    "runs",
    "scorers",
    "training",
)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"asd_jax.{name}")
    if name == "load_detector":
        return importlib.import_module("asd_jax.detectors.bundle").load_detector
    if name == "ClipDetector":
        return importlib.import_module("asd_jax.runs.clip_detector").ClipDetector
    if name == "exported":
        return importlib.import_module("asd_jax.detectors.exported")
    if name == "plots":
        return importlib.import_module("asd_jax.report.plots")
    raise AttributeError(f"module 'asd_jax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*_ROOMS, "ClipDetector", "exported", "load_detector", "plots"]
