"""Compare runs on the same test clips: `python -m experiments.compare RUN RUN ...`.

A RUN may be a folder that holds runs on several machine types (`--machine=all`): each type is compared by itself, and
then the means over all. Prints the settings in which the runs differ and a table: AUC and pAUC with 95 % intervals over
resampled test clips, mean ± standard deviation over seeds, and each run's difference to the first with the interval of
a paired bootstrap. Writes it below `--workdir` as `compare.md`, and as a row a number in `compare.csv`. Runs of
different recordings are refused.
"""

from absl import flags

from experiments import launch

FLAGS = flags.FLAGS

launch.adopt("workdir", "scorers", "debug")

_CAPTION = (
    "{machine} of {dataset}. Means over machine ids; 95 % intervals over test clips, not over seeds. "
    "The last columns hold each AUC and pAUC minus that of the first run: an interval without 0 means that they differ."
)


def main(arguments: list[str]) -> None:
    """Compare the runs that the arguments name."""
    from asd_jax import files
    from asd_jax.runs import comparison, tidy

    groups = comparison.by_machine(arguments)
    scorers, parts, rows, compared = tuple(FLAGS.scorers or ()), [], [], []
    for number, runs in enumerate(groups):
        of_type = comparison.compare(runs, scorers=scorers, seed=number)
        first = of_type[0].row.results
        caption = _CAPTION.format(machine=first.machine, dataset=first.dataset)
        parts.append((caption, comparison.settings_of(runs), comparison.reading_table(of_type)))
        rows += comparison.tidy_rows(of_type, runs[0])
        compared.append(of_type)
    if over_all := comparison.over_machines(compared):
        caption = f"Means over {len(groups)} machine types: {', '.join(of[0].row.results.machine for of in compared)}."
        parts.append((caption, None, comparison.reading_table(over_all)))
        rows += comparison.tidy_rows(over_all, over_all[0].row.run)
    text, markdown = [], []
    for caption, settings, table in parts:
        tables = [table] if settings is None else [settings, table]
        text.append("\n\n".join([caption, *(each.text() for each in tables)]))
        markdown.append("\n\n".join([caption, *(each.markdown() for each in tables)]))
    print("\n\n".join(text) + "\n")
    workdir = launch.workdir("compare")
    files.write_text(workdir / "compare.csv", tidy.csv(rows))
    files.write_text(workdir / "compare.md", "\n".join(markdown))
    print(f"written to {workdir}/compare.csv and compare.md")


if __name__ == "__main__":
    launch.run(main)
