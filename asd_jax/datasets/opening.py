"""Which machines a folder holds, and the clips of one of them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asd_jax.datasets.clips import Dataset
from asd_jax.datasets.config import DataConfig, known_layout
from asd_jax.datasets.recognition import Folder


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
