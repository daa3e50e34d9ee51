"""A detector as one file: `python -m experiments.export --checkpoint=RUN --format=onnx --out=FILE`.

Front end, network, scorer and threshold of a finished run become one program, an ONNX graph or portable StableHLO,
from waveforms of the training clips' length to scores, the share of normal clips that score higher, and decisions at a
threshold that is an input. `score --model=FILE` and `asd_jax.exported.load(FILE)` judge with it, without JAX where it
is ONNX; docs/deploy.md does without asd_jax too. The file is written only where it agrees with the detector on the
run's test clips, or on those in `--data_dir`. Needs the extra `export`.
"""

from absl import flags

from experiments import launch, wording

FLAGS = flags.FLAGS

flags.DEFINE_enum("format", "onnx", ["onnx", "stablehlo"], "What the file is.")
launch.adopt("checkpoint", "out", "machine", "machine_id", "data_dir", "dataset", "skip_bad_files", "scorer")
launch.adopt("threshold", "prepare", "cache_dir", "debug")


def main(arguments: list[str]) -> None:
    """Export the run that `--checkpoint` names."""
    launch.no_arguments(arguments)
    run = launch.checkpoint()
    from asd_jax.runs import export_run

    export_run(
        run,
        launch.folder("out"),
        kind=FLAGS.format,
        scorer=FLAGS.scorer,
        threshold=launch.given().get("threshold"),
        say=wording.say,
        **launch.recordings(),
    )


if __name__ == "__main__":
    launch.run(main)
