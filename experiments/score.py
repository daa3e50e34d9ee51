"""Verdicts on new recordings: `python -m experiments.score --checkpoint=RUN FILE_OR_FOLDER...`.

Prints, and writes to `RUN/score/scores.csv` (or below `--workdir`), each file's score, the decision at the detector's
threshold, the share of normal clips that score higher (near 0 is unlike anything heard in training, 0.5 is ordinary),
and what of the recording itself is unlike those in training. A detector that was trained on recordings cut into clips
(`--clip_seconds`) cuts these likewise: a recording scores as its worst clip does, and the time of that clip is printed
too. A file that cannot be scored has a row that says why, and does not stop the others.

For daily use a folder stands for all recordings below it, `--append` adds to `scores_log.csv` with the time, and
`--status` ends with 3 where something is anomalous; 1 are errors.
"""

import datetime
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from absl import flags

from asd_jax.errors import InputError
from experiments import launch, wording

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.detectors import Detector
    from asd_jax.detectors.verdicts import Piece

FLAGS = flags.FLAGS

flags.DEFINE_enum(
    "unlike", "say", ["say", "refuse"], "Of a recording unlike those in training (level, rate, ...): say so, or refuse."
)
flags.DEFINE_bool("append", False, "Add the rows, with the time in UTC, to scores_log.csv instead of scores.csv.")
flags.DEFINE_bool("status", False, "End with exit status 3 where something is anomalous.")
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
    from asd_jax.datasets.tree import check_name

    check_name(str(path))
    if FLAGS.machine_id:
        if len(FLAGS.machine_id) > 1:
            raise InputError("--machine_id: give one id, the machine that all the files are of")
        return FLAGS.machine_id[0]
    found = machine_id_in(path.as_posix())
    if found in known:
        return found
    if named := explicit_id_in(path.name):  # a folder far above may be called id_07 for reasons of its own
        if FLAGS.unknown_machine_id == "error":
            raise InputError(f"{path}: {named} is not known to the detector, which has {', '.join(known)}")
        return named
    if len(known) > 1 and FLAGS.unknown_machine_id == "error":
        raise InputError(
            f"{path}: its path does not say which machine it is; pass --machine_id with one of {', '.join(known)}, "
            "or --unknown_machine_id=min"
        )
    return known[0] if len(known) == 1 else None


def _files(arguments: list[str]) -> list[str]:
    """The files that the arguments name, and those in the folders that they name."""
    from asd_jax.datasets.tree import list_tree

    found = []
    for name in arguments:
        below = [str(Path(name) / path) for path in list_tree(Path(name)).audio] if Path(name).is_dir() else [name]
        if not below:
            raise InputError(f"{name}: no recordings in this folder")
        found += below
    return list(dict.fromkeys(found))


class Heard:
    """What is heard of each file on its way to the detector: what is measured of its clips, and why one was refused."""

    def __init__(self, names: list[str], detector: "Detector", channel: str) -> None:
        self.names, self._detector, self._channel = names, detector, channel
        self.sounds: dict[int, list[Any]] = {}  # of Sound
        self.reasons: dict[int, str] = {}
        self.machine_ids: list[str | None] = [None] * len(names)
        for index, name in enumerate(names):
            try:
                self.machine_ids[index] = _machine_id(Path(name), detector.machine_ids)
            except InputError as error:
                self._refuse(index, error)
                self.machine_ids[index] = detector.machine_ids[0]  # in the place of one; the file is not read

    def pieces(self) -> "Iterator[Piece]":
        """The clips of all files."""
        for index in range(len(self.names)):
            if index not in self.reasons:
                try:
                    yield from self._clips(index)
                except InputError as error:
                    self._refuse(index, error)

    def _clips(self, index: int) -> "Iterator[Piece]":
        from asd_jax.datasets import Clip
        from asd_jax.datasets.audio import read_audio
        from asd_jax.datasets.cutting import cut
        from asd_jax.datasets.sound import measure
        from asd_jax.detectors.verdicts import Piece

        name, detector = self.names[index], self._detector
        whole, rate, silent = Clip(name, self.machine_ids[index] or "", "test"), detector.front_end.sample_rate, True
        for part in [whole] if detector.cutting is None else cut(whole, Path(), detector.cutting):
            where = {"start_seconds": part.start_seconds, "clip_seconds": part.clip_seconds}
            waveform = read_audio(Path(name), sample_rate=rate, channel=self._channel, **where)
            ready = detector.prepare(waveform, sample_rate=rate, name=part.file_name)
            silent &= not ready.any()
            self.sounds.setdefault(index, []).append(measure(ready, sample_rate=rate))
            yield Piece(index, part.start_seconds, ready)
        if silent:
            print(f"warning: {name} is silent; is the microphone connected?")

    def _refuse(self, index: int, error: InputError) -> None:
        if FLAGS.skip_bad_files:
            wording.say(f"warning: left out{' from there on' if index in self.sounds else ''}: {error}")
            if index in self.sounds:
                return
        self.reasons[index] = wording.in_flags(str(error))

    def remarks(self, index: int) -> str:
        """What of a file is unlike the training recordings: of its typical clip."""
        import numpy as np

        from asd_jax.datasets.sound import Sound

        if self._detector.health is None:
            return ""
        typical = Sound(*np.median(np.asarray(self.sounds[index]), axis=0).tolist())
        return "; ".join(self._detector.health.remarks(typical, of_clip=self._detector.cutting is not None))


