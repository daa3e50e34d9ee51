"""Archives: `python -m benchmarks.archive RUN FOLDER`, a run of `gmm` and a folder of recordings like its own.

Files a second by both engines beside one process of `experiments.score FILE...` over the same files, start-up apart;
what workers that are killed cost, and that the table stays the same; memory of listing made-up paths. Floors: `local`
1.2 times `score`, `ray` 0.8 times `local`, a million paths 150 MB above a thousand.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from asd_jax.datasets.tree import walk_audio
from asd_jax.detectors.bundle import digest
from asd_jax.evaluation.heard_files import Listening
from asd_jax.runs.archive import table
from asd_jax.runs.archive.archive import Archive, Scored, score_archive
from asd_jax.runs.archive.engine import Engine
from asd_jax.runs.archive.local_engine import LocalEngine
from asd_jax.runs.archive.scoring import Job
from benchmarks import harness

_FEW = 8  # files whose time is that of starting
_LISTING = """
import sys, tempfile
from pathlib import Path
from asd_jax.runs.archive import archive, listing
n = int(sys.argv[1])
listing.walk_audio = lambda folder: (f"machine {i * 7919 % n % 97}/{i * 7919 % n:012d}.wav" for i in range(n))
with tempfile.TemporaryDirectory() as place:
    found = listing.write_listing(Path(place), Path(place) / "listing.txt")
    for names in listing.shards_of(Path(place) / "listing.txt", 1024):
        listing.digest_of(names)
assert found.n_files == n
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def listed(folder: Path, place: Path, n_files: int) -> Path:
    """A folder of so many links to recordings, each several times where there are fewer."""
    names = sorted(walk_audio(folder))
    for index in range(n_files):
        link = place / f"{index // 500}" / f"{index:06d} {Path(names[index % len(names)]).name}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((folder / names[index % len(names)]).absolute())
    return place


def seconds_of_score(run: Path, names: list[str], place: Path) -> float:
    command = [sys.executable, "-m", "experiments.score", f"--checkpoint={run}", f"--workdir={place}", *names]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


class Killer(threading.Thread):
    """Kills a worker every so many seconds."""

    def __init__(self, kill: Callable[[], bool], every: float) -> None:
        super().__init__(daemon=True)
        self._kill, self._every, self.over, self.n_killed = kill, every, threading.Event(), 0

    def run(self) -> None:
        while not self.over.wait(self._every):
            self.n_killed += self._kill()


def kill_one(engine: Engine) -> bool:
    """End a worker that is at something, as the system does to processes that want too much memory; False for none."""
    workers = list(engine._pipes) if isinstance(engine, LocalEngine) else list(engine._calls.values())
    if not workers:
        return False
    if isinstance(engine, LocalEngine):
        workers[0].kill()
    else:
        import ray

        ray.kill(workers[0])
    return True


def scored(archive: Archive, engine: Engine, n_workers: int, *, kill_every: float | None = None) -> tuple[Scored, int]:
    """What became of an archive, and how many workers were killed over it."""
    killer = Killer(lambda: kill_one(engine), kill_every or 0.0)
    if kill_every:
        killer.start()
    try:
        return score_archive(archive, lambda: (engine, n_workers), say=lambda line: None), killer.n_killed
    finally:
        killer.over.set()


def rows(out: Path) -> list[str]:
    return [repr(row) for path in sorted((out / "scores").iterdir()) for row in table.read_rows(path)]


def peak_of_listing(n_paths: int) -> float:
    """MB of a process that lists made-up paths."""
    command = [sys.executable, "-c", _LISTING, str(n_paths)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def engines(job: Job) -> dict[str, Engine]:
    found: dict[str, Engine] = {"local": LocalEngine(job)}
    try:
        import ray  # noqa: F401

        from asd_jax.runs.archive.ray_engine import RayEngine
    except ImportError:
        print("ray is not installed: pip install 'asd_jax[cluster]'")
        return found
    return {**found, "ray": RayEngine(job)}


def compare(source: Path, place: Path, job: Job, arguments: argparse.Namespace) -> None:
    """Files a second of `score` and both engines, in turn; medians of the rates and of their ratios."""
    names = [str(source / name) for name in sorted(walk_audio(source))]
    rates: dict[str, list[float]] = {}
    starts: dict[str, list[float]] = {}
    for turn in range(arguments.repeats):
        start = seconds_of_score(arguments.run, names[:_FEW], place / f"few {turn}")
        whole = seconds_of_score(arguments.run, names, place / f"all {turn}")
        rates.setdefault("score", []).append((len(names) - _FEW) / (whole - start))
        starts.setdefault("score", []).append(start)
        for name, engine in engines(job).items():
            done, _ = scored(Archive(source, place / f"{name} {turn}", job), engine, arguments.workers)
            rates.setdefault(name, []).append(done.n_scored / done.seconds)
            starts.setdefault(name, []).append(done.start_seconds)
    for name, found in rates.items():
        print(f"{name:<7} {median(found):7.1f} files/s, start {median(starts[name]):.1f} s")
    print(f"local / score  {harness.Ratio.of(rates['score'], rates['local'])} (floor 1.2)")
    if "ray" in rates:
        tables = {
            repr(rows(place / f"{name} {turn}")) for name in ("ray", "local") for turn in range(arguments.repeats)
        }
        print(f"ray / local    {harness.Ratio.of(rates['local'], rates['ray'])} (floor 0.8)")
        print(f"tables equal: {len(tables) == 1}")


def lost_to_kills(source: Path, place: Path, job: Job, arguments: argparse.Namespace) -> None:
    """What workers that are killed cost, beside the same without."""
    for name, engine in engines(job).items():
        whole, _ = scored(Archive(source, place / f"{name} undisturbed", job), engine, arguments.workers)
        archive = Archive(source, place / f"{name} disturbed", job)
        done, n_killed = scored(archive, engine, arguments.workers, kill_every=arguments.kill_every)
        is_same = rows(place / f"{name} disturbed") == rows(place / f"{name} undisturbed")
        lost = done.seconds - whole.seconds
        print(
            f"{name:<7} {done.n_scored:,} files, one of {arguments.workers} workers killed every "
            f"{arguments.kill_every:g} s: {n_killed} killed, {done.n_replaced} replaced, {done.seconds:.1f} s against "
            f"{whole.seconds:.1f} s, {lost / max(1, n_killed):.1f} s a kill; tables equal: {is_same}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n_files", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3, help="of these, in turn")
    parser.add_argument("--n_killed", type=int, default=40_000, help="files scored while workers are killed")
    parser.add_argument("--n_paths", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill_every", type=float, default=20.0)
    parser.add_argument("--force", action="store_true", help="measure on a busy machine; not to be recorded")
    arguments = parser.parse_args()
    harness.describe_machine("pyarrow", force=arguments.force)
    job = Job(str(arguments.run), digest(arguments.run), Listening())
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        source = listed(arguments.folder, place / "in", arguments.n_files)
        compare(source, place, job, arguments)
        if arguments.n_killed:
            lost_to_kills(listed(arguments.folder, place / "more", arguments.n_killed), place, job, arguments)
    few, many = peak_of_listing(1000), peak_of_listing(arguments.n_paths)
    print(f"listing: 1,000 paths {few:.0f} MB, {arguments.n_paths:,} paths {many:.0f} MB, {many - few:.0f} more (<150)")


if __name__ == "__main__":
    main()
