"""Which recordings an archive has: one path a line in a file, so that ten million of them need no list in memory."""

import contextlib
import hashlib
import heapq
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from asd_jax.datasets.tree import check_name, walk_audio
from asd_jax.errors import InputError

_AT_ONCE = 50_000  # paths that are sorted in memory, some ten megabytes


class Listing(NamedTuple):
    """What is known of a listing.

    Attributes:
        sha256: of its lines.
        n_files: how many there are.
    """

    sha256: str
    n_files: int


def write_listing(source: Path, path: Path) -> Listing:
    """Write the recordings of a folder, sorted, or of a list of paths, in its order, a line each.

    Args:
        source: a folder, with all recordings below it, or a text file with a path a line.
        path: of the file, which is overwritten.

    Raises:
        InputError: there is no such folder or file, no recording in it, or a name that cannot stand on a line.
    """
    digest, count = hashlib.sha256(), 0
    with path.open("w", encoding="utf-8", newline="\n") as file, contextlib.closing(_names(source, path)) as names:
        for name in names:
            line = f"{name}\n"
            file.write(line)
            digest.update(line.encode())
            count += 1
    if count == 0:
        raise InputError(f"`input`={source}: no recordings in it; name a folder of recordings or a list of their paths")
    return Listing(digest.hexdigest(), count)


def shards_of(path: Path, shard_size: int) -> Iterator[list[str]]:
    """The paths of a listing, so many at a time."""
    with path.open(encoding="utf-8", newline="\n") as file:
        while names := [line.rstrip("\n") for line in itertools.islice(file, shard_size)]:
            yield names


def digest_of(names: Iterable[str]) -> str:
    """SHA-256 of some lines of a listing."""
    return hashlib.sha256("".join(f"{name}\n" for name in names).encode()).hexdigest()


def _names(source: Path, path: Path) -> Iterator[str]:
    if source.is_dir():
        yield from _sorted((os.path.join(source, name) for name in walk_audio(source)), path.parent)
        return
    if not source.is_file():
        raise InputError(f"`input`={source}: no such folder or list; give a folder, or a file with a path a line")
    try:
        with source.open(encoding="utf-8") as file:
            for line in file:
                if name := line.rstrip("\r\n"):
                    check_name(name)
                    yield name
    except UnicodeDecodeError as error:
        raise InputError(f"`input`={source}: no list of paths in UTF-8; give a folder, or a path a line") from error
    except OSError as error:
        raise InputError(f"`input`={source} cannot be read ({error.strerror}); change its permissions") from error


def _sorted(names: Iterator[str], folder: Path) -> Iterator[str]:
    """Names in order: sorted some at a time into files, which are merged."""
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix=".listing")))
        parts: list[TextIO] = []
        while chunk := sorted(itertools.islice(names, _AT_ONCE)):
            if not parts and len(chunk) < _AT_ONCE:
                yield from chunk
                return
            part = place / str(len(parts))
            part.write_text("".join(f"{name}\n" for name in chunk), encoding="utf-8")
            parts.append(stack.enter_context(part.open(encoding="utf-8", newline="\n")))
        yield from (line.rstrip("\n") for line in heapq.merge(*parts))
