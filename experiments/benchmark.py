"""Every system on the same recordings, and one table and chart: `python -m experiments.benchmark --data_dir=DIR`.

Each experiment runs with its defaults in a process of its own, into `WORKDIR/<machine>/<experiment>`, with the same
seed and so the same validation clips, on recordings that the first run prepared for all. One that fails is reported
and the others go on. `--resume --workdir=WORKDIR` goes on where it was stopped: finished runs are kept, networks go on
from their last epoch. Writes `chart.png` and the tables of
`experiments.table`, which makes them again from the finished runs, for LaTeX too.
"""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from absl import flags
from tqdm import tqdm

from asd_jax.errors import InputError
from experiments import launch, sweep
from experiments.commands import commands

FLAGS = flags.FLAGS

launch.adopt(*launch.DATA, "workdir", "resume", "seed", "num_seeds", "epochs", "threshold", "debug")
flags.DEFINE_list("experiments", None, "Which systems, by the names of their experiments. Default: nearly all.")
flags.DEFINE_string("grid", None, "Settings to go through, such as 'hidden_size=64,128;features=log_mel,mfcc'.")
flags.DEFINE_list("seeds", [], "Seeds to go through, such as 0,1,2, each a run of its own.")

_Run = tuple[str, str, dict[str, str]]  # machine, system, what it differs in
_OF_THE_BENCHMARK = {"machine", "workdir", "resume", "debug", "experiments", "prepare", "cache_dir"}


def systems() -> dict[str, ModuleType]:
    """The scripts of this folder that run a recipe, by name: those without a network first, which take seconds."""
    # Tools are not imported: two of them may have flags of their own by one name.
    modules = {name: importlib.import_module(f"experiments.{name}") for name in commands()["systems"]}
    return {name: modules[name] for name in sorted(modules, key=lambda name: "epochs" in _flags_of(name))}


def _flags_of(name: str) -> set[str]:
    return launch.flags_of(f"experiments.{name}")


def main(arguments: list[str]) -> None:
    """Run what is not finished, and write the table and the chart of what is."""
    launch.no_arguments(arguments)
    from asd_jax.runs import folder

    base, given, known = launch.workdir("benchmark"), launch.settings(), systems()
    if FLAGS.resume:
        given = folder.read_config(base)["settings"] | given
    chosen = given.get("experiments") or [
        name for name, module in known.items() if getattr(module, "IN_BENCHMARK", True)
    ]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise InputError(f"--experiments={','.join(chosen)}: give some of {', '.join(known)}")
    machine = given.get("machine") or ("all" if "data_dir" in given else "slide_rail")
    machines = launch.machines(machine, given.get("data_dir"), given.get("dataset"))
    axes = sweep.axes(given.get("grid"), given.get("seeds") or [])
    settings = {name: value for name, value in given.items() if name not in _OF_THE_BENCHMARK}
    settings["machine"] = ",".join(machines)
    todo = [(of, name, point) for of in machines for name in chosen for point in sweep.points(axes, _flags_of(name))]
    unused = [name for name in axes if not any(name in point for *_, point in todo)]
    if unused:
        raise InputError(f"--grid: none of {', '.join(chosen)} takes --{unused[0]}; leave it out")
    folder.start(base, {"experiment": "benchmark", "settings": settings}, resume=FLAGS.resume)
    failed = _run_all(base, todo, settings)
    if axes:
        _write_results(base, todo, list(axes))
    else:
        rows = launch.write_table(base, [base / machine / name for machine, name, _ in todo])
        if rows:
            _draw(base, rows)
    if failed:
        raise InputError(f"{len(failed)} of {len(todo)} runs failed: {', '.join(failed)}; see above")


def _place(base: Path, run: _Run) -> Path:
    machine, name, point = run
    return base / machine / name / sweep.folder_name(point)


def _run_all(base: Path, todo: list[_Run], settings: dict[str, Any]) -> dict[str, str]:
    """Do what is not finished; gives what failed, and why."""
    failed = {}
    with tqdm(todo, desc="systems", disable=None) as progress:
        for run in progress:
            machine, name, point = run
            title = " ".join(filter(None, [f"{name} on {machine}", sweep.folder_name(point)]))
            progress.set_postfix_str(title)
            if not (_place(base, run) / "metrics.json").exists():
                problem = _run(machine, name, _place(base, run), settings | point)
                if problem:
                    failed[title] = problem
                    tqdm.write(f"error: {title}: {problem}", file=sys.stderr)
    return failed


def _write_results(base: Path, todo: list[_Run], axes: list[str]) -> None:
    """Write `results.csv` of the runs that are finished."""
    from asd_jax import files
    from asd_jax.evaluation.results import Results
    from asd_jax.runs import result_rows, tidy

    finished = [run for run in todo if (_place(base, run) / "metrics.json").exists()]
    found = []
    for run in finished:
        place = _place(base, run)
        rows = result_rows.rows_of(Results.read(place), run=place.relative_to(base).as_posix())
        found += [(line, run[2]) for line in tidy.measures(rows)]
    files.write_text(base / "results.csv", tidy.swept_csv(found, [name for name in axes if name != "seed"]))
    print(f"{len(finished)} of {len(todo)} runs in {base / 'results.csv'}")


def _run(machine: str, name: str, folder: Path, settings: dict[str, Any]) -> str:
    """Run an experiment in a process of its own; returns what went wrong, if anything did."""
    command = [sys.executable, "-m", f"experiments.{name}", "--noreport", "--notensorboard"]
    given = {flag: value for flag, value in settings.items() if flag in _flags_of(name)}
    given |= {"machine": machine, "workdir": str(folder), "prepare": FLAGS.prepare}
    given |= {"cache_dir": FLAGS.cache_dir} if FLAGS.cache_dir else {}
    for flag, value in given.items():
        if isinstance(value, bool):
            command.append(f"--{flag}" if value else f"--no{flag}")
        else:
            command.append(f"--{flag}={','.join(value) if isinstance(value, list) else value}")
    if (folder / "checkpoints").exists():
        command.append("--resume")
    else:
        shutil.rmtree(
            folder, ignore_errors=True
        )  # what a run left that was stopped before it had anything to go on with
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    with log.open("a", encoding="utf-8") as file:
        print(json.dumps(command), file=file, flush=True)
        status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    if status == 0:
        return ""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"{lines[-1].removeprefix('error: ')} (exit status {status}, see {log})"


def _draw(base: Path, rows: list[Any]) -> None:
    from asd_jax import files
    from asd_jax.detectors.bundle import LOG_MEL_MEAN
    from asd_jax.evaluation.results import Role
    from asd_jax.report import plots

    values: dict[str, dict[str, Any]] = {}
    controls: dict[str, dict[str, float]] = {}
    for row in rows:
        mean, machine = row.summary.mean, row.results.machine
        if mean.auc is None:
            continue
        if row.role is Role.HEADLINE:
            values.setdefault(machine, {})[row.results.experiment] = (mean.auc, mean.interval_95.get("auc"))
        elif row.control == LOG_MEL_MEAN:
            controls.setdefault(machine, {})[f"{LOG_MEL_MEAN}, {row.scorer}"] = mean.auc
    if values:
        files.write_bytes(base / "chart.png", plots.png(plots.systems(values, controls=controls)))
        print(f"chart in {base}/chart.png")


if __name__ == "__main__":
    launch.run(main)
