"""What every benchmark shares: the state of the machine before it starts, and medians of paired repeats."""

import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable

import jax

_MOST_LOAD = 1.0


def describe_machine(*packages: str, force: bool = False) -> bool:
    """Print load, cores, threads and versions; leave the program where others keep the machine busy.

    Args:
        packages: distributions whose versions matter.
        force: measure all the same; the table is then marked as not to be recorded.

    Returns:
        Whether figures may be recorded.
    """
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    device = f"{jax.devices()[0].device_kind} ({jax.default_backend()})"
    print(f"machine   {platform.machine()}, {_cpu_name()}, {cores} cores, {device}")
    threads = {
        name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS") if name in os.environ
    }
    print(f"threads   {threads or 'not limited'}")
    print(f"load      {load:.2f} in the last minute, before starting")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("jax", "numpy", *packages))
    print(f"versions  python {platform.python_version()}, {versions}")
    if load <= _MOST_LOAD:
        return True
    if not force:
        sys.exit(
            f"error: the load of {load:.2f} is above {_MOST_LOAD:g}; wait until the machine is idle, or pass --force"
        )
    print(f"NOT TO BE RECORDED: the load of {load:.2f} is above {_MOST_LOAD:g}")
    return False


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next((line.split(": ")[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"


def seconds(candidates: dict[str, Callable[[], object]], *, repeats: int = 9) -> dict[str, float]:
    """Median wall time of each candidate, its results waited for; one of each in turn, after one warm-up.

    Taken in turn, whatever else the machine does meanwhile slows all alike.
    """
    for candidate in candidates.values():
        jax.block_until_ready(candidate())
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, candidate in candidates.items():
            start = time.perf_counter()
            jax.block_until_ready(candidate())
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}