def main(arguments: list[str]) -> None:
    """Score the files that the arguments name."""
    if FLAGS.checkpoint is None:
        raise InputError("--checkpoint is needed: the folder of a finished run")
    if not arguments:
        raise InputError("no files given; name the recordings to score after the flags")
    from asd_jax.detectors.bundle import load_detector
    from asd_jax.runs import folder as run_folder

    workdir = launch.folder("workdir") or launch.checkpoint() / "score"
    if FLAGS.workdir:
        run_folder.check_not_a_run(workdir)
    detector = load_detector(launch.checkpoint())
    recorded = run_folder.read_config(launch.checkpoint()).get("data")
    channel = FLAGS.channel or (recorded.get("channel", "mix") if isinstance(recorded, dict) else "mix")
    heard = Heard(_files(arguments), detector, channel)
    verdict = detector.judge_pieces(
        heard.pieces(), heard.machine_ids, scorer=FLAGS.scorer, unknown_machine_id=FLAGS.unknown_machine_id
    )
    rows = []
    for index, (name, decision) in enumerate(zip(heard.names, verdict.is_anomalous.tolist(), strict=True)):
        if index in heard.reasons:
            rows.append(Row(name, "", math.nan, "no verdict", math.nan, math.nan, heard.reasons[index], True))
            continue
        remarks, numbers = heard.remarks(index), (verdict.scores[index], verdict.share_of_normal_above[index])
        bad = decision is None
        remarks = "; ".join(filter(None, ["the score is not finite" if bad else "", remarks]))
        said = _decision(decision, remarks)
        start = verdict.worst_start_seconds[index]
        rows.append(Row(name, verdict.machine_ids[index], numbers[0], said, numbers[1], start, remarks, bad))
    if FLAGS.skip_bad_files:
        rows = [row for row in rows if not (row.is_error and math.isnan(row.score) and not row.machine_id)]
        if not rows:
            raise InputError(f"none of the {len(heard.names)} files could be scored")
    _report(rows, detector, workdir)
    for row in rows:
        if row.is_error:
            print(f"error: {row.remarks if row.name in row.remarks else f'{row.name}: {row.remarks}'}", file=sys.stderr)
    if any(row.is_error for row in rows):
        sys.exit(1)
    if FLAGS.status and any(row.decision == "anomalous" for row in rows):
        sys.exit(3)


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


def _report(rows: list[Row], detector: "Detector", workdir: Path) -> None:
    """Write and print the verdicts, the highest score first; files without one come last."""
    scorer, is_cut = FLAGS.scorer or detector.headline_scorer, detector.cutting is not None
    rows.sort(key=lambda row: (math.isnan(row.score), -row.score))
    path = _write(rows, scorer, is_cut, workdir)
    width = max(len(row.name) for row in rows)
    one, known = len(detector.machine_ids) == 1, max(map(len, (*detector.machine_ids, "machine id")))
    time, heard = ("  worst clip at", "recordings") if is_cut else ("", "clips")
    machine = "" if one else f"  {'machine id':<{known}}"
    print(f"{'file':<{width}}{machine}  {scorer:>12}  {'decision':<10}{time}  normal {heard} that score higher")
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


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds; nothing where it is not known."""
    if math.isnan(seconds):
        return ""
    minutes, seconds = divmod(seconds, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{seconds:04.1f}"


if __name__ == "__main__":
    launch.run(main)
