"""`--machine=all` or a list: a script's run for each machine type in turn, and one table over them.

A machine that fails is reported and the others go on; with `--resume`, those that were finished are not run again.
"""

import datetime
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from absl import flags

from asd_jax.errors import InputError

FLAGS = flags.FLAGS


def asked() -> bool:
    """Whether `--machine` names several machine types."""
    return FLAGS.machine is not None and (FLAGS.machine == "all" or "," in FLAGS.machine)


def names() -> list[str]:
    """The machine types that `--machine` names, by their canonical names.

    Raises:
        InputError: `all` without `--data_dir`, or an empty name.
    """
    import asd_jax

    if FLAGS.machine == "all":
        if FLAGS.data_dir is None:
            raise InputError("--machine=all needs --data_dir, the folder with the recordings of all machine types")
        return asd_jax.datasets.machines_in(Path(FLAGS.data_dir).expanduser(), name=FLAGS.dataset)
    given = [name.strip() for name in FLAGS.machine.split(",")]
    if not all(given):
        raise InputError(f"--machine={FLAGS.machine}: give names separated by commas, such as fan,pump")
    return list(dict.fromkeys(asd_jax.datasets.canonical_machine(name) for name in given))


def run_each(main: Callable[[list[str]], None], arguments: list[str]) -> None:
    """Run a script for each machine type, in a folder of its own below `--workdir`, and write `table.md` and `.csv`.

    Exits with status 1 where a machine failed, after the others are done and the table is written.

    Raises:
        InputError: see `names`; `--workdir` holds something and `--resume` is not given.
    """
    from asd_jax import result_rows, run_folder, tables

    experiment = Path(sys.argv[0]).stem
    machines = names()
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    base = Path(FLAGS.workdir or Path("runs") / experiment / "several" / now)
    resume = "resume" in FLAGS and FLAGS.resume
    if not resume:
        run_folder.check_free(base)
    failed: dict[str, str] = {}
    for number, machine in enumerate(machines, 1):
        folder = base / machine
        print(f"\n[{number}/{len(machines)}] {machine}")
        if resume and (folder / "metrics.json").exists():
            print(f"finished before, in {folder}")
            continue
        FLAGS.machine, FLAGS.workdir = machine, str(folder)
        if "resume" in FLAGS:
            FLAGS.resume = resume and (folder / "config.json").exists()
        try:
            main(arguments)
        except InputError as error:
            failed[machine] = str(error)
        except Exception as error:  # a machine's bug must not lose the others' results either
            traceback.print_exc()
            failed[machine] = f"{type(error).__name__}: {error}"
        if machine in failed:
            print(f"error: {machine}: {failed[machine]}", file=sys.stderr)
    finished = [machine for machine in machines if (base / machine / "metrics.json").exists()]
    rows = [
        row
        for machine in finished
        for row in result_rows.rows_of(result_rows.read_metrics(base / machine), run=machine)
    ]
    if rows:
        table = result_rows.table(rows)
        print("\n" + tables.text(table))
        run_folder.write_text(base / "table.csv", tables.csv_text(table))
        run_folder.write_text(base / "table.md", tables.markdown(table))
        print(f"written to {base}/table.md and table.csv")
    if failed:
        raise InputError(f"{len(failed)} of {len(machines)} machines failed: {', '.join(failed)}")
