"""Workers as processes of this machine, joined to it by a pipe each."""

import itertools
import multiprocessing
import multiprocessing.connection
import signal
import traceback
from typing import Any

from asd_jax.errors import InputError
from asd_jax.runs import resources
from asd_jax.runs.archive.engine import Died, Done, Failed, Outcome
from asd_jax.runs.archive.scoring import Job, Scoring


class LocalEngine:
    """See `Engine`. A process that loses its driver ends when it next looks for work."""

    def __init__(self, job: Job, *, gpus_per_worker: float = 0.0, scoring: type[Scoring] = Scoring) -> None:
        self._job, self._gpus, self._scoring = job, gpus_per_worker, scoring
        self._context = multiprocessing.get_context("spawn")  # a fork of a process that runs JAX may hang
        self._pipes: dict[Any, Any] = {}  # by process
        self._slots: dict[Any, int] = {}  # likewise: whoever takes a worker's place takes its GPU

    def start(self) -> Any:
        """A new process."""
        own, its = self._context.Pipe()
        slot = next(of for of in itertools.count() if of not in self._slots.values())
        values = resources.share(cpus=1, gpus=self._gpus) | resources.gpus_of(slot, self._gpus)
        process = self._context.Process(target=_serve, args=(its, self._scoring, self._job), daemon=True)
        with resources.environment(values):
            process.start()
        its.close()
        self._pipes[process], self._slots[process] = own, slot
        self.call(process, "start")
        return process

    def call(self, worker: Any, method: str, *arguments: Any) -> None:
        """Send a call; where the process is gone `wait` says so."""
        try:
            self._pipes[worker].send((method, arguments))
        except OSError:
            worker.kill()

    def wait(self, seconds: float) -> list[tuple[Any, Outcome]]:
        """See `Engine`."""
        workers = {pipe: process for process, pipe in self._pipes.items()}
        found: list[tuple[Any, Outcome]] = []
        for pipe in multiprocessing.connection.wait(list(workers), seconds):
            try:
                found.append((workers[pipe], pipe.recv()))
            except (EOFError, OSError):
                found.append((workers[pipe], Died()))
        return found

    def stop(self, worker: Any) -> None:
        """See `Engine`."""
        worker.kill()
        worker.join()
        self._pipes.pop(worker).close()
        del self._slots[worker]


def _serve(pipe: Any, of: type[Scoring], job: Job) -> None:
    """A worker's life: calls come through the pipe, outcomes go back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal; the driver ends its workers
    scoring = of(job)
    while True:
        try:
            method, arguments = pipe.recv()
        except EOFError:
            return
        try:
            outcome: Outcome = Done(getattr(scoring, method)(*arguments))
        except InputError as error:
            outcome = Failed(str(error))
        except Exception:  # a fault of ours: the driver shows it whole
            outcome = Failed(traceback.format_exc(), is_fault=True)
        try:
            pipe.send(outcome)
        except OSError:
            return
