"""Recordings that are there twice: under one name, or with the same content in train and test."""

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.layouts import Layout
from asd_jax.errors import InputError

_PROBE_BYTES = 4096
_PROBE_AT = (0.25, 0.5, 0.75)  # of the file
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
            "point `data_dir` at one of them or remove the other"
        )


def shared_content(clips: Sequence[Clip], data_dir: Path) -> tuple[str, ...]:
    """A warning that names test clips whose file has the same bytes as a training clip's; none where there are none.

    Sizes and a few kilobytes of each file tell most files apart; only those that agree are read whole, a block at a
    time.
    """
    if len({clip.split for clip in clips}) < 2:
        return ()
    by_probe: dict[str, list[Clip]] = {}
    for clip in clips:
        if (probe := fingerprint(data_dir / clip.recording)) is not None:
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


def fingerprint(path: Path) -> str | None:
    """A digest of a file's size and of some kilobytes of its content, which tells recordings apart in no time.

    Two files that are alike there and differ elsewhere have one fingerprint; recordings of sound are not so, unless
    they are silent. None for an empty file and for what cannot be read, which is an error when it is decoded.
    """
    try:
        if not path.is_file():  # reading a pipe would wait for ever
            return None
        size = path.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        with path.open("rb") as file:
            for share in _PROBE_AT:
                file.seek(max(0, int(size * share) - _PROBE_BYTES // 2))
                digest.update(file.read(_PROBE_BYTES))
    except OSError:
        return None
    return digest.hexdigest()[:32] if size else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
