"""The points of a sweep: `--grid='hidden_size=64,128;features=log_mel,mfcc'` and `--seeds=0,1,2` as runs' settings."""

import itertools
from collections.abc import Container
from typing import Any

from absl import flags

from asd_jax.errors import InputError

FLAGS = flags.FLAGS
_NOT_SWEPT = {
    "machine",
    "workdir",
    "resume",
    "config",
    "debug",
    "seed",
    "data_dir",
    "cache_dir",
    "prepare",
    "max_memory_gb",
}


def axes(grid: str | None, seeds: list[str]) -> dict[str, list[str]]:
    """Values of each flag that differs between runs.

    Args:
        grid: flags and their values, `name=value,value;name=value`.
        seeds: values of `--seed`.

    Raises:
        InputError: a flag that there is not, is no setting of a run, or cannot be so.
    """
    found = {}
    for part in filter(None, (grid or "").split(";")):
        name, equals, values = (of.strip() for of in part.partition("="))
        chosen = [value.strip() for value in values.split(",")]
        if not equals or not all(chosen):
            raise InputError(
                f"--grid={grid}: give flags and their values, such as hidden_size=64,128;features=log_mel,mfcc"
            )
        if name in _NOT_SWEPT or name in found or name not in FLAGS:
            raise InputError(
                f"--grid: {name} is no setting to go through once; use --seeds, --machine, or another flag"
            )
        found[name] = list(dict.fromkeys(chosen))
    if seeds:
        found["seed"] = list(dict.fromkeys(seeds))
    for name, values in found.items():
        for value in values:
            try:
                FLAGS[name].parser.parse(value)
            except ValueError as error:
                raise InputError(f"--{name}={value} cannot be ({error})") from error
    return found


def points(axes_: dict[str, list[str]], taken: Container[str]) -> list[dict[str, str]]:
    """Every combination of values of the flags that an experiment takes; one of none where it takes none.

    Args:
        axes_: from `axes`.
        taken: flags of the experiment.
    """
    own = {name: values for name, values in axes_.items() if name in taken}
    return [dict(zip(own, values, strict=True)) for values in itertools.product(*own.values())]


def folder_name(point: dict[str, Any]) -> str:
    """What a run's folder is called by what it differs in; empty for no differences."""
    return ",".join(f"{name}={value}" for name, value in sorted(point.items())).replace("/", "_")
