"""Where the runs of a sweep are done: in processes of this machine, or as tasks of a cluster by Ray."""

import os
import queue
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any, Protocol

from tqdm import tqdm

from asd_jax.errors import InputError
from asd_jax.runs import cluster, resources
from experiments.sweeps.run import Run, do

_TRIES = 4  # of a run whose worker or node is lost


class Engine(Protocol):
    """Does runs, as many at a time as it has room for."""

    def submit(self, run: Run) -> Future[str]:
        """Do a run as soon as there is room; gives what `do` does."""

    def close(self) -> None:
        """End what is still at work."""


class Local:
    """Processes of this machine, so many at a time."""

    def __init__(self, n_workers: int, *, cpus: int | None = None, gpus: float | None = None) -> None:
        """Nothing is started yet.

        Args:
            n_workers: how many.
            cpus: threads of each; None for an equal share of the cores, or for all that one alone takes.
            gpus: of each, or a part of one; None for whatever one alone finds, and for none where there are several.

        Raises:
            InputError: there are not so many GPUs.
        """
        self._environments = [_environment(slot, n_workers, cpus, gpus) for slot in range(n_workers)]
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(n_workers):
            self._free.put(slot)
        self._started: list[subprocess.Popen] = []
        self._is_closed = False
        self._pool = ThreadPoolExecutor(n_workers)

    def submit(self, run: Run) -> Future[str]:
        """See `Engine`."""
        return self._pool.submit(self._do, run)

    def close(self) -> None:
        """See `Engine`."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self._started):
            process.kill()  # of one that has ended long ago nothing comes
        self._pool.shutdown()

    def _do(self, run: Run) -> str:
        slot = self._free.get()
        try:
            return do(run, self._environments[slot], os.getcwd(), self._note)
        finally:
            self._free.put(slot)

    def _note(self, process: subprocess.Popen) -> None:
        self._started.append(process)
        if self._is_closed:  # meanwhile
            process.kill()


def _environment(slot: int, n_workers: int, cpus: int | None, gpus: float | None) -> dict[str, str]:
    if n_workers > 1:
        cpus, gpus = cpus or max(1, resources.n_cores() // n_workers), gpus or 0.0
    return resources.share(cpus=cpus, gpus=gpus) | resources.gpus_of(slot, gpus)


class OnRay:
    """Tasks of a cluster; a run whose worker or node is lost is done by another."""

    def __init__(
        self,
        address: str | None = None,
        *,
        cpus: int | None = None,
        gpus: float | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        """Join the cluster.

        Args:
            address: of the cluster, as in `join`.
            cpus: cores of each run, which are its threads too; None for one.
            gpus: of each, or a part of one; None for none.
            say: takes a line where no node has room for a run.

        Raises:
            InputError: Ray is not installed, there is no cluster at the address, or this machine alone has not so much.
        """
        self._ray, cpus, gpus = cluster.join(address), cpus or 1, gpus or 0.0
        if not cluster.has_room(self._ray, cpus=cpus, gpus=gpus):
            lacking = f"`cpus_per_run`={cpus}, `gpus_per_run`={gpus:g}: no node has so much"
            if address is None:
                raise InputError(f"{lacking}; ask for less, or name a cluster by `ray_address`")
            say(f"note: {lacking}; waiting for one that has")
        self._task = self._ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=_TRIES - 1)(do)
        self._environment = resources.share(cpus=cpus, gpus=gpus)
        self._owed: dict[Future[str], Any] = {}

    def submit(self, run: Run) -> Future[str]:
        """See `Engine`."""
        of = self._task.remote(run, self._environment, os.getcwd())
        future = of.future()
        self._owed[future] = of
        return future

    def close(self) -> None:
        """See `Engine`."""
        for future, of in self._owed.items():
            if not future.done():
                self._ray.cancel(of, force=True)


def do_all(runs: Sequence[Run], engine: Engine) -> dict[str, str]:
    """Do what is not finished; gives what failed, by title, and why."""
    failed: dict[str, str] = {}
    todo = {engine.submit(run): run for run in runs if not run.is_finished}
    before = len(runs) - len(todo)
    if before:
        print(f"{before} of {len(runs)} runs were finished before")
    with tqdm(total=len(runs), initial=before, desc="runs", disable=None) as progress:
        for number, future in enumerate(as_completed(todo), before + 1):
            run = todo[future]
            progress.update()
            try:
                problem = future.result()
            except Exception as error:  # of one run must not lose the others
                problem = _in_words(error)
            if problem:
                failed[run.title] = problem
                tqdm.write(f"error: {run.title}: {problem}", file=sys.stderr)
            else:
                tqdm.write(f"[{number}/{len(runs)}] {run.title}")
    return failed


def _in_words(error: BaseException) -> str:
    cause: Any = getattr(error, "cause", None) or error
    lines = [line for line in str(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[0].strip() if lines else 'it says nothing'}"
