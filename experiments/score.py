"""Verdicts on new recordings: `python -m experiments.score --checkpoint=RUN FILE_OR_FOLDER...`.

`--model=FILE` takes what `experiments.export` wrote in place of a run, without JAX where it is an ONNX file; it scores
clips of one length, so that recordings little longer are cut too and shorter ones get no verdict.

Prints, and writes to `RUN/score/scores.csv` (or below `--workdir`), each file's score, the decision at the detector's
threshold, the share of normal clips that score higher (near 0 is unlike anything heard in training, 0.5 is ordinary),
and what of the recording itself is unlike those in training. Recordings far longer than the clips of training are cut
into such clips; the time at which the worst three start is printed too, and `timeline.csv` has every clip. What is far
shorter gets no verdict. A file that cannot be scored has a row that says why, and does not stop the others.

`--report` writes `report.html` beside the table: the recordings furthest from normal with picture, sound, timeline, and
the bands and times that drove their scores. `--threshold` changes the sensitivity without training again. For daily use
a folder stands for all recordings below it, `--append` adds to `scores_log.csv`, and `--status` ends with 3 where
something is anomalous; 1 are errors.
"""

import dataclasses
import datetime
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from asd_jax.errors import InputError
from experiments import launch, listening, wording

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.detectors import Detectors, Verdict
    from asd_jax.detectors.judging import Judge
    from asd_jax.detectors.thresholds import Threshold
    from asd_jax.evaluation.heard_files import HeardFiles
    from asd_jax.evaluation.score_files import Scored

FLAGS = flags.FLAGS

flags.DEFINE_bool(
    "append", False, "Add the rows to scores_log.csv, under those of before, instead of writing scores.csv anew."
)
flags.DEFINE_bool("status", False, "End with exit status 3 where something is anomalous.")
launch.adopt(*listening.FLAG_NAMES, "skip_bad_files", "workdir", "report", "debug")


def main(arguments: list[str]) -> None:
    """Score the files that the arguments name."""
    listening.check_source()
    if not arguments:
        raise InputError("no files given; name the recordings to score after the flags")
    from asd_jax import files
    from asd_jax.evaluation.heard_files import HeardFiles

    beside = listening.source().parent if FLAGS.model else listening.source()
    workdir = launch.folder("workdir") or beside / "score"
    if FLAGS.workdir:
        files.check_not_a_run(workdir)
    detector, channel, detectors = _loaded()
    if "threshold" in launch.given():
        detector = detector.deciding_by(FLAGS.threshold)
    how, names = listening.how(channel), listening.files_in(arguments)
    heard = HeardFiles(names, detector, how, skip_bad=FLAGS.skip_bad_files, say=wording.say)
    verdict = heard.judged()
    for line in verdict.remarks:
        wording.say(line)
    chosen = [index for index in range(len(heard.names)) if not (FLAGS.skip_bad_files and index in heard.reasons)]
    if not chosen:
        raise InputError(f"none of the {len(heard.names)} files could be scored")
    rows = {index: _row(index, heard, verdict) for index in chosen}
    # The highest score first; files without one come last.
    rows = dict(sorted(rows.items(), key=lambda item: (math.isnan(item[1].score), -item[1].score)))
    path = _write(list(rows.values()), FLAGS.scorer or detector.headline_scorer, workdir)
    _write_timelines(heard.names, verdict, workdir / "timeline.csv")
    _print(rows, verdict, detector)
    print(f"{sum(row.decision == 'anomalous' for row in rows.values())} of {len(rows)} anomalous; written to {path}")
    if FLAGS.report:
        shown = dataclasses.replace(detectors, system=detector)
        print(f"look at {_write_report(rows, verdict, shown, heard, workdir)}")
    _end(rows, heard, verdict)


def _end(rows: dict[int, "Scored"], heard: "HeardFiles", verdict: "Verdict") -> None:
    """Say what went wrong, and end with the exit status that says so."""
    bad = {index: row for index, row in rows.items() if index in heard.reasons or verdict.reasons[index]}
    for row in bad.values():
        name = row.file_name
        print(f"error: {row.remarks if name in row.remarks else f'{name}: {row.remarks}'}", file=sys.stderr)
    if bad:
        sys.exit(1)
    if FLAGS.status and any(row.decision == "anomalous" for row in rows.values()):
        sys.exit(3)


