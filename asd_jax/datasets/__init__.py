"""Where recordings come from: releases and their file names, any folder, synthetic machines."""

from pathlib import Path

from asd_jax.datasets import built_in, dcase2020
from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.machines import canonical_machine
from asd_jax.errors import InputError

NAMES = (built_in.NAME, dcase2020.NAME)

__all__ = ["NAMES", "Clip", "Dataset", "canonical_machine", "open_dataset"]


def open_dataset(
    *,
    machine: str,
    data_dir: str | Path | None = None,
    name: str | None = None,
    machine_ids: tuple[str, ...] = (),
    sample_rate: int = 16_000,
    channel: str = "mix",
) -> Dataset:
    """The clips of one machine type: from `data_dir`, or without one the built-in synthetic machine.

    Args:
        machine: canonical name or a release's own.
        data_dir: folder of recordings.
        name: one of `NAMES`, to force a layout.
        machine_ids: keep only these; all when empty.
        sample_rate: in Hz, of the waveforms that `Dataset.read` gives.
        channel: `mix` or a channel's number.

    Raises:
        InputError: see `dcase2020.load` and `built_in.load`, or a name that does not go with `data_dir`.
    """
    if name is not None and name not in NAMES:
        raise InputError(f"--dataset={name}: not known; there are {', '.join(NAMES)}")
    if channel != "mix" and not channel.isdecimal():
        raise InputError(f"--channel={channel}: give mix or a channel's number, from 0")
    if data_dir is None:
        if name not in (None, built_in.NAME):
            raise InputError(f"--dataset={name} needs --data_dir, the folder with its recordings")
        return built_in.load(machine=machine, machine_ids=machine_ids, sample_rate=sample_rate)
    if name == built_in.NAME:
        raise InputError(f"--dataset={name} is built in; leave --data_dir out")
    return dcase2020.load(data_dir, machine=machine, machine_ids=machine_ids, sample_rate=sample_rate, channel=channel)
