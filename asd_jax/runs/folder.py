"""The folder of a run: made, resumed, and written into without ever leaving half a file."""

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax

from asd_jax.datasets import DataConfig, Dataset
from asd_jax.errors import InputError
from asd_jax.files import check_not_a_run, check_writable, write_json
from asd_jax.runs.config import RunConfig

__all__ = ["check_free", "check_not_a_run", "describe", "finished", "read_config", "start", "versions"]

_PACKAGES = (
    "asd_jax",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "librosa",
    "numpy",
    "scikit-learn",
)


def read_config(run: Path) -> dict[str, Any]:
    """`config.json` of a run, which may be named itself instead of its folder.

    Raises:
        InputError: there is none, it may not be read, it is not JSON, or it lacks the experiment or the settings.
    """
    path = run if run.suffix == ".json" else run / "config.json"
    if not path.is_file():
        raise InputError(f"{run}: not the folder of a run (no config.json in it)")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); change its permissions") from error
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON ({error}); restore it or train again") from error
    if not isinstance(config, dict) or "experiment" not in config or not isinstance(config.get("settings"), dict):
        raise InputError(f"{path}: not the config of a run: it has no experiment and settings; restore it")
    return config


def finished(paths: Iterable[str | Path]) -> list[Path]:
    """Folders with results: those that are named, and in the place of one without any those that it holds.

    Raises:
        InputError: nothing is named, or a folder holds no results, itself or two levels below.
    """
    paths = [Path(path).expanduser() for path in paths]
    if not paths:
        raise InputError("no runs given; name the folders of finished runs")
    found: list[Path] = []
    for path in paths:
        held = [path / "metrics.json"] if (path / "metrics.json").is_file() else []
        below = held or sorted(path.glob("*/metrics.json")) or sorted(path.glob("*/*/metrics.json"))
        if not below:
            raise InputError(f"{path}: no metrics.json in it; name the folder of a finished run that had test clips")
        found += [file.parent for file in below]
    return list(dict.fromkeys(found))


def as_heard(data: DataConfig, config: dict[str, Any]) -> DataConfig:
    """The recordings' settings with the channel that a run heard, whatever is read by default now.

    Args:
        data: of the run.
        config: what `read_config` gave.
    """
    recorded = config.get("data")
    heard = recorded.get("channel", "mix") if isinstance(recorded, dict) else "mix"
    if data.channel is not None or data.reference_channel is not None or heard in ("", "mix") or "," in heard:
        return data
    return dataclasses.replace(data, channel=heard)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _first_difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            found = _first_difference(old.get(key), new.get(key), f"{path}.{key}" if path else key)
            if found:
                return found
        return None
    return None if old == new else (path, old, new)


def check_free(run: Path) -> None:
    """Raise InputError where a new run would write into a folder that holds something, or cannot be written."""
    if run.exists() and not run.is_dir():
        raise InputError(f"`workdir={run}` is a file; choose a folder")
    if run.exists() and any(run.iterdir()):
        go_on = ", or go on with its run with `resume`" if (run / "config.json").exists() else ""
        raise InputError(f"`workdir={run}` is not empty; choose another{go_on}")
    check_writable(run)


def describe(config: RunConfig, dataset: Dataset) -> dict[str, Any]:
    """`config.json` of a run: the settings, the recordings, how selection is done, the versions."""
    listing = "\n".join(f"{clip.split} {clip.file_name}" for clip in dataset.clips)
    return {
        **config.to_dict(),
        "data": {
            "dataset": dataset.name,
            "machine": dataset.machine,
            "channel": dataset.channel,
            "n_train": len(dataset.split("train")),
            "n_test": len(dataset.split("test")),
            "file_names_sha256": hashlib.sha256(listing.encode()).hexdigest(),
        },
        "selection": config.selection_stamp,
        "selection_protocol": config.protocol,
        "checkpoint": config.recipe.checkpoint,
        "stamp": dict(config.recipe.stamp),
        "versions": versions(),
        "device": jax.devices()[0].device_kind,
    }


def start(run: Path, description: dict[str, Any], *, resume: bool) -> None:
    """Make the folder and its `config.json`, or check that a resumed run has the settings it was started with.

    Args:
        run: the folder.
        description: what `config.json` is to hold: `experiment`, `settings` and `data` are compared.
        resume: the folder holds the run already.

    Raises:
        InputError: the folder holds another run; the message names the first setting that differs.
    """
    if not resume:
        check_free(run)
        write_json(run / "config.json", description)
        return
    old, new = read_config(run), json.loads(json.dumps(description))  # tuples become lists, as they do on disk
    for part in ("experiment", "settings", "data"):
        found = _first_difference(old.get(part), new.get(part), part)
        if found:
            name, before, now = found
            raise InputError(
                f"`resume`: {name} is {json.dumps(now)}, but the run in {run} was started with {json.dumps(before)}; "
                "leave the setting out or start another run"
            )
