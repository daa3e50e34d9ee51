"""The files below a folder: recordings, and tables that may hold their labels."""

import dataclasses
import os
from collections import Counter
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
        InputError: a folder may not be read, or a file's name is not valid Unicode, so that it could not be written
            into results.
    """
    audio, tables, unreadable = [], [], Counter()
    pending = [(str(folder), "", (os.path.realpath(folder),))]
    while pending:
        path, prefix, above = pending.pop()
        try:
            entries = list(os.scandir(path))
        except OSError as error:
            raise InputError(f"{path} cannot be listed ({error.strerror}); change its permissions") from error
        for entry in entries:
            # Hidden files are no recordings: macOS puts `._name.wav` beside every file that it copies.
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            relative = prefix + entry.name
            if entry.is_dir():
                target = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                if target not in above:
                    pending.append((entry.path, f"{relative}/", (*above, os.path.realpath(entry.path))))
                continue
            suffix = os.path.splitext(entry.name)[1].lower()
            if suffix in AUDIO_SUFFIXES:
                audio.append(_checked(relative, folder))
            elif suffix == ".csv":
                tables.append(_checked(relative, folder))
            elif suffix in _OTHER_AUDIO:
                unreadable[suffix] += 1
    return Tree(tuple(sorted(audio)), tuple(sorted(tables)), dict(unreadable))


def _checked(relative: str, folder: Path) -> str:
    try:
        relative.encode()
    except UnicodeEncodeError:
        raise InputError(f"{str(folder / relative)!r}: the file's name is not valid UTF-8; rename it") from None
    return relative
