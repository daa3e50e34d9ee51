"""Zip archives unpacked without trusting them, and without a half unpacked folder that looks whole."""

import os
import shutil
import stat
import zipfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from asd_jax.errors import InputError

_MOST_FILES = 500_000
_MOST_GROWTH = 20  # times an archive's size: 16-bit recordings shrink to a half, bombs to a thousandth
_SMALL = 64 * 2**20  # below which growth does not matter


def unpack(archive: Path, folder: Path, *, strip: Collection[str] = ()) -> dict[str, int]:
    """Unpack a zip file into a folder, replacing files of the same names.

    Everything is unpacked into a hidden folder beside its place and then renamed, whole folders at a time.

    Args:
        archive: the zip file.
        folder: where its files go; made where it is missing.
        strip: names of folders that are left out where everything in the archive lies in one of them.

    Returns:
        size in bytes of each file, by its path relative to `folder`.

    Raises:
        InputError: it is no zip file, is damaged, holds links or paths that lead out of the folder, or would grow
            beyond reason or beyond the free space.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            members = _checked(file, archive, strip)
            aside = folder / f".{archive.name}.unpacking"
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            try:
                check_space(folder, archive.name, sum(member.file_size for member in members.values()))
                for path, member in members.items():
                    target = aside / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with file.open(member) as source, target.open("xb") as sink:
                        shutil.copyfileobj(source, sink, 2**20)
                _merge(aside, folder)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError) as error:
        raise InputError(f"{archive} is not a whole zip file ({error}); remove it and fetch it again") from error
    except OSError as error:
        raise InputError(f"{folder}: {archive.name} cannot be unpacked there ({error.strerror})") from error
    return {path: member.file_size for path, member in members.items()}


def check_space(folder: Path, name: str, size: int, *, there: int = 0) -> None:
    """Raise InputError where a folder's disk has no room for something of `size` bytes, `there` of which it holds."""
    free = shutil.disk_usage(folder).free
    if size - there > free:
        raise InputError(
            f"{folder}: {name} takes {size / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; "
            "make room, or choose another `data_dir`"
        )


def _checked(file: zipfile.ZipFile, archive: Path, strip: Collection[str]) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by the paths they get; an archive with anything odd in it is refused as a whole."""

    def refuse(why: str) -> InputError:
        return InputError(f"{archive} is refused: {why}; fetch it again, or unpack it yourself")

    members = {}
    for member in file.infolist():
        name = member.filename
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
            raise refuse(f"the path {name!r} leads out of its folder")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise refuse(f"{name!r} is a link or a device")
        if member.flag_bits & 1:
            raise refuse(f"{name!r} is encrypted")
        if member.is_dir() or parts[0] == "__MACOSX":
            continue
        path = PurePosixPath(*parts).as_posix()
        if path in members:
            raise refuse(f"it holds {name!r} twice")
        members[path] = member
    size, packed = sum(member.file_size for member in members.values()), archive.stat().st_size
    if len(members) > _MOST_FILES or size > max(_SMALL, _MOST_GROWTH * packed):
        raise refuse(
            f"{len(members)} files of {size / 1e9:.1f} GB are more than {packed / 1e6:.1f} MB can honestly hold"
        )
    tops = {path.split("/")[0] if "/" in path else "" for path in members}
    if len(tops) == 1 and (top := tops.pop()) in strip and top:
        return {path.removeprefix(f"{top}/"): member for path, member in members.items()}
    return members


def _merge(source: Path, target: Path) -> None:
    """Rename what lies in a folder into another: a folder as a whole where there is none of its name."""
    for path in sorted(source.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _merge(path, place)
        else:
            os.replace(path, place)
