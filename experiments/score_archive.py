"""Verdicts on an archive: `python -m experiments.score_archive --checkpoint=RUN --input=FOLDER_OR_LIST --out=FOLDER`.

Any number of recordings: all below a folder, or those of a text file with a path a line. `OUT/scores/` gets the table
in Parquet, a row a recording with what `experiments.score` says of it, a file for every `--shard_size` recordings. What
cannot be read, crashes the decoder or keeps it busy for more than `--file_seconds` has a row that says why. Killed at
any moment, the same command goes on with the shards that are missing and ends with the same table; another model,
listing or setting is an error. Ends with counts, the worst recordings, bad files, and with `--checkpoint` the page
`report.html` of the worst.

`--engine=local` uses processes of this machine. `--engine=ray` uses a cluster by Ray (`pip install
'asd_jax[cluster]'`), `--ray_address=auto` the one that this machine is part of; recordings and the detector lie where
every node finds them under the same path. docs/scale.md has figures.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from asd_jax.errors import InputError
from experiments import engine_flags, launch, listening, wording

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.runs.archive.archive import Scored
    from asd_jax.runs.archive.scoring import Job

FLAGS = flags.FLAGS

flags.DEFINE_string("input", None, "Folder of recordings, or text file with a path a line.")
flags.DEFINE_integer("shard_size", 1024, "Recordings in a shard, the unit of resuming.", lower_bound=1)
flags.DEFINE_float("gpus_per_worker", 0.0, "Of each worker; a part where several share one.", lower_bound=0.0)
flags.DEFINE_float("file_seconds", 60.0, "That a file may take to give its next clip.", lower_bound=0.1)
launch.adopt(*listening.FLAG_NAMES, *engine_flags.FLAG_NAMES, "out", "report", "debug")


def main(arguments: list[str]) -> None:
    """Score the archive."""
    launch.no_arguments(arguments)
    listening.check_source()
    for name in ("input", "out"):
        if FLAGS[name].value is None:
            raise InputError(f"--{name} is needed; see --help")
    engine_flags.check_address()
    if FLAGS.model and FLAGS.report:
        raise InputError("--report needs a run, --checkpoint: an exported file shows no pictures")
    from asd_jax.runs.archive.archive import Archive, score_archive

    job = _job()
    engine_flags.join()  # before anything is begun
    archive = Archive(launch.folder("input"), launch.folder("out"), job, FLAGS.shard_size)
    scored = score_archive(archive, _engine(job), words=wording.in_flags, say=wording.say)
    _print(scored, archive.out)
    if FLAGS.report is not False and not FLAGS.model and scored.summary.worst:
        from asd_jax.runs.archive.page import write_page

        print(f"look at {write_page(archive, scored.summary)}")


def _job() -> "Job":
    """What decides the rows; a detector that cannot be read is found here, before anything is begun."""
    from asd_jax.runs.archive.scoring import Job, digest_of_model

    path = listening.source().absolute()
    if FLAGS.model:
        from asd_jax.detectors import exported

        judge = exported.load(path, threads=1)
        channel = judge.metadata["channel"]
    else:
        from asd_jax.detectors.bundle import load_detector

        judge, channel = load_detector(path), listening.channel_of_run()
    threshold = FLAGS.threshold if "threshold" in launch.given() else None
    job = Job(str(path), digest_of_model(path), listening.how(channel), threshold, FLAGS.file_seconds)
    _check(judge, job)
    for line in judge.remarks(FLAGS.scorer):
        wording.say(line)
    return job


def _check(judge: Any, job: "Job") -> None:
    """Raise InputError where the detector has no such scorer, machine or rule."""
    judge = judge if job.threshold is None else judge.deciding_by(job.threshold)
    judge.judge_pieces(
        [], [job.how.machine_id or judge.machine_ids[0]],
        machine_type=job.how.machine_type, scorer=job.how.scorer, unknown_machine_id=job.how.unknown_machine_id,
    )  # fmt: skip


def _engine(job: "Job") -> Callable[[], tuple[Any, int]]:
    def made() -> tuple[Any, int]:
        gpus = FLAGS.gpus_per_worker
        if FLAGS.engine == "ray":
            from asd_jax.runs.archive.ray_engine import RayEngine

            engine = RayEngine(job, address=FLAGS.ray_address, gpus_per_worker=gpus)
            return engine, FLAGS.workers or engine.n_workers()
        from asd_jax.runs import resources
        from asd_jax.runs.archive.local_engine import LocalEngine

        return LocalEngine(job, gpus_per_worker=gpus), FLAGS.workers or (1 if gpus else resources.n_cores())

    return made


def _print(scored: "Scored", out: Path) -> None:
    summary = scored.summary
    counts = ", ".join(f"{count:,} {decision}" for decision, count in summary.counts.items())
    print(f"{summary.n_files:,} recordings: {counts}; {summary.n_unlike:,} unlike those in training")
    if scored.n_scored:
        rate = scored.n_scored / scored.seconds if scored.seconds else 0.0
        lost = f"; {scored.n_replaced} workers were lost and replaced" if scored.n_replaced else ""
        print(
            f"{scored.n_scored:,} scored now in {scored.seconds:.1f} s, {rate:.1f} a second, after a start of "
            f"{scored.start_seconds:.1f} s{lost}"
        )
    for row in summary.worst[:10]:
        print(f"{row.file_name}  {row.machine_id}  {row.score:.5g}  {row.decision}  {row.margin:.2f} sd above")
    for row in summary.bad[:10]:
        named = row.remarks if row.file_name in row.remarks else f"{row.file_name}: {row.remarks}"
        print(f"no verdict: {named}")
    print(f"written to {out / 'scores'}, summary.json beside it")


if __name__ == "__main__":
    launch.run(main)
