"""Recordings as clips with labels and a way to read each: of releases, any folder, or synthetic machines.

What comes out is a `Dataset`: the `Clip`s of one machine type and a function that gives a clip's waveform. `DataConfig`
says which recordings, `open_dataset` lists them, and `extraction.extract` computes their frames.

Names are imported when they are first used: an exported detector knows clips, and neither JAX nor files.
"""

import importlib
from typing import Any

_FILES = {
    "NAMES": "config",
    "Clip": "clips",
    "Cutting": "cutting",
    "DataConfig": "config",
    "Dataset": "clips",
    "Extracted": "extraction",
    "Machine": "clips",
    "canonical_machine": "machines",
    "embedded_machines": "embeddings",
    "extract": "extraction",
    "from_waveforms": "in_memory",
    "machines_in": "opening",
    "only_embedded_machine": "embeddings",
    "only_machine": "opening",
    "open_dataset": "opening",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)


def __dir__() -> list[str]:
    return list(_FILES)
