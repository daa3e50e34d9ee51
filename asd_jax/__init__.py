"""Anomalous sound detection for machines in JAX.

Rooms are imported when they are first used, so that `import asd_jax` costs nothing and a script's `--help` does not
wait for JAX.
"""

import importlib
from collections.abc import Callable, Mapping
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


def late(room: str, files: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a room whose names are imported when they are first used.

    Args:
        room: its dotted name.
        files: of the room, by the name that is found in each; a file by its own name is the module itself.
    """

    def get(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        module = importlib.import_module(f"{room}.{files[name]}")
        return module if files[name] == name else getattr(module, name)

    return get, lambda: list(files)


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
