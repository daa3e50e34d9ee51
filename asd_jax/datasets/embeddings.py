"""Vectors computed elsewhere as a data set: a file of arrays says of each clip its vector, name, split, id and label.

The schema is in docs/datasets.md. Where the recordings are there too, what the file does not say comes from their
names.
"""

import dataclasses
import math
import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets import folder
from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.config import DataConfig
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.opening import only_machine
from asd_jax.errors import InputError

VECTOR, NAME = "embedding", "file_name"
_WORDS = ("split", "machine_id", "machine_type", "domain", "attributes", "recording")
_LABEL = "is_anomaly"
_NEEDED = ("split", "machine_id")  # unless the recordings say them
_UNKNOWN = -1  # a label that is not known
_SPLITS, _DOMAINS = ("train", "test"), ("source", "target", "")


def embedded_machines(path: str | Path) -> list[str]:
    """Canonical names of the machine types in a file of vectors; the file's own name where it says none."""
    return sorted(set(_types(_read(Path(path)), Path(path))))


def only_embedded_machine(path: str | Path, data_dir: str | None = None, dataset: str | None = None) -> str:
    """The one machine type in a file of vectors, or of its recordings; an InputError where there are several."""
    columns = _read(Path(path))
    if "machine_type" not in columns and data_dir is not None:
        return only_machine(data_dir, dataset=dataset)
    return _machine(None, _types(columns, Path(path)), Path(path))


