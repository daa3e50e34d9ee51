"""What scheduling asks of whatever starts workers: processes of this machine, or actors of a cluster."""

import dataclasses
from collections.abc import Hashable
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
