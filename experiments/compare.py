"""Compare runs on the same test clips: `python -m experiments.compare RUN RUN ...`.

Prints one table and writes it as `compare.csv` and `compare.md` below `--workdir`: AUC and pAUC with 95 % intervals
over resampled test clips, mean ± standard deviation over seeds, and each run's difference to the first with the
interval of a paired bootstrap. Runs of different recordings are refused.
"""

from absl import flags

from experiments import launch

FLAGS = flags.FLAGS

launch.adopt("workdir", "scorers", "debug")

_CAPTION = (
    "{machine} of {dataset}. Means over machine ids; 95 % intervals over test clips, not over seeds. "
    "A run differs from the first where the interval of their paired AUC difference leaves out 0."
)


def main(arguments: list[str]) -> None:
    """Compare the runs that the arguments name."""
    from asd_jax import files
    from asd_jax.runs.comparison import compare, csv_table, reading_table

    compared = compare(arguments, scorers=tuple(FLAGS.scorers or ()))
    first = compared[0].row.results
    caption, table = _CAPTION.format(machine=first.machine, dataset=first.dataset), reading_table(compared)
    print(f"{caption}\n\n{table.text()}\n")
    workdir = launch.workdir("compare")
    files.write_text(workdir / "compare.csv", csv_table(compared).csv())
    files.write_text(workdir / "compare.md", f"{caption}\n\n{table.markdown()}")
    print(f"written to {workdir}/compare.csv and compare.md")


if __name__ == "__main__":
    launch.run(main)
