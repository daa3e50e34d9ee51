"""Several hosts that train one network: how they meet, and what the first does for all of them.

All walk the same path, and the first alone writes. Whatever decides how the path goes on is told by the first, so that
a last bit that processors round differently never parts them.
"""

import json
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jaxtyping import PyTree

from asd_jax.errors import InputError


def join(
    address: str | None = None,
    count: int | None = None,
    number: int | None = None,
    *,
    join_seconds: int = 300,
    lost_seconds: int = 60,
) -> None:
    """Wait for the other hosts; from here on JAX knows the devices of all. Call it before anything else of JAX.

    JAX aborts the process where the others do not come, and later where one of them is lost.

    Args:
        address: `HOST:PORT` of the first host; None takes all three from the cluster that JAX detects.
        count: how many there are.
        number: this one's, from 0.
        join_seconds: how long to wait for them.
        lost_seconds: how long one may be silent before it counts as lost.

    Raises:
        InputError: JAX detects no cluster, or the first host cannot listen at the address.
    """
    # Its handler would swallow the signal by which a scheduler ends a process, for a notice that nobody here reads.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            address,
            count,
            number,
            cluster_detection_method="deactivate" if address else None,
            initialization_timeout=join_seconds,
            heartbeat_timeout_seconds=lost_seconds,
        )
    except (ValueError, RuntimeError, OSError) as error:
        if address is None:
            raise InputError(
                f"`distributed`: JAX finds no cluster that it knows, such as Slurm's or Open MPI's ({error}); give "
                "`coordinator_address`, `num_processes` and `process_id`"
            ) from error
        raise InputError(f"`coordinator_address={address}`: the first host cannot listen there ({error})") from error


def in_words() -> str:
    """A line on this host and the others."""
    return (
        f"host {jax.process_index()} of {jax.process_count()} joined: {jax.local_device_count()} of "
        f"{jax.device_count()} {jax.devices()[0].device_kind} devices"
    )


def several() -> bool:
    """Whether there are others."""
    return jax.process_count() > 1


def is_first() -> bool:
    """Whether this host writes; a lone one does."""
    return jax.process_index() == 0


def told(value: Any) -> Any:
    """The first host's value on all of them: plain JSON values, NaN among them; all must ask at the same place."""
    if not several():
        return value
    text = np.frombuffer(json.dumps(value if is_first() else None).encode(), np.uint8)
    size = int(multihost_utils.broadcast_one_to_all(np.int32(len(text))))
    text = multihost_utils.broadcast_one_to_all(text if is_first() else np.zeros(size, np.uint8))
    return json.loads(np.asarray(text, np.uint8).tobytes())


def told_arrays(tree: PyTree) -> PyTree:
    """The first host's arrays on all of them, which give trees of the same shapes; NumPy arrays come back."""
    return multihost_utils.broadcast_one_to_all(tree) if several() else tree


def everywhere(holds: bool) -> bool:
    """Whether it holds on all of them; all must ask at the same place."""
    return bool(multihost_utils.process_allgather(np.bool_(holds)).all()) if several() else holds


def check_same(values: dict[str, Any]) -> None:
    """Raise InputError where a host has other values than the first; it names the first key that differs.

    Args:
        values: what must be equal, by words for it.
    """
    if not several():
        return
    of_first = told(values)
    own = json.loads(json.dumps(values))
    differing = [index for index, name in enumerate(values) if own[name] != of_first[name]]
    first_differing = np.int32(differing[0] if differing else len(values))
    found = multihost_utils.process_allgather(first_differing)
    if found.min() < len(values):
        name = list(values)[found.min()]
        raise InputError(f"host {found.argmin()} has other {name} than host 0; all need the same")


def meet(place: str) -> None:
    """Wait until all hosts are here."""
    if several():
        multihost_utils.sync_global_devices(place)
