"""Verdicts on new recordings: `python -m experiments.score --checkpoint=RUN FILE...`.

Prints, and writes to `RUN/score/scores.csv` (or below `--workdir`), each file's score, the decision at the detector's
threshold, and the share of normal clips that score higher: near 0 is unlike anything heard in training,
0.5 is ordinary.
"""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import flags

from asd_jax.errors import InputError
from experiments import common

FLAGS = flags.FLAGS

common.adopt("checkpoint", "machine_id", "channel", "skip_bad_files", "scorer", "workdir", "debug")
flags.DEFINE_enum(
    "unknown_machine_id",
    "error",
    ["error", "min"],
    "For a file of a machine id that the detector does not know: an error, or its smallest score over all ids.",
)

_FILES_AT_ONCE = 256  # so that memory does not grow with the number of files
_ID_IN_NAME = re.compile(r"(id_\d{2}|section_\d{2})")


def _machine_id(path: Path, known: tuple[str, ...]) -> str | None:
    """The id that was given, that the file's name carries, or that is the only one."""
    if FLAGS.machine_id:
        if len(FLAGS.machine_id) > 1:
            raise InputError("--machine_id: give one id, the machine that all the files are of")
        return FLAGS.machine_id[0]
    match = _ID_IN_NAME.search(path.name)
    if match:
        return match[1]
    if len(known) > 1 and FLAGS.unknown_machine_id == "error":
        raise InputError(
            f"{path}: its name does not say which machine it is; pass --machine_id with one of {', '.join(known)}, "
            "or --unknown_machine_id=min"
        )
    return known[0] if len(known) == 1 else None


def main(arguments: list[str]) -> None:
    """Score the files that the arguments name."""
    if FLAGS.checkpoint is None:
        raise InputError("--checkpoint is needed: the folder of a finished run")
    if not arguments:
        raise InputError("no files given; name the recordings to score after the flags")
    from asd_jax import run_folder
    from asd_jax.datasets.audio import read_audio
    from asd_jax.detector import load_detector

    detector = load_detector(FLAGS.checkpoint)
    sample_rate = detector.front_end.sample_rate
    rows, n_bad = [], 0
    for first in range(0, len(arguments), _FILES_AT_ONCE):
        paths, waveforms, machine_ids = [], [], []
        for path in map(Path, arguments[first : first + _FILES_AT_ONCE]):
            try:
                waveform = read_audio(path, sample_rate=sample_rate, channel=FLAGS.channel)
                waveform = detector.prepare(waveform, sample_rate=sample_rate, name=str(path))
            except InputError as error:
                if not FLAGS.skip_bad_files:
                    raise
                print(f"warning: left out: {error}")
                n_bad += 1
                continue
            if not waveform.any():
                print(f"warning: {path} is silent; is the microphone connected?")
            paths.append(str(path))
            waveforms.append(waveform)
            machine_ids.append(_machine_id(path, detector.machine_ids))
        verdict = detector.judge(
            waveforms,
            sample_rate=sample_rate,
            machine_id=machine_ids,
            scorer=FLAGS.scorer,
            unknown_machine_id=FLAGS.unknown_machine_id,
        )
        decisions = np.where(verdict.is_anomalous, "anomalous", "normal")
        rows += zip(paths, verdict.machine_ids, verdict.scores, decisions, verdict.share_of_normal_above, strict=True)
    if not rows:
        raise InputError(f"none of the {n_bad} files could be scored")
    _report(rows, FLAGS.scorer or detector.headline_scorer, run_folder.write_text)


def _report(rows: list[tuple], scorer: str, write_text: Callable[[Path, str], None]) -> None:
    """Print and write the verdicts, the highest score first."""
    rows.sort(key=lambda row: -row[2])
    width = max(len(row[0]) for row in rows)
    print(f"{'file':<{width}}  machine id  {scorer:>12}  decision   normal clips that score higher")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file_name", "machine_id", scorer, "decision", "share_of_normal_above"])
    for name, machine_id, score, decision, share in rows:
        print(f"{name:<{width}}  {machine_id:<10}  {score:>12.5g}  {decision:<9}  {share:>6.1%}")
        writer.writerow([name, machine_id, f"{score:.9g}", decision, f"{share:.4f}"])
    path = Path(FLAGS.workdir or Path(FLAGS.checkpoint) / "score") / "scores.csv"
    write_text(path, text.getvalue())
    print(f"{np.sum([row[3] == 'anomalous' for row in rows])} of {len(rows)} anomalous; written to {path}")


if __name__ == "__main__":
    common.run(main)
