"""Every ratio to what else people would use: `python -m benchmarks.all --record` keeps them, `--compare` holds them.

`--record` writes what it measured into `benchmarks/ratios.json`, each table with its processor, versions and load;
`--compare` measures again and says what fell: where the median is below what the middle 80 % of the recorded runs span,
and the recorded median above that of the new ones. Ratios of another processor are another matter, and it says so.
`--only` takes some of the tables, of which multi_branch is the longest. For people, not for continuous integration.
"""

import argparse
import dataclasses
import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import features, harness, scoring, training
from benchmarks.harness import Measured, Ratio

FILE = Path(__file__).parent / "ratios.json"
PACKAGES = ("flax", "torch", "librosa", "onnxruntime")
TABLES: Mapping[str, Callable[[int], list[Measured]]] = {
    "features": features.compare,
    "scoring": scoring.compare,
    **{name: functools.partial(table, size=training.Size()) for name, table in training.TABLES.items()},
}


def ratios(measured: list[Measured]) -> dict[str, Ratio]:
    """Of a table, by what was measured and whom it is held against."""
    return {f"{of.name} / {peer}": ratio for of in measured for peer, ratio in of.ratios.items()}


def circumstances(load: float) -> dict[str, Any]:
    """Under which ratios were measured."""
    cores = len(os.sched_getaffinity(0))
    versions = harness.versions(*PACKAGES)
    return {"processor": harness.processor(), "cores": cores, "load": round(load, 2), "versions": versions}


def fallen(recorded: Mapping[str, Ratio], now: Mapping[str, Ratio]) -> list[str]:
    """Names of the ratios that fell by more than their spread, and of those that are gone."""
    return [
        name
        for name, before in recorded.items()
        if name not in now or (now[name].median < before.low and now[name].high < before.median)
    ]


def _compared(recorded: Mapping[str, Any], found: Mapping[str, Ratio]) -> list[str]:
    """Print a table's ratios beside the recorded ones; gives the names of those that fell."""
    before = {name: Ratio(**ratio) for name, ratio in recorded["ratios"].items()}
    fell = fallen(before, found)
    if recorded["processor"] != harness.processor():
        print(f"recorded on another processor, {recorded['processor']}: ratios differ between them")
    for name in {**before, **found}:
        mark = "FELL" if name in fell else ""
        print(f"  {name:56} {before.get(name, 'not recorded')!s:24} {found.get(name, 'gone')!s:24} {mark}")
    return fell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--record", action="store_true", help=f"keep the ratios in {FILE.name}")
    what.add_argument("--compare", action="store_true", help=f"hold them against {FILE.name}; status 1 where one fell")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES), help="some of the tables")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too; not with --record")
    arguments = parser.parse_args()
    if arguments.record and arguments.force:
        parser.error("--record needs an idle machine; leave --force out")
    load = os.getloadavg()[0]
    harness.describe_machine(*PACKAGES, force=arguments.force)
    print(f"limit     a large float32 product does {harness.peak_gflops():.0f} Gflop/s")
    recorded = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    fell = []
    for name in arguments.only:
        print(f"\n{name}")
        found = ratios(TABLES[name](arguments.repeats))
        if arguments.record:  # after every table, so that one that fails loses nothing
            recorded[name] = circumstances(load) | {"ratios": {of: dataclasses.asdict(r) for of, r in found.items()}}
            FILE.write_text(json.dumps(dict(sorted(recorded.items())), indent=1) + "\n", encoding="utf-8")
        elif arguments.compare and name in recorded:
            fell += _compared(recorded[name], found)
        elif arguments.compare:
            print("  not recorded")
    if fell:
        sys.exit(f"fell by more than the spread: {'; '.join(fell)}")


if __name__ == "__main__":
    main()
