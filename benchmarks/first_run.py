"""Where the seconds of README's first command go: `python -m benchmarks.first_run`.

Runs it in a process of its own with empty caches, as on a fresh machine, and prints the parts that the run itself
times; the rest is imports, compiling before training, saving, plots and the report. `--repeats` runs it several times.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import harness


def first_run() -> dict[str, float]:
    """Seconds of each part of one run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "experiments.lstm_pred", "--machine=slide_rail", f"--workdir={folder}/run"]
        environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/cache"}
        start = time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        total = time.perf_counter() - start
        seconds = json.loads((Path(folder) / "run" / "metrics.json").read_text())["seconds"]
    return seconds | {"everything else": total - sum(seconds.values()), "total": total}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    harness.describe_machine("flax", force=arguments.force)
    runs = [first_run() for _ in range(arguments.repeats)]
    for name in runs[0]:
        values = [run[name] for run in runs]
        print(f"{name:16} {statistics.median(values):7.1f} s   ({min(values):.1f} to {max(values):.1f})")


if __name__ == "__main__":
    main()
