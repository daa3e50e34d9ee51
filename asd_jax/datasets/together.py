"""The recordings of several machine types as one data set, and each type's part of it."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from asd_jax.datasets.clips import Clip, Dataset


def together(datasets: Sequence[Dataset]) -> Dataset:
    """The clips of all, read as each data set reads its own; they know their machine type."""
    by_type = {dataset.machine: dataset for dataset in datasets}

    def read(clip: Clip) -> np.ndarray:
        return by_type[clip.machine_type].read(clip)

    def once(values: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for value in values if value))

    return Dataset(
        "+".join(once([dataset.name for dataset in datasets])),
        ",".join(by_type),
        tuple(clip for dataset in datasets for clip in dataset.clips),
        read,
        "; ".join(f"{dataset.machine}: {dataset.description or dataset.name}" for dataset in datasets),
        ",".join(once([dataset.channel for dataset in datasets])),
        once([line for dataset in datasets for line in dataset.warnings]),
    )


def by_machine_type(dataset: Dataset) -> dict[str, Dataset]:
    """The part of each machine type, in order; of a single one the data set itself."""
    types = list(dict.fromkeys(clip.machine_type for clip in dataset.clips))
    if len(types) < 2:
        return {dataset.machine: dataset}
    return {
        name: dataclasses.replace(
            dataset,
            machine=name,
            description="",
            clips=tuple(clip for clip in dataset.clips if clip.machine_type == name),
        )
        for name in types
    }