def load(data: DataConfig, *, sample_rate: int = 16_000) -> Dataset:
    """The clips of `data.embeddings` of one machine type, with their vectors.

    Args:
        data: with `data_dir` the recordings of the same names are read where something hears them.
        sample_rate: of those, in Hz.

    Raises:
        InputError: the file is not of the schema, with what is wrong in it and where; a name that comes twice or that
            no recording has; a machine or an id that is not there.
    """
    path = Path(data.embeddings).expanduser()
    if data.cutting is not None:
        raise InputError("`clip_seconds` cuts recordings, and vectors are of whole clips; leave it out")
    columns = _read(path)
    types = _types(columns, path)
    machine = _machine(data.machine, types, path)
    recorded = None
    if data.data_dir is not None:
        plain = dataclasses.replace(data, embeddings=None, machine_ids=(), machine=data.machine and machine)
        recorded = folder.load(plain, sample_rate=sample_rate, usual_seconds=math.inf)
        machine = recorded.machine if data.machine is None and "machine_type" not in columns else machine
    rows = [row for row, kind in enumerate(types) if kind == machine or "machine_type" not in columns]
    clips = _clips(columns, rows, path, machine, recorded)
    ids = sorted({clip.machine_id for clip in clips})
    if unknown := sorted(set(data.machine_ids) - set(ids)):
        raise InputError(f"`machine_ids`={','.join(unknown)}: not in {path}, which has {', '.join(ids)}")
    clips = [clip for clip in clips if not data.machine_ids or clip.machine_id in data.machine_ids]
    vectors = {str(columns[NAME][row]): columns[VECTOR][row] for row in rows}
    clips.sort(key=lambda clip: (clip.split == "test", clip.file_name))
    counts = " and ".join(f"{sum(clip.split == split for clip in clips)} to {split}" for split in _SPLITS)
    about = f"vectors of {columns[VECTOR].shape[1]} values from {path}, {counts}"
    about += f"; recordings in {data.data_dir}" if recorded else "; no recordings beside them, so no control"
    return Dataset(
        recorded.name if recorded else "embeddings",
        machine,
        tuple(clips),
        recorded and recorded.read,
        about,
        recorded.channel if recorded else "",
        (recorded.warnings if recorded else ()) + _without_vector(recorded, vectors),
        vectors,
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    """The columns of a file, each checked by itself."""
    if not path.is_file():
        raise InputError(f"`embeddings`={path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as saved:
            columns = dict(saved)
    except (OSError, ValueError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        reason = "it holds Python objects: vectors of two widths, or names that are not text" * ("pickle" in str(error))
        raise InputError(
            f"`embeddings`={path} is no file of plain arrays, as numpy.savez writes it"
            f"{f' ({reason})' if reason else ''}; docs/datasets.md has the schema"
        ) from error
    known = (VECTOR, NAME, *_WORDS, _LABEL)
    for name in (VECTOR, NAME):
        if name not in columns:
            raise InputError(f"`embeddings`={path} lacks the array {name}; it has {', '.join(columns) or 'nothing'}")
    columns = {name: np.asarray(of) for name, of in columns.items() if name in known}
    _check_vectors(columns, path)
    for name, of in columns.items():
        if len(of) != len(columns[VECTOR]) or (name != VECTOR and of.ndim != 1):
            raise InputError(f"`embeddings`={path}: {name} has shape {of.shape}, for {len(columns[VECTOR])} vectors")
        if name in (NAME, *_WORDS) and of.dtype.kind != "U":
            raise InputError(f"`embeddings`={path}: {name} holds {of.dtype}, not text")
    for name, count in Counter(columns[NAME].tolist()).most_common(1):
        if count > 1:
            raise InputError(f"`embeddings`={path}: {name} comes {count} times in {NAME}; give each clip one vector")
    return columns


def _check_vectors(columns: dict[str, np.ndarray], path: Path) -> None:
    vectors = columns[VECTOR]
    if vectors.ndim != 2 or not vectors.size or not np.issubdtype(vectors.dtype, np.floating):
        raise InputError(
            f"`embeddings`={path}: {VECTOR} has shape {vectors.shape} of {vectors.dtype}; give (n_clips, dim) of "
            "floating point numbers, of several windows their mean"
        )
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        name = columns[NAME][bad[0]] if len(columns[NAME]) == len(vectors) else f"row {bad[0]}"
        raise InputError(f"`embeddings`={path}: {len(bad)} vector(s) hold NaN or infinity, the first that of {name}")


def _types(columns: dict[str, np.ndarray], path: Path) -> list[str]:
    given = columns.get("machine_type")
    own = canonical_machine(path.stem) or "machine"
    return [own] * len(columns[NAME]) if given is None else [canonical_machine(name) for name in given.tolist()]


def _machine(asked_for: str | None, types: Sequence[str], path: Path) -> str:
    """The machine type that is meant; where the file says none it is called as one likes."""
    there = sorted(set(types))
    if asked_for is None:
        if len(there) > 1:
            raise InputError(f"`machine` is needed: {path} has {', '.join(there)}")
        return there[0]
    machine = canonical_machine(asked_for)
    if machine in there or there == [canonical_machine(path.stem)]:
        return machine
    raise InputError(f"`machine`={asked_for}: not in {path}, which has {', '.join(there)}")


def _clips(
    columns: dict[str, np.ndarray], rows: Sequence[int], path: Path, machine: str, recorded: Dataset | None
) -> list[Clip]:
    known = {} if recorded is None else {clip.file_name: clip for clip in recorded.clips}
    for name in _NEEDED:
        if recorded is None and name not in columns:
            raise InputError(
                f"`embeddings`={path} lacks the array {name}; add it, or give the recordings by `data_dir`"
            )
    clips = []
    for row in rows:
        name = str(columns[NAME][row])
        if recorded is not None and name not in known:
            raise InputError(
                f"`embeddings`={path}: {name} is no recording of {recorded.machine} there; names are paths below "
                f"`data_dir`, such as {next(iter(known))}"
            )
        clip = dataclasses.replace(known.get(name, Clip(name, "", "")), machine_type=machine, **_said(columns, row))
        _check(clip, path)
        clips.append(clip)
    return clips


def _said(columns: dict[str, np.ndarray], row: int) -> dict[str, Any]:
    """What the file says of a clip."""
    said = {name: str(columns[name][row]) for name in _WORDS if name in columns and name != "machine_type"}
    if _LABEL in columns:
        label = int(columns[_LABEL][row]) if np.isfinite(columns[_LABEL][row]) else _UNKNOWN
        said[_LABEL] = {0: False, 1: True}.get(label)
    return said


def _check(clip: Clip, path: Path) -> None:
    if clip.split not in _SPLITS:
        raise InputError(f"`embeddings`={path}: split of {clip.file_name} is {clip.split!r}; give train or test")
    if clip.domain not in _DOMAINS:
        raise InputError(f"`embeddings`={path}: domain of {clip.file_name} is {clip.domain!r}; give source or target")
    if clip.split == "train" and clip.is_anomaly:
        raise InputError(f"`embeddings`={path}: {clip.file_name} is anomalous and to train; make its split test")


def _without_vector(recorded: Dataset | None, vectors: dict[str, np.ndarray]) -> tuple[str, ...]:
    lacking = [] if recorded is None else [clip.file_name for clip in recorded.clips if clip.file_name not in vectors]
    if not lacking:
        return ()
    return (f"warning: {len(lacking)} recording(s) have no vector and are left out, such as {lacking[0]}",)
