"""Recordings that are there twice: under one name, or with the same content in train and test."""

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.layouts import Layout
from asd_jax.errors import InputError

_PROBE_BYTES = 4096
_NAMED = 5


def check_names(clips: Sequence[Clip], data_dir: Path, layout: Layout) -> None:
    """Raise InputError where two clips have one name, in layouts whose names come once."""
    if not layout.names_once:
        return
    seen: dict[tuple, Clip] = {}
    for clip in clips:
        name = unicodedata.normalize("NFC", clip.file_name.rsplit("/", 1)[-1])
        other = seen.setdefault((clip.machine_id, clip.domain, clip.split, clip.is_anomaly, name), clip)
        if other is clip:
            continue
        if clip.attributes != other.attributes:
            both = f"the same clip as {other.attributes or 'no attribute'} and {clip.attributes or 'no attribute'}"
        else:
            both = "a release twice, or two releases"
        raise InputError(
            f"{data_dir / other.file_name} and {clip.file_name} have one name: the folder holds {both}; "
            "point --data_dir at one of them or remove the other"
        )


def shared_content(clips: Sequence[Clip], data_dir: Path) -> tuple[str, ...]:
    """A warning that names test clips whose file has the same bytes as a training clip's; none where there are none.

    Sizes and a few kilobytes of each file tell most files apart; only those that agree are read whole, a block at a
    time.
    """
    if len({clip.split for clip in clips}) < 2:
        return ()
    by_probe: dict[tuple, list[Clip]] = {}
    for clip in clips:
        if (probe := _probe(data_dir / clip.recording)) is not None:
            by_probe.setdefault(probe, []).append(clip)
    found = []
    for alike in by_probe.values():
        if {clip.split for clip in alike} != {"train", "test"}:
            continue
        digests = {clip: _digest(data_dir / clip.recording) for clip in alike}
        train = {digest: clip for clip, digest in reversed(digests.items()) if clip.split == "train"}
        found += [(clip, train[d]) for clip, d in digests.items() if clip.split == "test" and d in train]
    if not found:
        return ()
    found.sort(key=lambda pair: pair[0].file_name)
    names = "; ".join(f"{test.file_name} is {train.file_name}" for test, train in found[:_NAMED])
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return (f"warning: {len(found)} test clip(s) are also in train, so their scores say little: {names}{more}",)


def _probe(path: Path) -> tuple[int, bytes] | None:
    """Size and some bytes of the middle; None for what cannot be read, which is an error when it is decoded."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size // 2 - _PROBE_BYTES // 2))
            return (size, file.read(_PROBE_BYTES)) if size else None
    except OSError:
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
