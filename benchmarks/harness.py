"""What every benchmark shares: the state of the machine before it starts, and medians of paired repeats."""

import dataclasses
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

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
    print(f"machine   {platform.machine()}, {processor()}, {cores} cores, {device}")
    threads = {
        name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS") if name in os.environ
    }
    print(f"threads   {threads or 'not limited'}")
    print(f"load      {load:.2f} in the last minute, before starting")
    print("versions  " + ", ".join(f"{name} {version}" for name, version in versions(*packages).items()))
    if load <= _MOST_LOAD:
        return True
    if not force:
        sys.exit(
            f"error: the load of {load:.2f} is above {_MOST_LOAD:g}; wait until the machine is idle, or pass --force"
        )
    print(f"NOT TO BE RECORDED: the load of {load:.2f} is above {_MOST_LOAD:g}")
    return False


def versions(*packages: str) -> dict[str, str]:
    """Of Python, JAX, NumPy and of further distributions."""
    found = {name: importlib.metadata.version(name) for name in ("jax", "numpy", *packages)}
    return {"python": platform.python_version()} | found


def processor() -> str:
    """The name of its kind."""
    try:
        with open("/proc/cpuinfo") as file:
            return next((line.split(": ")[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"


def times(candidates: dict[str, Callable[[], object]], *, repeats: int = 9) -> dict[str, list[float]]:
    """Wall times of each candidate, its results waited for; one of each in turn, after one warm-up.

    Taken in turn, whatever else the machine does meanwhile slows all alike.
    """
    for candidate in candidates.values():
        jax.block_until_ready(candidate())
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, candidate in candidates.items():
            start = time.perf_counter()
            jax.block_until_ready(candidate())
            taken[name].append(time.perf_counter() - start)
    return taken


def seconds(candidates: dict[str, Callable[[], object]], *, repeats: int = 9) -> dict[str, float]:
    """Medians of `times`."""
    return {name: statistics.median(values) for name, values in times(candidates, repeats=repeats).items()}


def peak_gflops(size: int = 2048, *, repeats: int = 9) -> float:
    """Billions of operations a second of a large float32 product, at the precision that networks have here."""
    a, b = (jax.random.normal(jax.random.key(k), (size, size)) for k in range(2))
    product = jax.jit(jnp.matmul)
    return 2e-9 * size**3 / seconds({"product": lambda: product(a, b)}, repeats=repeats)["product"]


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How many times as fast as another ours is: the median of paired runs, and what the middle 80 % of them span."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> "Ratio":
        """From seconds of runs in turn."""
        ratios = np.divide(theirs, ours)
        return cls(*(round(float(value), 3) for value in np.quantile(ratios, (0.5, 0.1, 0.9))))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclasses.dataclass(frozen=True)
class Measured:
    """Ours and others at the same work, in turn.

    Attributes:
        name: of the work.
        unit: what is counted, in the plural.
        amount: how many of them a run does.
        taken: seconds of every run by candidate, ours first.
        gflop: of the products of a run; 0 where nobody counted.
    """

    name: str
    unit: str
    amount: float
    taken: dict[str, list[float]]
    gflop: float = 0.0

    @property
    def rates(self) -> dict[str, float]:
        """How many a second, by candidate."""
        return {name: self.amount / statistics.median(values) for name, values in self.taken.items()}

    @property
    def ratios(self) -> dict[str, Ratio]:
        """Ours to each of the others."""
        (_, ours), *others = self.taken.items()
        return {name: Ratio.of(ours, values) for name, values in others}

    @property
    def gflops(self) -> float:
        """Of our products, a second."""
        return self.gflop / statistics.median(next(iter(self.taken.values())))

    def show(self) -> "Measured":
        """Print a line a candidate; gives itself."""
        print(self.name + (f": our products do {self.gflops:.0f} Gflop/s" if self.gflop else ""))
        for name, rate in self.rates.items():
            held = f"   ours to it {self.ratios[name]}" if name in self.ratios else ""
            print(f"  {name:24} {rate:10.4g} {self.unit} a second{held}")
        return self
