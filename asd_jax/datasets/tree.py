"""The files below a folder: recordings, and tables that may hold their labels."""

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from asd_jax.errors import InputError

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
_OTHER_AUDIO = (".m4a", ".aac", ".wma", ".mp4", ".amr", ".webm")  # what users have and soundfile does not read


@dataclasses.dataclass(frozen=True)
class Tree:
    """Files below a folder, as sorted POSIX paths relative to it.

    Attributes:
        audio: recordings.
        tables: CSV files.
        unreadable: how many files of audio formats that cannot be read there are, by ending.
    """

    audio: tuple[str, ...]
    tables: tuple[str, ...]
    unreadable: dict[str, int]


def list_tree(folder: Path) -> Tree:
    """List a folder and those in it. Symbolic links are followed, a circle of them once; hidden files are left out.

    Raises:
        InputError: a folder may not be read, or a file's name cannot be written into results (`check_name`).
    """
    audio, tables, unreadable = [], [], Counter()
    for relative, suffix, entry in _walk(folder):
        if suffix in AUDIO_SUFFIXES:
            audio.append(_checked(relative, folder))
        elif suffix == ".csv" and entry.is_file():
            tables.append(_checked(relative, folder))
        elif suffix in _OTHER_AUDIO:
            unreadable[suffix] += 1
    return Tree(tuple(sorted(audio)), tuple(sorted(tables)), dict(unreadable))


def walk_audio(folder: Path) -> Iterator[str]:
    """The recordings that `list_tree` lists, one at a time and in no order, however many there are; errors likewise."""
    return (_checked(relative, folder) for relative, suffix, _ in _walk(folder) if suffix in AUDIO_SUFFIXES)


def _walk(folder: Path) -> Iterator[tuple[str, str, os.DirEntry]]:
    """Path relative to the folder, ending, and entry of every file below it that is not hidden."""
    pending = [(str(folder), "", (os.path.realpath(folder),))]
    while pending:
        path, prefix, above = pending.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    # Hidden files are no recordings: macOS puts `._name.wav` beside every file that it copies.
                    if entry.name.startswith(".") or entry.name == "__MACOSX":
                        continue
                    relative = prefix + entry.name
                    if not _is_dir(entry):
                        yield relative, os.path.splitext(entry.name)[1].lower(), entry
                        continue
                    target = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    if target not in above:
                        pending.append((entry.path, f"{relative}/", (*above, os.path.realpath(entry.path))))
        except OSError as error:
            raise InputError(f"{path} cannot be listed ({error.strerror}); change its permissions") from error


def _is_dir(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself; the error comes when it is read
        return False


def _checked(relative: str, folder: Path) -> str:
    check_name(str(folder / relative))
    return relative


def check_name(path: str) -> None:
    """Raise InputError for a path that cannot stand on a line of the results: no Unicode, or a line break in it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InputError(f"{path!r}: the file's name is not valid UTF-8; rename it") from None
    if "\r" in path or "\n" in path:
        raise InputError(f"{path!r}: a line break in a file's name; rename it")