def _loaded() -> "tuple[Judge, str, Detectors | None]":
    """What judges, the channel of recordings that it hears, and all the detectors of a run, which a report shows."""
    if FLAGS.model:
        if FLAGS.report:
            raise InputError("--report needs a run, --checkpoint: an exported file shows no pictures")
        from asd_jax.detectors import exported

        found = exported.load(listening.source())
        return found, found.metadata["channel"], None
    from asd_jax.detectors.bundle import Detectors

    channel = listening.channel_of_run()
    detectors = Detectors.load(listening.source())
    detectors.system.check_hears()
    if FLAGS.report:
        from asd_jax.report import check_can_be_shown

        check_can_be_shown(detectors, listening.source())
    return detectors.system, channel, detectors


def _row(index: int, heard: "HeardFiles", verdict: "Verdict") -> "Scored":
    """The row of a file, which speaks of flags."""
    row = heard.scored(index, verdict)
    return row._replace(remarks=wording.in_flags(row.remarks))


def _print(rows: dict[int, "Scored"], verdict: "Verdict", detector: "Judge") -> None:
    """Print the table of verdicts, and below it what they rest on."""
    scorer = FLAGS.scorer or detector.headline_scorer
    is_cut = any(len(verdict.timelines[index].scores) > 1 for index in rows)
    width = max(len(row.file_name) for row in rows.values())
    one, known = len(detector.machine_ids) == 1, max(map(len, (*detector.machine_ids, "machine id")))
    time = "  worst clip at" if is_cut else ""
    machine = "" if one else f"  {'machine id':<{known}}"
    print(f"{'file':<{width}}{machine}  {scorer:>12}  {'decision':<10}{time}  normal that score higher")
    for row in rows.values():
        at = f"  {_clock(row.worst_start_seconds):>13}" if is_cut else ""
        machine = "" if one else f"  {row.machine_id:<{known}}"
        share = f"  {row.share_of_normal_above:>6.1%}" if not math.isnan(row.score) else "  " + " " * 6
        remarks = row.remarks if row.machine_id else "see below"
        print(
            f"{row.file_name:<{width}}{machine}  {row.score:>12.5g}  {row.decision:<10}{at}{share}  {remarks}".rstrip()
        )
    for of, fitted in detector.fitted[scorer].items():
        if of.machine_id in {row.machine_id for row in rows.values()}:
            print(_threshold_in_words(fitted.threshold, "" if one else f"{of.machine_id}: "))
    print("normal that score higher: near 0 % is unlike anything heard in training, 50 % is ordinary")


def _threshold_in_words(limit: "Threshold", which: str) -> str:
    """What a score is held against, and how many normal clips are expected above."""
    from asd_jax.detectors.thresholds import parse

    if math.isinf(limit.value):
        return f"{which}nothing is called anomalous: {limit.never_alarms or limit.name}"
    share = f"{100 * (1 - parse(limit.name)[1]):.3g} %"
    return (
        f"{which}what scores above {limit.value:.5g} is anomalous ({limit.name}, from {limit.n_normal} normal clips: "
        f"{share} of such are expected above)"
    )


def _write(rows: list["Scored"], scorer: str, workdir: Path) -> Path:
    """Write `scores.csv`, or with `--append` add to `scores_log.csv`; gives the path."""
    from asd_jax import files
    from asd_jax.evaluation.score_files import service_csv

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    header, lines = service_csv(scorer, rows, scored_at=now)
    path, before = workdir / ("scores_log.csv" if FLAGS.append else "scores.csv"), ""
    if FLAGS.append and path.exists():
        before = path.read_text(encoding="utf-8")
        if not before.startswith(header):
            raise InputError(f"{path} has other columns, of another scorer or version; choose another --workdir")
    files.write_text(path, (before or header) + lines)
    return path


def _write_report(
    rows: dict[int, "Scored"], verdict: "Verdict", detectors: "Detectors", heard: "HeardFiles", workdir: Path
) -> Path:
    """Write `report.html` of these recordings; gives the path."""
    from asd_jax.datasets import Machine
    from asd_jax.report import ScoredRecording, write_scored_report

    recordings = [
        ScoredRecording(
            name=row.file_name,
            machine=Machine(verdict.machine_types[index], verdict.machine_ids[index]),
            score=row.score,
            threshold=row.threshold,
            decision=row.decision,
            share_of_normal_above=row.share_of_normal_above,
            start_seconds=row.worst_start_seconds,
            remarks=row.remarks,
            timeline=verdict.timelines[index],
        )
        for index, row in rows.items()
    ]
    scorer = FLAGS.scorer or detectors.system.headline_scorer
    page = workdir / "report.html"
    return write_scored_report(page, recordings, detectors, heard.read, run=str(launch.checkpoint()), scorer=scorer)


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
