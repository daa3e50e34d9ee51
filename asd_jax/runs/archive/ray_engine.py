"""Workers as Ray actors, on this machine or on any node of a cluster."""

import contextlib
from typing import Any

from asd_jax.errors import InputError
from asd_jax.runs import resources
from asd_jax.runs.archive.engine import Died, Done, Failed, Outcome
from asd_jax.runs.archive.scoring import Job, Scoring
from asd_jax.runs.cluster import join


class RayEngine:
    """See `Engine`. An actor whose node is lost has died; the one in its place is put where Ray finds room."""

    def __init__(
        self,
        job: Job,
        *,
        address: str | None = None,
        gpus_per_worker: float = 0.0,
        scoring: type[Scoring] = Scoring,
    ) -> None:
        """Join a cluster, or start Ray on this machine.

        Args:
            job: of the workers.
            address: of the cluster, as in `join`.
            gpus_per_worker: that Ray sets aside for each.
            scoring: what an actor is.

        Raises:
            InputError: Ray is not installed, or there is no cluster at the address.
        """
        self._ray = join(address)
        actor = self._ray.remote(
            num_cpus=1,
            num_gpus=gpus_per_worker,
            max_restarts=0,  # a new actor takes its place, and a call that killed one is not repeated blindly
            runtime_env={"env_vars": resources.share(cpus=1, gpus=gpus_per_worker)},
        )
        self._job, self._actor, self._gpus = job, actor(scoring), gpus_per_worker
        self._calls: dict[Any, Any] = {}  # workers by what they owe

    def n_workers(self) -> int:
        """As many as the cluster has room for now."""
        there = self._ray.cluster_resources()
        room = there.get("CPU", 1.0)
        return max(1, int(min(room, there.get("GPU", 0.0) / self._gpus) if self._gpus else room))

    def start(self) -> Any:
        """A new actor."""
        worker = self._actor.remote(self._job)
        self.call(worker, "start")
        return worker

    def call(self, worker: Any, method: str, *arguments: Any) -> None:
        """See `Engine`."""
        self._calls[getattr(worker, method).remote(*arguments)] = worker

    def wait(self, seconds: float) -> list[tuple[Any, Outcome]]:
        """See `Engine`."""
        owed = list(self._calls)
        first, _ = self._ray.wait(owed, num_returns=1, timeout=seconds)
        ready, _ = self._ray.wait(owed, num_returns=len(owed), timeout=0) if first else (first, owed)
        return [(self._calls.pop(of), self._outcome(of)) for of in ready]

    def stop(self, worker: Any) -> None:
        """See `Engine`."""
        self._calls = {of: owing for of, owing in self._calls.items() if owing != worker}
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(worker)

    def _outcome(self, of: Any) -> Outcome:
        try:
            return Done(self._ray.get(of))
        except self._ray.exceptions.RayTaskError as error:
            is_ours = isinstance(error.cause, InputError)
            return Failed(str(error.cause if is_ours else error), is_fault=not is_ours)
        except self._ray.exceptions.RayError:
            return Died()
