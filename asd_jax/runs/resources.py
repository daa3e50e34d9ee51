"""What a process that works beside others may use: its share of a machine's cores and GPUs, as its environment."""

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping

from asd_jax.errors import InputError

_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(*, cpus: int | None, gpus: float | None) -> dict[str, str]:
    """Environment of a process with so many threads and GPUs; None for what it has by itself.

    Results depend on the order of sums, and so on the number of threads: with the same number they are the same on
    every machine of a kind.
    """
    found: dict[str, str] = {}
    if cpus is not None:  # the last is read by XLA, for the threads of its CPU backend
        found = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), str(cpus))
    flags = os.environ.get("XLA_FLAGS", "")
    if cpus == 1 and _ONE_THREAD not in flags:
        found["XLA_FLAGS"] = f"{flags} {_ONE_THREAD}".strip()
    if gpus == 0:
        found["JAX_PLATFORMS"] = "cpu"
    elif gpus is not None:
        found["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * min(gpus, 1.0):.3f}"
    return found


def gpus_of(slot: int, gpus: float | None, around: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Which GPUs of this machine a process sees, as its environment; on a cluster Ray says so.

    Args:
        slot: of the process among those beside it, from 0.
        gpus: of each; where that is a part of one, several slots share it.
        around: the environment, whose `CUDA_VISIBLE_DEVICES` says which GPUs there are.

    Raises:
        InputError: there are not so many.
    """
    if not gpus:
        return {}
    first, number = (slot // int(1 / gpus), 1) if gpus < 1 else (slot * round(gpus), round(gpus))
    there = around.get("CUDA_VISIBLE_DEVICES", "")
    names = iter(there.split(",")) if there else map(str, itertools.count())
    chosen = list(itertools.islice(names, first, first + number))
    if len(chosen) < number:
        raise InputError(f"{slot + 1} `workers` need more GPUs than CUDA_VISIBLE_DEVICES={there} has; take fewer")
    return {"CUDA_VISIBLE_DEVICES": ",".join(chosen)}


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
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
