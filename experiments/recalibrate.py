"""A detector after service: `python -m experiments.recalibrate --checkpoint=RUN --data_dir=NEW [--workdir=FOLDER]`.

Fits the scorers and thresholds of a finished run anew on new normal recordings, into a run folder of its own, and says
what moved. What the detector looks at stays, a network too. For a machine that was overhauled or a microphone that was
moved a little; where most new clips lie above the old threshold, consider training anew.
"""

from absl import flags

from asd_jax.errors import InputError
from experiments import launch, wording

FLAGS = flags.FLAGS

launch.adopt("checkpoint", "data_dir", "dataset", "skip_bad_files", "machine", "machine_id", "workdir", "prepare")
launch.adopt("embeddings", "cache_dir", "max_memory_gb", *launch.OUTPUTS, "debug")


def main(arguments: list[str]) -> None:
    """Recalibrate the run that `--checkpoint` names."""
    launch.no_arguments(arguments)
    run = launch.checkpoint()
    if not FLAGS.data_dir:
        raise InputError("--data_dir is needed: the folder of the new normal recordings")
    from asd_jax.runs import recalibrate

    recalibrate(
        run,
        launch.workdir("recalibrated", run.name),
        outputs=launch.outputs(),
        say=wording.say,
        **launch.recordings(),
    )


if __name__ == "__main__":
    launch.run(main)
