"""Tables of finished runs, for papers and for pandas: `python -m experiments.table RUN...`.

A RUN is the folder of a run, of an evaluation, or one that holds such, as `--machine=all` and `benchmark` leave them.
Prints systems × machines and writes it to `--workdir` as `table.md`, and three tidy tables, a row a number: `table.csv`
(measures by machine id, domain and seed), `differences.csv` (to the controls) and `decisions.csv` (at the thresholds).
`--latex` writes `table.tex` too: booktabs, with 95 % intervals. Where a release is recognised, published figures of
the same test stand beside these, with their source.
"""

from absl import flags

from experiments import launch

FLAGS = flags.FLAGS

launch.adopt("workdir", "debug")
flags.DEFINE_bool("latex", False, "Write table.tex as well, a tabular with booktabs' rules.")
flags.DEFINE_bool("exploratory", False, "Show scorers beside the headlines too; the tidy tables have them always.")


def main(arguments: list[str]) -> None:
    """Make the tables of the runs that the arguments name."""
    from asd_jax.runs import folder

    runs = folder.finished(arguments)
    workdir = launch.workdir("table")
    folder.check_not_a_run(workdir)
    launch.write_table(workdir, runs, latex=FLAGS.latex, exploratory=FLAGS.exploratory)


if __name__ == "__main__":
    launch.run(main)
