"""Verdicts on new recordings: `python -m experiments.score --checkpoint=RUN FILE_OR_FOLDER...`.

`--model=FILE` takes what `experiments.export` wrote in place of a run, without JAX where it is an ONNX file; it scores
clips of one length, so that recordings little longer are cut too and shorter ones get no verdict.

Prints, and writes to `RUN/score/scores.csv` (or below `--workdir`), each file's score, the decision at the detector's
threshold, the share of normal clips that score higher (near 0 is unlike anything heard in training, 0.5 is ordinary),
and what of the recording itself is unlike those in training. Recordings far longer than the clips of training are cut
into such clips; the time at which the worst three start is printed too, and `timeline.csv` has every clip. What is far
shorter gets no verdict. A file that cannot be scored has a row that says why, and does not stop the others.

`--threshold` changes the sensitivity without training again. For daily use a folder stands for all recordings below
it, `--append` adds to `scores_log.csv` with the time, and `--status` ends with 3 where something is anomalous; 1 are
errors.
"""

import datetime
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from absl import flags

from asd_jax.errors import InputError
from experiments import launch, wording
from experiments.listening import Heard, files_in

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.detectors import Verdict
    from asd_jax.detectors.judging import Judge

FLAGS = flags.FLAGS

flags.DEFINE_enum(
    "unlike", "say", ["say", "refuse"], "Of a recording unlike those in training (level, rate, ...): say so, or refuse."
)
flags.DEFINE_bool("append", False, "Add the rows, with the time in UTC, to scores_log.csv instead of scores.csv.")
flags.DEFINE_bool("status", False, "End with exit status 3 where something is anomalous.")
flags.DEFINE_string("model", None, "File that experiments.export wrote, in place of --checkpoint.")
launch.adopt("checkpoint", "machine_id", "channel", "skip_bad_files", "scorer", "threshold", "workdir", "debug")
flags.DEFINE_enum(
    "unknown_machine_id",
    "error",
    ["error", "min"],
    "For a file of a machine id that the detector does not know: an error, or its smallest score over all ids.",
)


def main(arguments: list[str]) -> None:
    """Score the files that the arguments name."""
    if FLAGS.checkpoint is not None and FLAGS.model is not None:
        raise InputError("--checkpoint and --model: give one, the folder of a run or an exported file")
    if FLAGS.checkpoint is None and FLAGS.model is None:
        raise InputError("--checkpoint is needed, the folder of a finished run, or --model, an exported file")
    if not arguments:
        raise InputError("no files given; name the recordings to score after the flags")
    from asd_jax import files

    beside = _source().parent if FLAGS.model else _source()
    workdir = launch.folder("workdir") or beside / "score"
    if FLAGS.workdir:
        files.check_not_a_run(workdir)
    detector, channel = _loaded()
    if "threshold" in launch.given():
        detector = detector.deciding_by(FLAGS.threshold)
    heard = Heard(files_in(arguments), detector, channel)
    verdict = detector.judge_pieces(
        heard.pieces(), heard.machine_ids, scorer=FLAGS.scorer, unknown_machine_id=FLAGS.unknown_machine_id
    )
    for line in verdict.remarks:
        wording.say(line)
    rows = [_row(index, heard, verdict) for index in range(len(heard.names))]
    if FLAGS.skip_bad_files:
        rows = [row for row in rows if not (row.is_error and math.isnan(row.score) and not row.machine_id)]
        if not rows:
            raise InputError(f"none of the {len(heard.names)} files could be scored")
    _report(rows, detector, workdir)
    _write_timelines(heard.names, verdict, workdir / "timeline.csv")
    for row in rows:
        if row.is_error:
            print(f"error: {row.remarks if row.name in row.remarks else f'{row.name}: {row.remarks}'}", file=sys.stderr)
    if any(row.is_error for row in rows):
        sys.exit(1)
    if FLAGS.status and any(row.decision == "anomalous" for row in rows):
        sys.exit(3)


def _source() -> Path:
    """The run or the exported file."""
    return launch.folder("model") or launch.checkpoint()


def _loaded() -> "tuple[Judge, str]":
    """What judges, and the channel of recordings that it hears."""
    if FLAGS.model:
        from asd_jax.detectors import exported

        found = exported.load(_source())
        return found, FLAGS.channel or found.metadata["channel"]
    from asd_jax.detectors.bundle import load_detector
    from asd_jax.runs import folder as run_folder

    recorded = run_folder.read_config(_source()).get("data")
    channel = recorded.get("channel", "mix") if isinstance(recorded, dict) else "mix"
    return load_detector(_source()), FLAGS.channel or channel


