"""Evaluate a finished run from its folder: `python -m experiments.evaluate --checkpoint=RUN [--data_dir=DIR]`.

Everything but the recordings comes from the run folder, and nothing in it is touched; scores and measures go into
`RUN/evaluate` or `--workdir`. `--threshold` decides by another rule than the run did; `--machine` says what the run's
machine is called in `--data_dir` where it has another name there.
"""

from experiments import launch, wording

launch.adopt(
    "checkpoint",
    "machine",
    "data_dir",
    "dataset",
    "embeddings",
    "skip_bad_files",
    "machine_id",
    "workdir",
    "threshold",
    "prepare",
)
launch.adopt("cache_dir", "max_memory_gb", *launch.OUTPUTS, "debug")


def main(arguments: list[str]) -> None:
    """Evaluate the run that `--checkpoint` names."""
    launch.no_arguments(arguments)
    run = launch.checkpoint()
    from asd_jax.runs import evaluate_run

    evaluate_run(
        run,
        launch.folder("workdir"),
        threshold=launch.given().get("threshold"),
        outputs=launch.outputs(),
        say=wording.say,
        **launch.recordings(),
    )


if __name__ == "__main__":
    launch.run(main)
