"""Evaluate a finished run from its folder: `python -m experiments.evaluate --checkpoint=RUN [--data_dir=DIR]`.

Everything but the recordings comes from the run folder, and nothing in it is touched; scores and measures go into
`RUN/evaluate` or `--workdir`. `--threshold` decides by another rule than the run did.
"""

from absl import flags

from asd_jax.errors import InputError
from experiments import common, wording

FLAGS = flags.FLAGS

common.adopt(
    "checkpoint", "data_dir", "dataset", "skip_bad_files", "machine_id", "workdir", "threshold", "prepare", "cache_dir"
)
common.adopt(*common.OUTPUT_FLAGS, "debug")


def main(arguments: list[str]) -> None:
    """Evaluate the run that `--checkpoint` names."""
    common.no_arguments(arguments)
    if FLAGS.checkpoint is None:
        raise InputError("--checkpoint is needed: the folder of a finished run")
    from asd_jax.runs.evaluation import evaluate_run

    evaluate_run(
        FLAGS.checkpoint,
        FLAGS.workdir,
        data_dir=FLAGS.data_dir,
        dataset=FLAGS.dataset,
        skip_bad_files=FLAGS.skip_bad_files,
        machine_ids=tuple(FLAGS.machine_id),
        threshold=FLAGS.threshold if FLAGS["threshold"].present else None,
        cache_dir=common.cache_dir(),
        outputs=common.outputs(),
        say=wording.say,
    )


if __name__ == "__main__":
    common.run(main)
