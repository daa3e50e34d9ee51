"""Verdicts on new recordings: `python -m experiments.score --checkpoint=RUN FILE...`.

Prints, and writes to `RUN/score/scores.csv` (or below `--workdir`), each file's score, the decision at the detector's
threshold, and the share of normal clips that score higher: near 0 is unlike anything heard in training,
0.5 is ordinary. A detector that was trained on recordings cut into clips (`--clip_seconds`) cuts these likewise: a
recording scores as its worst clip does, and the time of that clip is printed too.
"""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from absl import flags

from asd_jax.errors import InputError
from experiments import launch, wording

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.detectors.verdicts import Piece

FLAGS = flags.FLAGS

flags.DEFINE_enum(
    "unlike", "say", ["say", "refuse"], "Of a recording unlike those in training (level, rate, ...): say so, or refuse."
)
launch.adopt("checkpoint", "machine_id", "channel", "skip_bad_files", "scorer", "workdir", "debug")
flags.DEFINE_enum(
    "unknown_machine_id",
    "error",
    ["error", "min"],
    "For a file of a machine id that the detector does not know: an error, or its smallest score over all ids.",
)


def _machine_id(path: Path, known: tuple[str, ...]) -> str | None:
    """The id that was given, that the name carries, or a folder above it where that is a known one, or the only one."""
    from asd_jax.datasets.machines import explicit_id_in, machine_id_in

    if FLAGS.machine_id:
        if len(FLAGS.machine_id) > 1:
            raise InputError("--machine_id: give one id, the machine that all the files are of")
        return FLAGS.machine_id[0]
    found = machine_id_in(path.as_posix())
    if found in known or explicit_id_in(path.name):  # a folder far above may be called id_07 for reasons of its own
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
    from asd_jax.datasets.audio import read_audio
    from asd_jax.datasets.cutting import cut
    from asd_jax.datasets.sound import Sound, measure
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
    sounds: dict[int, list[Sound]] = {}

    def pieces() -> "Iterator[Piece]":
        for index, name in enumerate(arguments):
            whole = Clip(name, machine_ids[index] or "", "test")
            parts = [whole] if detector.cutting is None else cut(whole, Path(), detector.cutting)
            silent = True
            try:
                for part in parts:
                    where = {"start_seconds": part.start_seconds, "clip_seconds": part.clip_seconds}
                    waveform = read_audio(Path(name), sample_rate=sample_rate, channel=channel, **where)
                    silent &= not waveform.any()
                    ready = detector.prepare(waveform, sample_rate=sample_rate, name=part.file_name)
                    heard[index] = True
                    sounds.setdefault(index, []).append(measure(ready, sample_rate=sample_rate))
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
    starts = verdict.worst_start_seconds if detector.cutting is not None else None

    def remarks(index: int) -> str:
        if detector.health is None:
            return ""
        typical = Sound(*np.median(np.asarray(sounds[index]), axis=0).tolist())
        return "; ".join(detector.health.remarks(typical, of_clip=detector.cutting is not None))

    rows = [
        Row(
            name,
            verdict.machine_ids[index],
            verdict.scores[index],
            _decision(decision, remarks(index)),
            verdict.share_of_normal_above[index],
            None if starts is None else starts[index],
            remarks(index),
        )
        for index, (name, decision) in enumerate(zip(arguments, verdict.is_anomalous.tolist(), strict=True))
        if heard[index]
    ]
    _report(rows, FLAGS.scorer or detector.headline_scorer, files.write_text)


def _decision(is_anomalous: bool | None, remarks: str) -> str:
    if is_anomalous is None or (remarks and FLAGS.unlike == "refuse"):
        return "no verdict"
    return "anomalous" if is_anomalous else "normal"


class Row(NamedTuple):
    """A file's verdict; `worst_start_seconds` is None where files are not cut, `remarks` what is unlike training."""

    name: str
    machine_id: str
    score: float
    decision: str
    share_of_normal_above: float
    worst_start_seconds: float | None
    remarks: str


def _report(rows: list[Row], scorer: str, write_text: Callable[[Path, str], None]) -> None:
    """Print and write the verdicts, the highest score first."""
    rows.sort(key=lambda row: -row.score)
    width = max(len(row.name) for row in rows)
    is_cut = rows[0].worst_start_seconds is not None
    time = "  worst clip at" if is_cut else ""
    heard = "recordings" if is_cut else "clips"
    print(f"{'file':<{width}}  machine id  {scorer:>12}  decision  {time}  normal {heard} that score higher")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    last = ["worst_start_seconds"] if is_cut else []
    writer.writerow(["file_name", "machine_id", scorer, "decision", "share_of_normal_above", *last, "remarks"])
    for name, machine_id, score, decision, share, start, remarks in rows:
        at = f"  {_clock(start):>13}" if is_cut else ""
        print(f"{name:<{width}}  {machine_id:<10}  {score:>12.5g}  {decision:<10}{at}  {share:>6.1%}{remarks and '  ' + remarks}")
        last = [f"{start:.3f}"] if is_cut else []
        writer.writerow([name, machine_id, f"{score:.9g}", decision, f"{share:.4f}", *last, remarks])
    path = Path(FLAGS.workdir or Path(FLAGS.checkpoint) / "score") / "scores.csv"
    write_text(path, text.getvalue())
    print(f"{sum(row.decision == 'anomalous' for row in rows)} of {len(rows)} anomalous; written to {path}")


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(seconds, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{seconds:04.1f}"


if __name__ == "__main__":
    launch.run(main)
