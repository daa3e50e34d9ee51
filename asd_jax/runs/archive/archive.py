"""The walk of an archive: its listing, its shards, the check that nothing changed meanwhile."""

import collections
import contextlib
import dataclasses
import itertools
import json
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import filelock

from asd_jax import files
from asd_jax.errors import InputError
from asd_jax.runs.archive import table
from asd_jax.runs.archive.engine import Engine
from asd_jax.runs.archive.listing import Listing, shards_of, write_listing
from asd_jax.runs.archive.schedule import Schedule, Task
from asd_jax.runs.archive.scoring import Job
from asd_jax.runs.archive.summary import Summary, summarised
from asd_jax.runs.archive.table import Row

TOGETHER = 128  # files that are scored together: what is done again where a worker dies
_SAY_EVERY = 10.0  # seconds
Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Archive:
    """What is scored, and where the table goes.

    Attributes:
        source: folder of recordings, or list of their paths.
        out: folder of the table, its manifest and its summary.
        job: what decides the rows.
        shard_size: files in a shard, the unit of resuming.
    """

    source: Path
    out: Path
    job: Job
    shard_size: int = 1024

    def shard_paths(self, n_files: int) -> Iterator[Path]:
        """Those of the whole table."""
        return (table.shard_path(self.out, number) for number in range(-(-n_files // self.shard_size)))


@dataclasses.dataclass(frozen=True)
class Scored:
    """What became of it.

    Attributes:
        summary: of the whole table.
        n_scored: files that were scored now, rather than before.
        seconds: that they took, from when the first worker had loaded its detector.
        start_seconds: until then.
        n_replaced: workers that were lost.
    """

    summary: Summary
    n_scored: int
    seconds: float
    start_seconds: float
    n_replaced: int


def score_archive(
    archive: Archive,
    engine: Callable[[], tuple[Engine, int]],
    *,
    words: Callable[[str], str] = str,
    say: Say = print,
) -> Scored:
    """Score all recordings, but for the shards that are there, and write the summary.

    Args:
        archive: what and where.
        engine: makes an engine and says how many workers it is to have; not called where nothing is left to do.
        words: what a row's remarks are written as.
        say: takes lines of progress.

    Raises:
        InputError: the folder has the table of another model, list or settings; the listing changed meanwhile;
            something cannot be read or written.
    """
    table.check_installed()
    if archive.shard_size < 1:
        raise InputError(f"`shard_size`={archive.shard_size}: give a number of files, above 0")
    with _alone(archive.out):
        listing = _begun(archive)
        begun = time.monotonic()
        tasks = _tasks(archive)
        first = next(tasks, None)
        n_scored, schedule = 0, None
        if first is not None:
            made, n_workers = engine()
            schedule = Schedule(made, n_workers, file_seconds=archive.job.file_seconds, say=say)
            finished = (
                (task, [row._replace(remarks=words(row.remarks)) for row in rows])
                for task, rows in schedule.run(itertools.chain([first], tasks))
            )
            progress = _progress(listing.n_files, schedule, say)
            n_scored = _write(archive, finished, listing.n_files, progress)
        ended = time.monotonic()
        paths = archive.shard_paths(listing.n_files)
        summary = summarised(row for path in paths for row in table.read_rows(path))
        ready = (schedule and schedule.ready_at) or ended
        scored = Scored(summary, n_scored, ended - ready, ready - begun, schedule.n_replaced if schedule else 0)
        files.write_json(archive.out / "summary.json", summary.to_json())
        _check_unchanged(archive, listing)
        return scored


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    if out.exists() and not out.is_dir():
        raise InputError(f"`out`={out} is a file; choose a folder")
    try:
        files.check_not_a_run(out)
        out.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(out / ".lock", timeout=0):
            yield
    except filelock.Timeout as error:
        raise InputError(f"`out`={out}: another process writes there; wait for it or choose another folder") from error
    except InputError as error:
        raise InputError(str(error).replace("`workdir", "`out")) from error


def _begun(archive: Archive) -> Listing:
    """List the recordings and write the manifest, or check that what was begun is what is asked for."""
    manifest = archive.out / "manifest.json"
    if not manifest.exists():
        if (archive.out / "scores").exists():
            raise InputError(f"`out`={archive.out} has shards and no manifest.json; choose another folder")
        with _aside(archive.out) as path:
            listing = write_listing(archive.source, path)
            path.replace(archive.out / "listing.txt")
        files.write_json(manifest, {**_asked(archive, listing), "asd_jax": metadata.version("asd_jax")})
        return listing
    with _aside(archive.out) as path:
        listing = write_listing(archive.source, path)
    try:
        before = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{manifest} is damaged; choose another `out`") from error
    now = json.loads(json.dumps(_asked(archive, listing)))
    for name, value in now.items():
        if before.get(name) != value:
            raise InputError(
                f"{archive.out} was begun with another {name.replace('_', ' ')} "
                f"({_differing(before.get(name), value)}); choose another `out`, or give what it was begun with"
            )
    return listing


def _asked(archive: Archive, listing: Listing) -> dict[str, Any]:
    job = dataclasses.asdict(archive.job)
    model = {"sha256": job.pop("sha256")}
    job.pop("model")  # it may lie elsewhere now
    return {
        "format": 1,
        "model": model,
        "listing": listing._asdict(),
        "settings": job,
        "shard_size": archive.shard_size,
    }


def _differing(before: Any, now: Any) -> str:
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return f"{json.dumps(before)} then, {json.dumps(now)} now"
    name = next(name for name in (*before, *now) if before.get(name) != now.get(name))
    return f"{name}: {_differing(before.get(name), now.get(name))}"


@contextlib.contextmanager
def _aside(out: Path) -> Iterator[Path]:
    path = out / ".listing.txt"
    try:
        yield path
    except OSError as error:
        raise files.not_written(out / "listing.txt", error) from error
    finally:
        path.unlink(missing_ok=True)


def _tasks(archive: Archive) -> Iterator[Task]:
    """The files of shards that are not there, some at a time."""
    for shard, names in enumerate(shards_of(archive.out / "listing.txt", archive.shard_size)):
        if table.is_written(table.shard_path(archive.out, shard), names):
            continue
        for part, first in enumerate(range(0, len(names), TOGETHER)):
            yield Task(shard, part, names[first : first + TOGETHER])


def _write(
    archive: Archive, finished: Iterator[tuple[Task, list[Row]]], n_files: int, progress: Callable[[int], None]
) -> int:
    """Write each shard as soon as all its parts are there; gives how many files were scored."""
    waiting: dict[int, dict[int, list[Row]]] = collections.defaultdict(dict)
    n_scored = 0
    with contextlib.closing(finished):  # an error here ends the workers
        for task, rows in finished:
            parts = waiting[task.shard]
            parts[task.part] = rows
            n_scored += len(rows)
            in_shard = min(archive.shard_size, n_files - task.shard * archive.shard_size)
            if len(parts) == -(-in_shard // TOGETHER):
                whole = [row for part in sorted(parts) for row in parts[part]]
                table.write_shard(table.shard_path(archive.out, task.shard), whole)
                del waiting[task.shard]
            progress(n_scored)
    return n_scored


def _progress(n_files: int, schedule: Schedule, say: Say) -> Callable[[int], None]:
    """Says now and then how far it is."""
    said = time.monotonic()

    def progress(n_scored: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said > _SAY_EVERY and schedule.ready_at:
            said = now
            rate = n_scored / (now - schedule.ready_at)
            say(f"{n_scored:,} files scored of {n_files:,}, {rate:.0f} a second")

    return progress


def _check_unchanged(archive: Archive, before: Listing) -> None:
    with _aside(archive.out) as path:
        now = write_listing(archive.source, path)
    if now != before:
        raise InputError(
            f"`input`={archive.source} changed while it was scored: {before.n_files:,} recordings then, "
            f"{now.n_files:,} now; the table in {archive.out} is of the former; choose another `out`"
        )