def _row(index: int, heard: Heard, verdict: "Verdict") -> "Row":
    """The row of a file, from what was heard of it and what the detector says."""
    name = heard.names[index]
    if index in heard.reasons:
        return Row(name, "", math.nan, "no verdict", math.nan, math.nan, heard.reasons[index], True, 0)
    decision = verdict.is_anomalous.tolist()[index]
    remarks = "; ".join(filter(None, [verdict.reasons[index], heard.remarks(index)]))
    return Row(
        name,
        verdict.machine_ids[index],
        verdict.scores[index],
        _decision(decision, remarks),
        verdict.share_of_normal_above[index],
        verdict.worst_start_seconds[index],
        remarks,
        decision is None,
        len(verdict.timelines[index].scores),
    )


def _decision(is_anomalous: bool | None, remarks: str) -> str:
    if is_anomalous is None or (remarks and FLAGS.unlike == "refuse"):
        return "no verdict"
    return "anomalous" if is_anomalous else "normal"


class Row(NamedTuple):
    """A file's verdict; `remarks` say what of it is unlike training, or why there is no verdict."""

    name: str
    machine_id: str
    score: float
    decision: str
    share_of_normal_above: float
    worst_start_seconds: float
    remarks: str
    is_error: bool
    n_clips: int


def _report(rows: list[Row], detector: "Judge", workdir: Path) -> None:
    """Write and print the verdicts, the highest score first; files without one come last."""
    scorer, is_cut = FLAGS.scorer or detector.headline_scorer, any(row.n_clips > 1 for row in rows)
    rows.sort(key=lambda row: (math.isnan(row.score), -row.score))
    path = _write(rows, scorer, is_cut, workdir)
    width = max(len(row.name) for row in rows)
    one, known = len(detector.machine_ids) == 1, max(map(len, (*detector.machine_ids, "machine id")))
    time = "  worst clip at" if is_cut else ""
    machine = "" if one else f"  {'machine id':<{known}}"
    print(f"{'file':<{width}}{machine}  {scorer:>12}  {'decision':<10}{time}  normal that score higher")
    for row in rows:
        at = f"  {_clock(row.worst_start_seconds):>13}" if is_cut else ""
        machine = "" if one else f"  {row.machine_id:<{known}}"
        share = f"  {row.share_of_normal_above:>6.1%}" if not math.isnan(row.score) else "  " + " " * 6
        remarks = "see below" if row.is_error and not row.machine_id else row.remarks
        print(f"{row.name:<{width}}{machine}  {row.score:>12.5g}  {row.decision:<10}{at}{share}  {remarks}".rstrip())
    print(f"{sum(row.decision == 'anomalous' for row in rows)} of {len(rows)} anomalous; written to {path}")


def _write(rows: list[Row], scorer: str, is_cut: bool, workdir: Path) -> Path:
    """Write `scores.csv`, or with `--append` add to `scores_log.csv`; gives the path."""
    from asd_jax import files

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    start, time = (["worst_start_seconds"] if is_cut else []), (["scored_at"] if FLAGS.append else [])
    header = ["file_name", "machine_id", scorer, "decision", "share_of_normal_above", *start, "remarks", *time]

    def number(value: float, form: str) -> str:
        return "" if math.isnan(value) else format(value, form)

    lines = [
        [
            *(
                row.name,
                row.machine_id,
                number(row.score, ".9g"),
                row.decision,
                number(row.share_of_normal_above, ".4f"),
            ),
            *([number(row.worst_start_seconds, ".3f")] if is_cut else []),
            *(row.remarks, *([now] if FLAGS.append else [])),
        ]
        for row in rows
    ]
    path, before = workdir / ("scores_log.csv" if FLAGS.append else "scores.csv"), ""
    head = files.csv_text([header])
    if FLAGS.append and path.exists():
        before = path.read_text(encoding="utf-8")
        if not before.startswith(head):
            raise InputError(f"{path} has other columns, of another scorer or version; choose another --workdir")
    files.write_text(path, (before or head) + files.csv_text(lines))
    return path


def _write_timelines(names: list[str], verdict: "Verdict", path: Path) -> None:
    """Write every clip that was scored: where it starts, its score, how far above the threshold of clips it lies."""
    from asd_jax import files

    rows = [["file_name", "start_seconds", "score", "above_threshold"]]
    for name, of in zip(names, verdict.timelines, strict=True):
        for start, score, above in zip(of.start_seconds, of.scores, of.above, strict=True):
            rows.append([name, f"{start:.3f}", f"{score:.9g}", f"{above:.9g}"])
    files.write_text(path, files.csv_text(rows))


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds; nothing where it is not known."""
    if math.isnan(seconds):
        return ""
    minutes, seconds = divmod(seconds, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{seconds:04.1f}"


if __name__ == "__main__":
    launch.run(main)
