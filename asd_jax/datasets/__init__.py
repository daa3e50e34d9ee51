"""Where recordings come from: releases and their file names, any folder, synthetic machines."""

from pathlib import Path

from asd_jax.datasets import built_in, folder, layouts
from asd_jax.datasets.clips import Clip, Dataset, Machine
from asd_jax.datasets.config import DataConfig
from asd_jax.datasets.cutting import Cutting
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.recognition import Folder
from asd_jax.errors import InputError

NAMES = (built_in.NAME, *layouts.REGISTRY)

__all__ = [
    "NAMES",
    "Clip",
    "Cutting",
    "DataConfig",
    "Dataset",
    "Machine",
    "canonical_machine",
    "machines_in",
    "only_machine",
    "open_dataset",
]


def machines_in(data_dir: str | Path, *, name: str | None = None) -> list[str]:
    """Canonical names of the machines whose recordings are in a folder.

    Raises:
        InputError: there is no such folder, no recording in it, or no layout called `name`.
    """
    return Folder(data_dir, layout=_layout(name)).machines()


def only_machine(data_dir: str | Path, *, name: str | None = None) -> str:
    """The one machine of a folder of recordings; its own name serves where no folder in it names one.

    Raises:
        InputError: as in `machines_in`, or there are several machines.
    """
    return Folder(data_dir, layout=_layout(name)).only_machine()


def _layout(name: str | None) -> str | None:
    if name is not None and name not in NAMES:
        raise InputError(f"--dataset={name}: not known; there are {', '.join(NAMES)}")
    if name == built_in.NAME:
        raise InputError(f"--dataset={name} is built in; leave --data_dir out")
    return name


def open_dataset(
    *,
    machine: str | None = None,
    data_dir: str | Path | None = None,
    name: str | None = None,
    machine_ids: tuple[str, ...] = (),
    sample_rate: int = 16_000,
    channel: str | None = None,
    split_seed: int = 0,
    cutting: Cutting | None = None,
) -> Dataset:
    """The clips of one machine type: from `data_dir`, or without one the built-in synthetic machine.

    Args:
        machine: canonical name or a release's own; may be left out where `data_dir` has only one.
        data_dir: folder of recordings.
        name: one of `NAMES`, to force a layout.
        machine_ids: keep only these; all when empty.
        sample_rate: in Hz, of the waveforms that `Dataset.read` gives.
        channel: `mix` or a channel's number; None for the layout's own, which is `mix` for all but MIMII and
            ToyADMOS.
        split_seed: of the split into train and test, where the recordings come without one.
        cutting: how long recordings are cut into clips.

    Raises:
        InputError: see `folder.load` and `built_in.load`, or a name that does not go with `data_dir`.
    """
    if data_dir is not None:
        _layout(name)
    elif name not in (None, built_in.NAME):
        _layout(name)
        raise InputError(f"--dataset={name} needs --data_dir, the folder with its recordings")
    if channel not in (None, "mix") and not channel.isdecimal():
        raise InputError(f"--channel={channel}: give mix or a channel's number, from 0")
    if data_dir is None:
        if cutting is not None:
            raise InputError("--clip_seconds cuts recordings; without --data_dir there are none, leave it out")
        return built_in.load(machine=machine or "", machine_ids=machine_ids, sample_rate=sample_rate)
    return folder.load(
        data_dir,
        machine=machine,
        name=name,
        machine_ids=machine_ids,
        sample_rate=sample_rate,
        channel=channel,
        split_seed=split_seed,
        cutting=cutting,
    )
