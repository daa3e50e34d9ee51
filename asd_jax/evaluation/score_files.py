"""`scores.csv` of a run: a line a test clip with its label, one column a scorer, and the decision."""

import csv
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Clip
from asd_jax.errors import InputError
from asd_jax.files import csv_text

_BEFORE = ("file_name", "machine_id", "domain", "is_anomaly")
_AFTER = ("decision", "selection", "worst_start_seconds")
_WORDS = {None: "", False: "0", True: "1"}  # of labels and decisions


@dataclasses.dataclass(frozen=True)
class ScoredClips:
    """What `scores.csv` holds.

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
    worst_start_seconds: Float[np.ndarray, " n_clips"] | None = None,
) -> str:
    """`scores.csv` as text; an unknown label is empty, and so is a masked decision.

    Args:
        clips: the test clips.
        scores: by scorer.
        decisions: of the headline scorer (see `thresholds.decide`).
        selection: `label-free` or `oracle`, how the run was selected; stamped on every line.
        worst_start_seconds: where in each recording its worst clip starts; None where recordings were not cut, and
            then there is no such column.
    """
    starts = worst_start_seconds
    table = [[*_BEFORE, *scores, *(_AFTER[:-1] if starts is None else _AFTER)]]
    for index, (clip, decision) in enumerate(zip(clips, decisions.tolist(), strict=True)):
        # Nine digits bring a float32 back exactly; a float64 score is reproduced to 1e-9.
        values = [f"{of[index]:.9g}" for of in scores.values()]
        last = [] if starts is None else [f"{starts[index]:.3f}"]
        label, decided = (_WORDS[truth] for truth in (clip.is_anomaly, decision))
        table.append([clip.file_name, clip.machine_id, clip.domain, label, *values, decided, selection, *last])
    return csv_text(table)


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
    truths = {word: truth for truth, word in _WORDS.items()}
    clips, taken = [], []
    scores = np.full((len(names), len(rows)), math.nan)
    for number, row in enumerate(rows):
        try:
            label = truths[row["is_anomaly"]]
            clips.append(Clip(row["file_name"], row["machine_id"], "test", label, row["domain"]))
            scores[:, number] = [float(row[name]) for name in names]
            taken.append(truths[row["decision"]])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}, line {number + 2}: not as a run writes it; evaluate the run again") from error
    return ScoredClips(tuple(clips), dict(zip(names, scores, strict=True)), tuple(taken))
