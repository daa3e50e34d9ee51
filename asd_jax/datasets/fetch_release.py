"""A machine of a public release: fetched, checked, unpacked and counted; what is there already is not fetched again."""

import collections
import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from asd_jax.datasets.download import Client, Record, RemoteFile
from asd_jax.datasets.lock import locked
from asd_jax.datasets.releases import Part, Release
from asd_jax.datasets.tree import AUDIO_SUFFIXES
from asd_jax.datasets.unpack import check_space, unpack
from asd_jax.errors import InputError
from asd_jax.files import write_json

_FETCHED = ".fetched"  # archives while they come, and what became of those that did


@dataclasses.dataclass(frozen=True)
class Fetcher:
    """Fetches machines of one release into one folder.

    Attributes:
        release: the release.
        data_dir: its folder.
        client: that fetches.
        keep_archives: leave archives in `data_dir/.fetched` when they are unpacked.
        say: takes lines for the user.
    """

    release: Release
    data_dir: Path
    client: Client
    keep_archives: bool = False
    say: Callable[[str], None] = print
    _records: dict[int, Record] = dataclasses.field(default_factory=dict, init=False)

    def fetch(self, machine: str, *, evaluation: bool = False, snr_db: tuple[str, ...] = ()) -> list[Path]:
        """Bring one machine into `data_dir` and say how many clips it has, against those expected.

        Args:
            machine: canonical name or the release's own.
            evaluation: the evaluation set too.
            snr_db: of releases with an archive for each signal-to-noise ratio, only these.

        Returns:
            the folders to give as `data_dir`.

        Raises:
            InputError: there is no such machine, the record cannot be fetched, or the disk is full.
        """
        folders = []
        with self._alone():
            for part, own in self.release.parts(machine, evaluation=evaluation):
                record = self._record(part.record)
                clips: collections.Counter[str] = collections.Counter()
                for stem, files in _chosen(record, part, own, snr_db):
                    folder = self.data_dir / part.folder.format(archive=stem)
                    for file in files:
                        clips += _count(self._bring(file, folder, own))
                    folders.append(folder)
                if part.ending == r"\.zip":
                    self.say(_said(f"{self.release.name} {own}", clips, part.expected(own)))
                else:
                    self.say(f"{own}: checked, in {self.data_dir / _FETCHED}; unpack its first part there with 7z x")
        return list(dict.fromkeys(folders))

    def _record(self, number: int) -> Record:
        if number not in self._records:
            record = self._records[number] = self.client.record(number)
            self.say(f"record {number}: {record.title or 'without a title'}, licence {record.licence or 'not stated'}")
        return self._records[number]

    def _bring(self, file: RemoteFile, folder: Path, machine: str) -> dict[str, int]:
        """The files of an archive, with their sizes: as they are there, or unpacked."""
        store = self.data_dir / _FETCHED
        note = store / f"{file.name}.json"
        files = _still_there(note, file.md5, folder)
        if files is not None:
            self.say(f"{file.name}: already there")
            return files
        there = sum(path.stat().st_size for path in store.glob(f"*{file.name}*") if path.suffix != ".json")
        check_space(self.data_dir, file.name, file.size, there=there)
        archive = self.client.fetch(file, store)
        self.say(f"{file.name}: {file.size / 1e6:.1f} MB, MD5 as in the record")
        if archive.suffix != ".zip":
            return {}
        stem = archive.name.removesuffix(".zip")
        strip = {folder.name, stem} - {machine} if folder != self.data_dir else set()
        files = unpack(archive, folder, strip=strip)
        write_json(note, {"md5": file.md5, "files": files})
        if not self.keep_archives:
            archive.unlink()
        return files

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one process fetches into a folder at a time."""
        waiting = f"another command is fetching into {self.data_dir}; waiting for it"
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.data_dir / _FETCHED / "lock", waiting, self.say))
            except OSError as error:
                raise InputError(f"`data_dir`={self.data_dir}: cannot be written ({error.strerror})") from error
            yield


def _chosen(
    record: Record, part: Part, machine: str, snr_db: tuple[str, ...]
) -> Iterator[tuple[str, list[RemoteFile]]]:
    """Archives of a machine; of one that was revised (`_r2`) the last revision.

    Yields:
        an archive's name without revision and ending, and the file or files that it comes in.
    """
    for template in part.archives:
        stem = template.format(machine=machine)
        if snr_db and len(part.archives) > 1 and stem.split("_dB_")[0] not in snr_db:
            continue
        pattern = re.compile(rf"{re.escape(stem)}(?:_r(\d+))?{part.ending}")
        found = [(int(match[1] or 1), name) for name in record.files if (match := pattern.fullmatch(name))]
        if not found:
            raise InputError(
                f"record {part.record} holds no archive {stem}, but {', '.join(sorted(record.files)) or 'nothing'}"
            )
        last = max(found)[0]
        yield stem, [record.files[name] for revision, name in sorted(found) if revision == last]


def _still_there(note: Path, md5: str, folder: Path) -> dict[str, int] | None:
    """The files that an archive was unpacked to, where all of them are still there in their sizes."""
    try:
        noted = json.loads(note.read_text(encoding="utf-8"))
        whole = noted["md5"] == md5 and all(
            (folder / path).stat().st_size == size for path, size in noted["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return None
    return noted["files"] if whole else None


def _count(files: dict[str, int]) -> collections.Counter[str]:
    """Clips by what their folder is: `train`, `test` (also `source_test`), or another name."""
    counts: collections.Counter[str] = collections.Counter()
    for path in files:
        *_, folder, name = ["", *path.split("/")]
        if name.lower().endswith(AUDIO_SUFFIXES):
            counts["test" if folder.endswith("test") else folder] += 1
    return counts


def _said(what: str, clips: collections.Counter[str], expected: tuple[int, int] | None) -> str:
    names = {"train": "training", "": "other"}
    counted = " and ".join(f"{count} {names.get(name, name)}" for name, count in sorted(clips.items(), reverse=True))
    line = f"{what}: {counted or 'no'} clips"
    if expected is None:
        return line
    if expected == (clips["train"], clips["test"]):
        return f"{line}, as expected"
    return f"warning: {line}, but {expected[0]} training and {expected[1]} test clips are published"
