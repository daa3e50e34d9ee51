"""`--machine=all` or a list: an experiment on each machine type in turn, and one table over them.

A machine that fails is reported and the others go on; with `--resume`, those that were finished are not run again.
"""

import datetime
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import flags

from asd_jax.errors import InputError
from experiments import wording

FLAGS = flags.FLAGS


def run(experiment: str, one: Callable[[], None], given_flags: dict[str, Any]) -> None:
    """Run an experiment on the machine that `--machine` names, or on each of several.

    Args:
        experiment: its name.
        one: runs it on the machine that `--machine` names, into `--workdir`.
        given_flags: recorded, so that a resumed run can leave them out.

    Raises:
        InputError: what `one` raises; with several machines, only when the others are done and the table is written.
    """
    if FLAGS.machine is None or (FLAGS.machine != "all" and "," not in FLAGS.machine):
        one()
        return
    from asd_jax.runs import folder as run_folder

    machines = machines_asked_for()
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    base = Path(FLAGS.workdir or Path("runs") / experiment / "several" / now)
    resume = "resume" in FLAGS and FLAGS.resume
    described = {"experiment": experiment, "settings": {"machines": machines}, "flags": given_flags}
    run_folder.start(base, described, resume=resume)
    failed: dict[str, str] = {}
    for number, machine in enumerate(machines, 1):
        folder = base / machine
        print(f"\n[{number}/{len(machines)}] {machine}")
        if (folder / "metrics.json").exists():
            print(f"finished before, in {folder}")
            continue
        FLAGS.machine, FLAGS.workdir = machine, str(folder)
        if resume:
            FLAGS.resume = (folder / "config.json").exists()
        try:
            one()
        except InputError as error:
            failed[machine] = wording.in_flags(str(error))
        except Exception as error:  # a fault of ours on one machine must not lose the others' results either
            traceback.print_exc()
            failed[machine] = f"{type(error).__name__}: {error}"
        if machine in failed:
            print(f"error: {machine}: {failed[machine]}", file=sys.stderr)
    write_table(base, [base / machine for machine in machines])
    if failed:
        raise InputError(f"{len(failed)} of {len(machines)} machines failed: {', '.join(failed)}; see above")


def machines_asked_for() -> list[str]:
    """The machine types that `--machine` names, by their canonical names.

    Raises:
        InputError: `all` without `--data_dir`, or an empty name.
    """
    import asd_jax

    if FLAGS.machine == "all":
        if FLAGS.data_dir is None:
            raise InputError("--machine=all needs --data_dir, the folder with the recordings of all machine types")
        return asd_jax.datasets.machines_in(Path(FLAGS.data_dir).expanduser(), dataset=FLAGS.dataset)
    given = [name.strip() for name in FLAGS.machine.split(",")]
    if not all(given):
        raise InputError(f"--machine={FLAGS.machine}: give names separated by commas, such as fan,pump")
    return list(dict.fromkeys(asd_jax.datasets.canonical_machine(name) for name in given))


def write_table(base: Path, runs: list[Path]) -> list[Any]:
    """Print systems × machines, write it as `table.md` and `table.csv` into `base`, and give its rows.

    Args:
        base: a folder.
        runs: folders of runs; those without `metrics.json` are left out.
    """
    from asd_jax import files
    from asd_jax.report import text_tables as tables
    from asd_jax.runs import result_rows

    finished = [run for run in runs if (run / "metrics.json").exists()]
    rows = [row for run in finished for row in result_rows.rows_of(result_rows.read_metrics(run), run=run.name)]
    if rows:
        table = result_rows.table(rows)
        print("\n" + tables.text(table))
        files.write_text(base / "table.csv", tables.csv_text(table))
        files.write_text(base / "table.md", tables.markdown(table))
        print(f"\nwritten to {base}/table.md and table.csv")
    return rows
