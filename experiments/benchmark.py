"""Every system on the same recordings, and one table and chart: `python -m experiments.benchmark --data_dir=DIR`.

Each experiment runs with its defaults in a process of its own, into `WORKDIR/<machine>/<experiment>`, with the same
seed and so the same validation clips, on recordings that the first run prepared for all. One that fails is reported
and the others go on. `--resume --workdir=WORKDIR` goes on where it was stopped: finished runs are kept, networks go on
from their last epoch. Writes `table.md`, `table.csv` and `chart.png`.
"""

import datetime
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from absl import flags
from tqdm import tqdm

from asd_jax.errors import InputError
from experiments import common, several_machines

FLAGS = flags.FLAGS

NETWORKS = ("dense_ae", "idnn", "lstm_pred", "lstm_ae", "conv_ae", "gru_ae")
CLASSICAL = ("gmm", "twfr_gmm", "knn", "lof", "iforest", "kmeans", "ocsvm")

flags.DEFINE_list("experiments", [*CLASSICAL, *NETWORKS], "Which systems, by the names of their experiments.")
common.adopt(*common.DATA_FLAGS, "workdir", "resume", "seed", "num_seeds", "epochs", "threshold", "debug")
flags.declare_key_flag("experiments")

_FOR_NETWORKS = ("num_seeds", "epochs")
_OF_THE_BENCHMARK = ("machine", "workdir", "resume", "debug", "experiments", *_FOR_NETWORKS)


def main(arguments: list[str]) -> None:
    """Run what is not finished, and write the table and the chart of what is."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    from asd_jax.runs import folder as run_folder

    known = (*CLASSICAL, *NETWORKS, "vggish_ocsvm")
    unknown = [name for name in FLAGS.experiments if name not in known]
    if unknown or not FLAGS.experiments:
        raise InputError(f"--experiments={','.join(FLAGS.experiments)}: give some of {', '.join(known)}")
    machines = _machines()
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    base = Path(FLAGS.workdir or Path("runs") / "benchmark" / now)
    settings = {"machines": machines, "flags": _passed_on("gmm") | _passed_on("lstm_pred")}
    described = {"experiment": "benchmark", "settings": settings, "flags": common.given_flags()}
    run_folder.start(base, described, resume=FLAGS.resume)

    todo = [(machine, name) for machine in machines for name in FLAGS.experiments]
    failed = {}
    with tqdm(todo, desc="systems", disable=None) as progress:
        for machine, name in progress:
            progress.set_postfix_str(f"{name} on {machine}")
            if not (base / machine / name / "metrics.json").exists():
                problem = _run(machine, name, base / machine / name)
                if problem:
                    failed[f"{name} on {machine}"] = problem
                    tqdm.write(f"error: {name} on {machine}: {problem}", file=sys.stderr)
    rows = several_machines.write_table(base, [base / machine / name for machine, name in todo])
    if rows:
        _draw(base, rows)
    if failed:
        raise InputError(f"{len(failed)} of {len(todo)} runs failed: {', '.join(failed)}; see above")


def _machines() -> list[str]:
    if FLAGS.machine is None and FLAGS.data_dir is None:
        FLAGS.machine = "slide_rail"
    elif FLAGS.machine is None:
        FLAGS.machine = "all"
    return several_machines.machines_asked_for()


def _passed_on(name: str) -> dict[str, Any]:
    """Flags that a run of this experiment is given."""
    given = {
        flag: value
        for flag, value in common.given_flags().items()
        if flag not in _OF_THE_BENCHMARK and value not in (None, [])
    }
    if name in NETWORKS:
        given |= {flag: FLAGS[flag].value for flag in _FOR_NETWORKS if FLAGS[flag].value is not None}
    return given


def _run(machine: str, name: str, folder: Path) -> str:
    """Run an experiment in a process of its own; returns what went wrong, if anything did."""
    command = [sys.executable, "-m", f"experiments.{name}", f"--machine={machine}", f"--workdir={folder}"]
    for flag, value in _passed_on(name).items():
        if isinstance(value, bool):
            command.append(f"--{flag}" if value else f"--no{flag}")
        else:
            command.append(f"--{flag}={','.join(value) if isinstance(value, list) else value}")
    command += ["--noreport", "--notensorboard", "--prepare" if FLAGS.prepare else "--noprepare"]
    if FLAGS.cache_dir:
        command.append(f"--cache_dir={FLAGS.cache_dir}")
    if (folder / "config.json").exists() and name in NETWORKS:
        command.append("--resume")
    else:
        shutil.rmtree(folder, ignore_errors=True)  # what a run that was stopped left, which has no results
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.with_suffix(".log")
    with log.open("a", encoding="utf-8") as file:
        print(json.dumps(command), file=file, flush=True)
        status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    if status == 0:
        return ""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"{lines[-1].removeprefix('error: ')} (exit status {status}, see {log})"


def _draw(base: Path, rows: list[Any]) -> None:
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
        aside = base / ".chart.png"
        aside.write_bytes(plots.png(plots.systems(values, controls=controls)))
        aside.replace(base / "chart.png")
        print(f"chart in {base}/chart.png")


if __name__ == "__main__":
    common.run(main)
