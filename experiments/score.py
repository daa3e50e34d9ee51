"""Verdicts on new recordings: `python -m experiments.score --checkpoint=RUN FILE...`.

Prints, and writes to `RUN/score/scores.csv` (or below `--workdir`), each file's score, the decision at the detector's
threshold, and the share of normal clips that score higher: near 0 is unlike anything heard in training,
0.5 is ordinary. Recordings far longer than the clips of training are cut into such clips; the time at which the worst
three start is printed too, and `timeline.csv` has every clip. What is far shorter gets no verdict, with the reason.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from absl import flags

from asd_jax.errors import InputError
from experiments import launch, wording

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.detectors.verdicts import Piece, Timeline

FLAGS = flags.FLAGS

launch.adopt("checkpoint", "machine_id", "channel", "skip_bad_files", "scorer", "workdir", "debug")
flags.DEFINE_enum(
    "unknown_machine_id",
    "error",
    ["error", "min"],
    "For a file of a machine id that the detector does not know: an error, or its smallest score over all ids.",
)


def _machine_id(path: Path, known: tuple[str, ...]) -> str | None:
    """The id that was given, that the name carries, or a folder above it where that is a known one, or the only one."""
    from asd_jax.datasets.machines import machine_id_in

    if FLAGS.machine_id:
        if len(FLAGS.machine_id) > 1:
            raise InputError("--machine_id: give one id, the machine that all the files are of")
        return FLAGS.machine_id[0]
    found = machine_id_in(path.as_posix())
    if found in known or machine_id_in(path.name):  # a folder far above may be called id_07 for reasons of its own
        return found
    if len(known) > 1 and FLAGS.unknown_machine_id == "error":
        raise InputError(
            f"{path}: its path does not say which machine it is; pass --machine_id with one of {', '.join(known)}, "
            "or --unknown_machine_id=min"
        )
    return known[0] if len(known) == 1 else None


def main(arguments: list[str]) -> None:
    """Score the files that the arguments name."""
    if FLAGS.checkpoint is None:
        raise InputError("--checkpoint is needed: the folder of a finished run")
    if not arguments:
        raise InputError("no files given; name the recordings to score after the flags")
    from asd_jax import files
    from asd_jax.datasets import Clip
    from asd_jax.datasets.audio import duration_seconds, read_audio
    from asd_jax.datasets.cutting import cut
    from asd_jax.detectors.bundle import load_detector
    from asd_jax.detectors.verdicts import Piece
    from asd_jax.runs import folder as run_folder

    if FLAGS.workdir:
        run_folder.check_not_a_run(Path(FLAGS.workdir))
    detector = load_detector(FLAGS.checkpoint)
    sample_rate = detector.front_end.sample_rate
    channel = FLAGS.channel or run_folder.read_config(Path(FLAGS.checkpoint)).get("data", {}).get("channel", "mix")
    machine_ids = [_machine_id(Path(name), detector.machine_ids) for name in arguments]
    heard = np.zeros(len(arguments), bool)

    def pieces() -> "Iterator[Piece]":
        for index, name in enumerate(arguments):
            whole = Clip(name, machine_ids[index] or "", "test")
            silent = True
            try:
                cutting = detector.cutting_of(duration_seconds(Path(name)))
                parts = [whole] if cutting is None else cut(whole, Path(), cutting)
                for part in parts:
                    where = {"start_seconds": part.start_seconds, "clip_seconds": part.clip_seconds}
                    waveform = read_audio(Path(name), sample_rate=sample_rate, channel=channel, **where)
                    silent &= not waveform.any()
                    ready = detector.prepare(waveform, sample_rate=sample_rate, name=part.file_name)
                    heard[index] = True
                    yield Piece(index, part.start_seconds, ready)
            except InputError as error:
                if not FLAGS.skip_bad_files:
                    raise
                wording.say(f"warning: left out{' from there on' if heard[index] else ''}: {error}")
            else:
                if silent:
                    print(f"warning: {name} is silent; is the microphone connected?")

    verdict = detector.judge_pieces(
        pieces(), machine_ids, scorer=FLAGS.scorer, unknown_machine_id=FLAGS.unknown_machine_id
    )
    if not heard.any():
        raise InputError(f"none of the {len(arguments)} files could be scored")
    for line in verdict.remarks:
        wording.say(line)
    starts = verdict.worst_start_seconds if any(len(of.scores) > 1 for of in verdict.timelines) else None
    rows = [
        Row(
            name,
            verdict.machine_ids[index],
            verdict.scores[index],
            {True: "anomalous", False: "normal", None: "no verdict"}[decision],
            verdict.share_of_normal_above[index],
            None if starts is None else starts[index],
            verdict.reasons[index],
        )
        for index, (name, decision) in enumerate(zip(arguments, verdict.is_anomalous.tolist(), strict=True))
        if heard[index]
    ]
    _write_timelines([name for index, name in enumerate(arguments) if heard[index]], verdict.timelines[heard])
    _report(rows, FLAGS.scorer or detector.headline_scorer, files.write_text)
    refused = [row for row in rows if row.decision == "no verdict"]
    if refused:
        raise InputError(f"no verdict on {len(refused)} of {len(rows)} file(s): {refused[0].name}: {refused[0].reason}")


class Row(NamedTuple):
    """A file's verdict; `worst_start_seconds` is None where no file is cut, `reason` says why there is no verdict."""

    name: str
    machine_id: str
    score: float
    decision: str
    share_of_normal_above: float
    worst_start_seconds: float | None
    reason: str = ""


