"""What the user's cache folder holds: prepared recordings, compiled programs, published weights; and its pruning.

All of it can be made or fetched again. What is not recognised is neither counted nor removed.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock

from asd_jax.errors import InputError
from asd_jax.files import cache_folder

RECORDINGS, PROGRAMS, WEIGHTS = "prepared recordings", "compiled programs", "published weights"
KINDS = (RECORDINGS, PROGRAMS, WEIGHTS)
_UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
_DAY = 86_400.0


@dataclasses.dataclass(frozen=True)
class Entry:
    """One thing that is kept.

    Attributes:
        kind: one of `KINDS`.
        path: its file or folder.
        n_bytes: that it takes.
        used: when it was last written or, for recordings, opened; seconds since 1970.
        lock: the lock file that whoever builds it holds; None where there is none.
    """

    kind: str
    path: Path
    n_bytes: int
    used: float
    lock: Path | None = None

    @property
    def name(self) -> str:
        """Of its file or folder."""
        return self.path.name


def entries(cache_dir: str | Path | None = None) -> list[Entry]:
    """Everything that is kept, the longest unused first.

    Args:
        cache_dir: the folder of prepared recordings, where that is another one than the user's cache folder.
    """
    home = cache_folder()
    place = home if cache_dir is None else Path(cache_dir).expanduser()
    return sorted([*_recordings(place / "prepared"), *_programs(home), *_weights(home)], key=lambda entry: entry.used)


def _recordings(folder: Path) -> Iterator[Entry]:
    for path in _children(folder / "recordings"):
        if path.is_dir():
            lock = folder / f"{path.name.rpartition('-')[0]}.lock"
            yield _entry(RECORDINGS, path, lock)


def _programs(folder: Path) -> Iterator[Entry]:
    for path in _children(folder):
        if path.is_dir() and re.fullmatch(r"[0-9a-f]{16}", path.name):
            yield _entry(PROGRAMS, path)


def _weights(folder: Path) -> Iterator[Entry]:
    for path in _children(folder):
        if path.is_file() and path.suffix == ".npz":
            yield _entry(WEIGHTS, path)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.is_symlink())
    except OSError:
        return []


def _entry(kind: str, path: Path, lock: Path | None = None) -> Entry:
    n_bytes, used = 0, 0.0
    for file in (path, *(path.rglob("*") if path.is_dir() else ())):
        with contextlib.suppress(OSError):  # another run may be at work there
            status = file.lstat()
            n_bytes += 0 if file.is_dir() else status.st_size
            used = max(used, status.st_mtime)
    return Entry(kind, path, n_bytes, used, lock)


def mark_used(path: Path) -> None:
    """Note that a kept folder was opened, so that it is not the oldest."""
    with contextlib.suppress(OSError):  # a cache that others own can still be read
        os.utime(path)


def sizes(cache_dir: str | Path | None = None) -> dict[str, int]:
    """Bytes by kind."""
    found = dict.fromkeys(KINDS, 0)
    for entry in entries(cache_dir):
        found[entry.kind] += entry.n_bytes
    return found


def in_words(n_bytes: int) -> str:
    """`297 MB`."""
    unit = next((name for name, of in list(_UNITS.items())[::-1] if n_bytes >= of), "kB")
    value = n_bytes / _UNITS[unit]
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def to_prune(kept: Sequence[Entry], limit: str, *, now: float | None = None) -> list[Entry]:
    """What has to go under a limit, the longest unused first.

    Args:
        kept: as `entries` gives it.
        limit: `30d`, for what has not been used for so many days; or `10GB`, for the oldest beyond that size in all.
        now: seconds since 1970.

    Raises:
        InputError: the limit is neither.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(d|kB|MB|GB|TB)", limit, re.IGNORECASE)
    if match is None:
        raise InputError(f"`prune={limit}`: give days or a size, such as 30d or 10GB")
    amount, unit = float(match[1]), match[2].lower()
    if unit == "d":
        now = time.time() if now is None else now
        return [entry for entry in kept if now - entry.used > amount * _DAY]
    limit_bytes = amount * next(of for name, of in _UNITS.items() if name.lower() == unit)
    total, gone = sum(entry.n_bytes for entry in kept), []
    for entry in kept:
        if total <= limit_bytes:
            break
        gone.append(entry)
        total -= entry.n_bytes
    return gone


def remove(entry: Entry) -> bool:
    """Remove what is kept; False where a run is building it just now.

    Whoever reads it at that moment goes on reading: its file is open.

    Raises:
        InputError: it cannot be removed.
    """
    lock = filelock.FileLock(entry.lock) if entry.lock is not None else contextlib.nullcontext()
    try:
        if entry.lock is not None:
            lock.acquire(blocking=False)
    except filelock.Timeout:
        return False
    try:
        if entry.path.is_dir():
            shutil.rmtree(entry.path)
        else:
            entry.path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{entry.path} cannot be removed ({error.strerror}); change its permissions") from error
    finally:
        if entry.lock is not None:
            lock.release()
    return True
