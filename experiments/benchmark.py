"""Every system on the same recordings, and one table and chart: `python -m experiments.benchmark --data_dir=DIR`.

Each experiment runs with its defaults in a process of its own, into `WORKDIR/<machine>/<experiment>`, with the same
seed and so the same validation clips, on recordings that the first run prepared for all. One that fails is reported
and the others go on. `--resume --workdir=WORKDIR` goes on where it was stopped: finished runs are kept, networks go on
from their last epoch. Writes `chart.png` and the tables of `experiments.table`, which makes them again from the
finished runs, for LaTeX too.

A sweep goes through `--seeds` and a `--grid` of settings, each combination a run of its own, and writes
`results.csv`, one tidy table of them all.

`--workers` runs so many side by side, each with `--cpus_per_run` threads. `--engine=ray` makes each run a task of a
cluster (`pip install 'asd_jax[cluster]'`), done wherever there are `--cpus_per_run` and `--gpus_per_run`, and again
where a node is lost: `--workdir`, the recordings and this library lie where every node finds them under the same path.
docs/scale.md shows how.
"""

import contextlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from absl import flags

from asd_jax.errors import InputError
from experiments import engine_flags, launch, wording
from experiments.commands import commands
from experiments.sweeps import grid
from experiments.sweeps.run import Run

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from experiments.sweeps.engines import Engine

FLAGS = flags.FLAGS

launch.adopt(*launch.DATA, "workdir", "resume", "seed", "num_seeds", "epochs", "threshold", "debug")
launch.adopt(*engine_flags.FLAG_NAMES)
flags.DEFINE_list("experiments", None, "Which systems, by the names of their experiments. Default: nearly all.")
flags.DEFINE_string("grid", None, "Settings to go through, such as 'hidden_size=64,128;features=log_mel,mfcc'.")
flags.DEFINE_list("seeds", [], "Seeds to go through, such as 0,1,2, each a run of its own.")
flags.DEFINE_integer(
    "cpus_per_run",
    None,
    "Threads of each run; with --engine=ray cores too, that are set aside for it. Default: one with Ray, else an equal "
    "share of the cores.",
    lower_bound=1,
)
flags.DEFINE_float(
    "gpus_per_run",
    None,
    "GPUs of each run; a part where several share one. Default: none, but whatever one alone finds here.",
    lower_bound=0.0,
)

# Where runs are done and what is kept beside them may differ from one start to the next; the rest is what a sweep is.
_OF_THE_BENCHMARK = {
    *("machine", "workdir", "resume", "debug", "experiments", "prepare", "cache_dir", "max_memory_gb"),
    *(*engine_flags.FLAG_NAMES, "cpus_per_run", "gpus_per_run"),
}


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
    engine_flags.check_address()
    if FLAGS.workers and FLAGS.engine == "ray":
        raise InputError("--workers is of --engine=local; with Ray as many run as there is room for: --cpus_per_run")
    if FLAGS.resume and FLAGS.workdir is None:
        raise InputError("--resume needs --workdir, the folder of the benchmark to go on with")
    from asd_jax import files
    from asd_jax.runs import folder

    base, given, begun = launch.workdir("benchmark"), launch.settings(), {}
    if FLAGS.resume:
        begun = folder.read_config(base)
        given = begun["settings"] | given
    chosen = _chosen(begun.get("experiments"))
    machine = given.get("machine") or ("all" if "data_dir" in given else "slide_rail")
    machines = launch.machines(machine, given.get("data_dir"), given.get("dataset"))
    axes = grid.axes(given.get("grid"), given.get("seeds") or [])
    settings = {name: value for name, value in given.items() if name not in _OF_THE_BENCHMARK}
    settings["machine"] = ",".join(machines)
    runs = _runs(base.absolute(), machines, chosen, axes, settings)
    engine = _engine()
    description = {"experiment": "benchmark", "experiments": chosen, "settings": settings}
    folder.start(base, description, resume=FLAGS.resume)
    if FLAGS.resume and chosen != begun.get("experiments"):
        files.write_json(base / "config.json", begun | {"experiments": chosen})
    _finish(base, runs, axes, engine)


def _chosen(begun: list[str] | None) -> list[str]:
    """The systems: those that are asked for, which join those that the benchmark was begun with."""
    known = systems()
    usual = [name for name, module in known.items() if getattr(module, "IN_BENCHMARK", True)]
    unknown = [name for name in FLAGS.experiments or [] if name not in known]
    if unknown:
        raise InputError(f"--experiments={','.join(FLAGS.experiments)}: give some of {', '.join(known)}")
    return list(dict.fromkeys([*(begun or []), *(FLAGS.experiments or [])])) or usual


def _runs(
    base: Path, machines: Sequence[str], chosen: Sequence[str], axes: dict[str, list[str]], settings: dict[str, Any]
) -> list[Run]:
    """Every system on every machine at every point of the grid that it takes."""
    found = []
    for machine in machines:
        for name in chosen:
            for point in grid.points(axes, _flags_of(name)):
                of = grid.folder_name(point)
                flags_ = _flags(machine, name, settings | point)
                found.append(Run(machine, name, point, base, base / machine / name / of, flags_))
    unused = [name for name in axes if not any(name in run.point for run in found)]
    if unused:
        raise InputError(f"--grid: none of {', '.join(chosen)} takes --{unused[0]}; leave it out")
    return found


def _flags(machine: str, name: str, settings: dict[str, Any]) -> tuple[str, ...]:
    given = {flag: value for flag, value in settings.items() if flag in _flags_of(name)}
    given |= {"machine": machine, "prepare": FLAGS.prepare}
    if FLAGS.cache_dir:
        given["cache_dir"] = str(launch.folder("cache_dir").absolute())
    if FLAGS.max_memory_gb is not None and "max_memory_gb" in _flags_of(name):
        given["max_memory_gb"] = FLAGS.max_memory_gb
    found = ["--noreport", "--notensorboard"]
    for flag, value in given.items():
        if isinstance(value, bool):
            found.append(f"--{flag}" if value else f"--no{flag}")
        else:
            found.append(f"--{flag}={','.join(value) if isinstance(value, list) else value}")
    return tuple(found)


def _engine() -> "Engine":
    """Where runs are done; what is wrong with it is found here, before anything is begun."""
    from experiments.sweeps import engines

    share = {"cpus": FLAGS.cpus_per_run, "gpus": FLAGS.gpus_per_run}
    if FLAGS.engine == "ray":
        return engines.OnRay(FLAGS.ray_address, **share, say=wording.say)
    return engines.Local(FLAGS.workers or 1, **share)


def _finish(base: Path, runs: list[Run], axes: dict[str, list[str]], engine: "Engine") -> None:
    from experiments.sweeps import results
    from experiments.sweeps.engines import do_all

    with contextlib.closing(engine):
        failed = do_all(runs, engine)
    if axes:
        results.write(base, runs, list(axes))
    else:
        results.write_systems(base, runs)
    if failed:
        raise InputError(f"{len(failed)} of {len(runs)} runs failed: {', '.join(failed)}; see above")


if __name__ == "__main__":
    launch.run(main)
