"""A run of a sweep: a script in a process of its own, on whichever machine it is done.

A worker of a cluster imports this file, and so nothing here imports JAX.
"""

import dataclasses
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from asd_jax.datasets.lock import locked

# Linux ends a process that has asked for it together with the thread that started it: a worker that is killed leaves
# none behind that still writes, and uses what others are given. 1 is PR_SET_PDEATHSIG; it may be gone by then.
_ENDED_TOGETHER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
sys.exit(1)
"""


@dataclasses.dataclass(frozen=True)
class Run:
    """What is to be done.

    Attributes:
        machine: type that it is on.
        system: script of this folder's parent.
        point: in what it differs from others of its system and machine, values by flag.
        base: folder of the sweep, absolute: the same for whoever does a run of it.
        folder: that the run writes, below that.
        flags: of the script, but for those that say where it writes.
    """

    machine: str
    system: str
    point: Mapping[str, str]
    base: Path
    folder: Path
    flags: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called in a line."""
        of = ",".join(f"{name}={value}" for name, value in sorted(self.point.items()))
        return f"{self.system} on {self.machine} {of}".rstrip()

    @property
    def is_finished(self) -> bool:
        """Whether its results are there."""
        return (self.folder / "metrics.json").exists()

    @property
    def log(self) -> Path:
        """What the script printed."""
        return self.folder.with_name(f"{self.folder.name}.log")


Started = Callable[[subprocess.Popen], None]


def do(run: Run, environment: Mapping[str, str], cwd: str, started: Started = lambda process: None) -> str:
    """Do a run, or what is missing of it: it goes on from its last epoch. One that another process is at is waited for.

    Args:
        run: the run.
        environment: variables of the script beside those that are set here.
        cwd: folder that the script is started in, where there is one of that name.
        started: takes its process.

    Returns:
        what went wrong, in words; nothing where nothing did.
    """
    if not run.base.is_dir():
        return f"{run.base} is not there on {platform.node()}; --workdir has to be a folder that all nodes share"
    run.log.parent.mkdir(parents=True, exist_ok=True)
    with run.log.open("a", encoding="utf-8") as file:

        def say(line: str) -> None:
            print(line, file=file, flush=True)

        lock = run.folder.with_name(f".{run.folder.name}.lock")
        with locked(lock, "another process is at this run; waiting for it", say):
            if run.is_finished:
                return ""
            command = _command(run)
            say(json.dumps(command))
            begin = file.tell()
            status = _status(command, file, {**os.environ, **environment}, cwd, started)
    return _problem(run.log, begin, status)


def _command(run: Run) -> list[str]:
    command = [sys.executable, "-m", f"experiments.{run.system}", *run.flags, f"--workdir={run.folder}"]
    if (run.folder / "checkpoints").exists():
        return [*command, "--resume"]
    # What a run left that was stopped before it had anything to go on with.
    shutil.rmtree(run.folder, ignore_errors=True)
    return command


def _status(command: list[str], log: TextIO, environment: Mapping[str, str], cwd: str, started: Started) -> int:
    if sys.platform == "linux":
        command = [sys.executable, "-c", _ENDED_TOGETHER, str(os.getpid()), *command]
    folder = cwd if Path(cwd).is_dir() else None
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder
    ) as process:
        started(process)
        try:
            return process.wait()
        except BaseException:  # whoever waits is told to end
            process.kill()
            raise


def _problem(log: Path, begin: int, status: int) -> str:
    if status == 0:
        return ""
    if status < 0:
        return f"ended by {signal.Signals(-status).name}; is there memory for it? See {log}"
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(begin)
        lines = [line.rstrip() for line in file if line.strip()] or ["it said nothing"]
    return f"{lines[-1].removeprefix('error: ')} (exit status {status}, see {log})"
