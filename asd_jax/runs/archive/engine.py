"""What scheduling asks of whatever starts workers: processes of this machine, or actors of a cluster."""

import contextlib
import dataclasses
import os
from collections.abc import Hashable, Iterator
from typing import Any, Protocol, runtime_checkable

Worker = Hashable


@dataclasses.dataclass(frozen=True)
class Done:
    """A call came back; that of `start` with None."""

    value: Any


@dataclasses.dataclass(frozen=True)
class Failed:
    """A call raised something.

    Attributes:
        reason: in words.
        is_fault: of this library, rather than a mistake that the user can mend.
    """

    reason: str
    is_fault: bool = False


@dataclasses.dataclass(frozen=True)
class Died:
    """The worker is gone: killed, crashed, out of time, or its node is."""


Outcome = Done | Failed | Died


@runtime_checkable
class Engine(Protocol):
    """Starts workers, each of which makes a `Scoring` and calls it, one call at a time."""

    def start(self) -> Worker:
        """A new worker, whose first outcome is that of loading its detector."""

    def call(self, worker: Worker, method: str, *arguments: Any) -> None:
        """Let a worker that is idle call a method."""

    def wait(self, seconds: float) -> list[tuple[Worker, Outcome]]:
        """What came back, waiting so long at most for the first."""

    def stop(self, worker: Worker) -> None:
        """End a worker; of one that is gone nothing is left."""


def worker_environment(*, gpus: float) -> dict[str, str]:
    """Environment of a worker: one thread each, since there is a worker a core; without a GPU JAX looks for none.

    Rows depend on the order of sums, and so on the number of threads: with one they are the same on every machine.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    one_thread = "--xla_cpu_multi_thread_eigen=false"
    found = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    found["XLA_FLAGS"] = flags if one_thread in flags else f"{flags} {one_thread}".strip()
    if gpus == 0:
        found["JAX_PLATFORMS"] = "cpu"
    else:
        found["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * min(gpus, 1.0):.3f}"
    return found


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """These variables for as long as processes are started that inherit them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
