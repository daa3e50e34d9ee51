"""`scores.csv`: a line a recording, of a run with its label and a column a scorer, of service with what it rests on.

What both have comes in one order and means the same: file name, machine id, scores, decision in words, where the worst
three clips start. Every file of a kind has the same columns, whatever was in the recordings.
"""

import csv
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Clip
from asd_jax.errors import InputError
from asd_jax.files import csv_text

_BEFORE = ("file_name", "machine_id", "domain", "is_anomaly")
_DECIDED = ("decision", "worst_start_seconds")
_OF_SERVICE = ("threshold", "n_normal", "share_of_normal_above", "remarks", "scored_at")
_LABELS = {None: "", False: "0", True: "1"}
DECISIONS = {None: "no verdict", False: "normal", True: "anomalous"}


@dataclasses.dataclass(frozen=True)
class ScoredClips:
    """What `scores.csv` of a run holds.

    Attributes:
        clips: the test clips.
        scores: by scorer.
        decisions: of the headline scorer; None where its score is not finite.
    """

    clips: tuple[Clip, ...]
    scores: dict[str, Float[np.ndarray, " n_clips"]]
    decisions: tuple[bool | None, ...]


def scores_csv(
    clips: Sequence[Clip],
    scores: Mapping[str, Float[np.ndarray, " n_clips"]],
    decisions: np.ma.MaskedArray,
    *,
    selection: str,
) -> str:
    """`scores.csv` of a run as text; an unknown label is empty.

    Args:
        clips: the test clips; whole recordings where these were cut, which start where their worst three clips do.
        scores: by scorer.
        decisions: of the headline scorer (see `thresholds.decide`).
        selection: `label-free`, `oracle` or `supervised`, how the run was selected; stamped on every line.
    """
    table = [[*_BEFORE, *scores, *_DECIDED, "selection"]]
    for index, (clip, decision) in enumerate(zip(clips, decisions.tolist(), strict=True)):
        # Nine digits bring a float32 back exactly; a float64 score is reproduced to 1e-9.
        values = [f"{of[index]:.9g}" for of in scores.values()]
        decided = [DECISIONS[decision], f"{clip.start_seconds:.3f}"]
        table.append(
            [clip.file_name, clip.machine_id, clip.domain, _LABELS[clip.is_anomaly], *values, *decided, selection]
        )
    return csv_text(table)


class Scored(NamedTuple):
    """A recording's line in the `scores.csv` of service; what is not known is NaN, 0 or empty, and empty in the file.

    Attributes:
        file_name: as it was given.
        machine_id: that it was held against.
        score: of the scorer that was asked.
        decision: one of `DECISIONS`.
        worst_start_seconds: where its worst three clips start.
        threshold: what the score was held against.
        n_normal: normal clips that the threshold rests on.
        share_of_normal_above: of normal recordings as long as it.
        remarks: what of it is unlike training, or why there is no verdict.
    """

    file_name: str
    machine_id: str
    score: float
    decision: str
    worst_start_seconds: float
    threshold: float
    n_normal: int
    share_of_normal_above: float
    remarks: str


def service_csv(scorer: str, rows: Sequence[Scored], *, scored_at: str) -> tuple[str, str]:
    """Header and lines of the `scores.csv` of service, as text; to be added to others under the same header."""

    def number(value: float, form: str) -> str:
        return "" if math.isnan(value) else format(value, form)

    header = csv_text([[*_BEFORE[:2], scorer, *_DECIDED, *_OF_SERVICE]])
    lines = [
        [
            *(row.file_name, row.machine_id, number(row.score, ".9g"), row.decision),
            *(number(row.worst_start_seconds, ".3f"), number(row.threshold, ".9g"), row.n_normal or ""),
            *(number(row.share_of_normal_above, ".4f"), row.remarks, scored_at),
        ]
        for row in rows
    ]
    return header, csv_text(lines)


def read_scores(path: Path) -> ScoredClips:
    """Read a `scores.csv`.

    Raises:
        InputError: there is none, or a line is not as `scores_csv` writes it.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except FileNotFoundError as error:
        raise InputError(f"{path.parent}: no scores.csv in it; name the folder of a run that was evaluated") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); evaluate the run again") from error
    if not rows:
        raise InputError(f"{path} holds no clips; evaluate the run again")
    columns = list(rows[0])
    if columns[: len(_BEFORE)] != list(_BEFORE) or "decision" not in columns:
        raise InputError(f"{path} is not what a run writes (columns {', '.join(columns)}); evaluate the run again")
    names = columns[len(_BEFORE) : columns.index("decision")]
    labels = {word: truth for truth, word in _LABELS.items()}
    decided = labels | {word: truth for truth, word in DECISIONS.items()}  # runs of before wrote them as labels
    clips, taken = [], []
    scores = np.full((len(names), len(rows)), math.nan)
    for number, row in enumerate(rows):
        try:
            label = labels[row["is_anomaly"]]
            clips.append(Clip(row["file_name"], row["machine_id"], "test", label, row["domain"]))
            scores[:, number] = [float(row[name]) for name in names]
            taken.append(decided[row["decision"]])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}, line {number + 2}: not as a run writes it; evaluate the run again") from error
    return ScoredClips(tuple(clips), dict(zip(names, scores, strict=True)), tuple(taken))
