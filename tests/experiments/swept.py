"""What tests of sweeps share: a small one, whether a run is in the middle, and what makes two tables the same."""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path

NETWORK = "fan/lstm_pred/context_frames=3,seed=0"
RUNS = ("fan/gmm/reg_covar=1e-3,seed=0", "fan/gmm/reg_covar=1e-2,seed=0", NETWORK)


def arguments(machine_tree: Path) -> list[str]:
    """Of `experiments.benchmark`: two settings of a system without a network, and one with."""
    chosen = [f"--data_dir={machine_tree}", "--machine=fan", "--experiments=gmm,lstm_pred", "--seeds=0"]
    return [*chosen, "--grid=reg_covar=1e-3,1e-2;context_frames=3", "--epochs=20"]


def wait_until(holds: Callable[[], bool], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it has not happened in time"
        time.sleep(0.02)


def is_in_the_middle(run: Path) -> bool:
    """Whether a network has some epochs behind it."""
    epochs = [int(path.name) for path in (run / "checkpoints" / "training").glob("*") if path.name.isdigit()]
    return any(3 <= epoch < 12 for epoch in epochs)


def is_at_work(base: Path) -> bool:
    """Whether a process is at a run of a sweep. Of Linux."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found.append(path.read_bytes())
    return any(f"--workdir={base}/".encode() in line for line in found)


def commands(log: Path) -> list[list[str]]:
    """With which a run was started, one after another."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith('["')]


def assert_same(base: Path, other: Path) -> None:
    """The same table but for seconds, and the same score of every clip, to the last digit."""
    tables = []
    for place in (base, other):
        lines = (place / "results.csv").read_text().splitlines()
        tables.append([line for line in lines if ",fit_seconds," not in line and ",score_seconds," not in line])
    assert tables[0] == tables[1] and len(tables[0]) > 50
    for run in RUNS:
        assert (base / run / "scores.csv").read_bytes() == (other / run / "scores.csv").read_bytes()
