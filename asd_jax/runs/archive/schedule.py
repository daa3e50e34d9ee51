"""Which worker scores what, and what happens when one is lost: the same for processes and for a cluster."""

import collections
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

from asd_jax.errors import InputError
from asd_jax.runs.archive.engine import Died, Engine, Failed, Worker
from asd_jax.runs.archive.table import Row

_SECONDS = 60.0  # without any worker, before that is said
_MOST_DEATHS = 3  # of workers while they load, one after another
_MOST_TRIES = 6  # of a task whose files are fine one by one
_BAD_AFTER = 2  # deaths over a single file: a worker may die of something else once


@dataclasses.dataclass
class Task:
    """Files that are scored together.

    Attributes:
        shard: that their rows belong to.
        part: which part of it they are.
        names: of the files.
        refused: those that took their worker with them, and why they have no verdict.
        tries: how often its worker died.
        to_probe: files that are still to be tried one by one.
    """

    shard: int
    part: int
    names: list[str]
    refused: dict[str, str] = dataclasses.field(default_factory=dict)
    tries: int = 0
    to_probe: int = 0


@dataclasses.dataclass
class _Probe:
    """A file that is decoded alone."""

    task: Task
    name: str
    deaths: int = 0


class Schedule:
    """Hands out tasks and replaces workers.

    Where a worker dies over a task, every file of it is decoded alone: those over which workers die again are refused,
    and the others are scored together as they would have been without them.
    """

    def __init__(
        self, engine: Engine, n_workers: int, *, file_seconds: float, say: Callable[[str], None] = print
    ) -> None:
        self._engine, self._n_workers, self._file_seconds, self._say = engine, n_workers, file_seconds, say
        self._again: collections.deque[Task | _Probe] = collections.deque()
        self._busy: dict[Worker, Task | _Probe | None] = {}  # None while it loads
        self._idle: list[Worker] = []
        self._deaths = 0
        self.n_replaced = 0
        self.ready_at: float | None = None  # when the first worker had loaded its detector

    def run(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, list[Row]]]:
        """Score tasks; they come back in the order in which they are finished.

        Raises:
            InputError: a detector cannot be loaded by a worker, or workers die of something that is no single file.
        """
        for _ in range(self._n_workers):
            self._busy[self._engine.start()] = None
        try:
            last, said = time.monotonic(), False
            while True:
                self._hand_out(tasks)
                if not self._again and all(of is None for of in self._busy.values()) and self._idle:
                    return  # whoever still loads is not needed
                found = self._engine.wait(1.0)
                if found:
                    last, said = time.monotonic(), False
                elif not said and self.ready_at is None and time.monotonic() - last > _SECONDS:
                    self._say("note: no worker could be started yet: there may be no room on the cluster; waiting on")
                    said = True
                for worker, outcome in found:
                    if worker in self._idle:  # killed while it had nothing to do
                        self._idle.remove(worker)
                    job = self._busy.pop(worker, None)
                    if isinstance(outcome, Died):
                        self._died(worker, job)
                    elif isinstance(outcome, Failed):
                        raise RuntimeError(outcome.reason) if outcome.is_fault else InputError(outcome.reason)
                    else:
                        self._idle.append(worker)
                        yield from self._came_back(job, outcome.value)
        finally:
            for worker in (*self._busy, *self._idle):
                self._engine.stop(worker)

    def _hand_out(self, tasks: Iterator[Task]) -> None:
        while self._idle:
            job = self._again.popleft() if self._again else next(tasks, None)
            if job is None:
                return
            worker = self._idle.pop()
            if isinstance(job, Task):
                self._engine.call(worker, "score", job.names, job.refused)
            else:
                self._engine.call(worker, "probe", job.name)
            self._busy[worker] = job

    def _came_back(self, job: Task | _Probe | None, value: Any) -> Iterator[tuple[Task, list[Row]]]:
        self._deaths = 0
        if job is None:
            self.ready_at = self.ready_at or time.monotonic()
        elif isinstance(job, Task):
            yield job, value
        else:
            self._probed(job.task)

    def _probed(self, task: Task) -> None:
        task.to_probe -= 1
        if not task.to_probe:
            self._again.append(task)

    def _died(self, worker: Worker, job: Task | _Probe | None) -> None:
        self._engine.stop(worker)
        self._busy[self._engine.start()] = None
        self.n_replaced += 1
        if job is None:
            self._deaths += 1
            if self._deaths > _MOST_DEATHS * self._n_workers:
                raise InputError("workers die while they load the detector; is there memory for so many `workers`?")
        elif isinstance(job, Task):
            job.tries += 1
            if job.tries > _MOST_TRIES:
                raise InputError(
                    f"workers died {job.tries} times over {job.names[0]} and those after it, each of which can be "
                    "decoded alone; is there memory for so many `workers`?"
                )
            left = [name for name in dict.fromkeys(job.names) if name not in job.refused]
            job.to_probe = len(left)
            self._again.extendleft(_Probe(job, name) for name in reversed(left))
            if not left:
                self._again.append(job)
        else:
            job.deaths += 1
            if job.deaths < _BAD_AFTER:
                self._again.appendleft(job)
                return
            job.task.refused[job.name] = (
                f"{job.name} crashes the decoder, or takes it more than {self._file_seconds:g} s; remove it"
            )
            self._probed(job.task)
