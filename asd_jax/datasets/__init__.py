"""Recordings as clips with labels and a way to read each: of releases, any folder, or synthetic machines.

What comes out is a `Dataset`: the `Clip`s of one machine type and a function that gives a clip's waveform. `DataConfig`
says which recordings, `open_dataset` lists them, and `extraction.extract` computes their frames.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asd_jax.datasets.clips import Clip, Dataset, Machine
from asd_jax.datasets.config import NAMES, DataConfig, known_layout
from asd_jax.datasets.cutting import Cutting
from asd_jax.datasets.extraction import Extracted, extract
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.recognition import Folder

__all__ = [
    "NAMES",
    "Clip",
    "Cutting",
    "DataConfig",
    "Dataset",
    "Extracted",
    "Machine",
    "canonical_machine",
    "extract",
    "machines_in",
    "only_machine",
    "open_dataset",
]


def machines_in(data_dir: str | Path, *, dataset: str | None = None) -> list[str]:
    """Canonical names of the machines whose recordings are in a folder.

    Raises:
        InputError: there is no such folder, no recording in it, or no layout called `dataset`.
    """
    return Folder(data_dir, layout=known_layout(dataset)).machines()


def only_machine(data_dir: str | Path, *, dataset: str | None = None) -> str:
    """The one machine of a folder of recordings; its own name serves where no folder in it names one.

    Raises:
        InputError: as in `machines_in`, or there are several machines.
    """
    return Folder(data_dir, layout=known_layout(dataset)).only_machine()


def open_dataset(
    data: DataConfig | None = None,
    *,
    data_dir: str | Path | None = None,
    sample_rate: int = 16_000,
    say: Callable[[str], None] = print,
    **settings: Any,
) -> Dataset:
    """The clips of one machine type: from `data_dir`, or without one the built-in synthetic machine.

    Args:
        data: which recordings.
        data_dir: folder of recordings, laid over `data`.
        sample_rate: in Hz, of the waveforms that `Dataset.read` gives.
        say: takes a line for the user when recordings are prepared.
        settings: further fields of `DataConfig` to lay over `data`.

    Raises:
        InputError: as in `DataConfig.open`.
    """
    if data_dir is not None:
        settings["data_dir"] = str(data_dir)
    return dataclasses.replace(data or DataConfig(), **settings).open(sample_rate, say)