def _report(rows: list[Row], scorer: str, write_text: Callable[[Path, str], None]) -> None:
    """Print and write the verdicts, the highest score first."""
    rows.sort(key=lambda row: -np.nan_to_num(row.score, nan=-np.inf))
    width = max(len(row.name) for row in rows)
    is_cut = rows[0].worst_start_seconds is not None
    time = "  worst clip at" if is_cut else ""
    print(f"{'file':<{width}}  machine id  {scorer:>12}  decision  {time}  normal that score higher")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    last = ["worst_start_seconds"] if is_cut else []
    writer.writerow(["file_name", "machine_id", scorer, "decision", "share_of_normal_above", *last, "reason"])
    for name, machine_id, score, decision, share, start, reason in rows:
        at = f"  {_clock(start):>13}" if is_cut else ""
        said = reason or f"{share:>6.1%}"
        print(f"{name:<{width}}  {machine_id:<10}  {score:>12.5g}  {decision:<10}{at}  {said}")
        last = [f"{start:.3f}"] if is_cut else []
        writer.writerow([name, machine_id, f"{score:.9g}", decision, f"{share:.4f}", *last, reason])
    path = _folder() / "scores.csv"
    write_text(path, text.getvalue())
    print(f"{sum(row.decision == 'anomalous' for row in rows)} of {len(rows)} anomalous; written to {path}")


def _folder() -> Path:
    return Path(FLAGS.workdir or Path(FLAGS.checkpoint) / "score")


def _write_timelines(names: list[str], timelines: "Iterable[Timeline]") -> None:
    """Write every clip that was scored: where it starts, its score, how far above the threshold of clips it lies."""
    from asd_jax import files

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file_name", "start_seconds", "score", "above_threshold"])
    for name, of in zip(names, timelines, strict=True):
        for start, score, above in zip(of.start_seconds, of.scores, of.above, strict=True):
            writer.writerow([name, f"{start:.3f}", f"{score:.9g}", f"{above:.9g}"])
    files.write_text(_folder() / "timeline.csv", text.getvalue())


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds; nothing where there are none."""
    if not np.isfinite(seconds):
        return ""
    minutes, seconds = divmod(seconds, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{seconds:04.1f}"


if __name__ == "__main__":
    launch.run(main)
