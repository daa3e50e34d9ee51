"""What an archive's table comes down to: counts, the worst recordings, bad files; read shard by shard."""

import collections
import dataclasses
import heapq
import math
from collections.abc import Iterable, Mapping
from typing import Any

from asd_jax.runs.archive.table import Row

N_WORST = 150  # recordings that are kept, as many as a page has maps of
_N_BAD = 20


@dataclasses.dataclass(frozen=True)
class Summary:
    """What is said at the end.

    Attributes:
        counts: recordings by decision.
        n_unlike: those with a verdict that are unlike training.
        worst: the furthest above their thresholds, in standard deviations of normal scores, first.
        bad: the first files without a verdict.
    """

    counts: Mapping[str, int]
    n_unlike: int
    worst: tuple[Row, ...]
    bad: tuple[Row, ...]

    @property
    def n_files(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, ten of the worst."""
        return {
            "n_files": self.n_files,
            "counts": dict(self.counts),
            "n_unlike_training": self.n_unlike,
            "worst": [
                {"file_name": row.file_name, "machine_id": row.machine_id, "score": row.score, "margin": row.margin}
                for row in self.worst[:10]
            ],
            "bad": [{"file_name": row.file_name, "reason": row.remarks} for row in self.bad],
        }


def summarised(rows: Iterable[Row]) -> Summary:
    """A summary of all rows, of which few are held at a time."""
    counts = collections.Counter({"anomalous": 0, "normal": 0, "no verdict": 0})
    unlike = 0
    worst: list[tuple[float, int, Row]] = []
    bad: list[Row] = []
    for number, row in enumerate(rows):
        counts[row.decision] += 1
        if math.isnan(row.score):
            if len(bad) < _N_BAD:
                bad.append(row)
            continue
        unlike += bool(row.remarks)
        item = (row.margin, -number, row)  # of equal ones the first
        if len(worst) < N_WORST:
            heapq.heappush(worst, item)
        elif item[:2] > worst[0][:2]:
            heapq.heapreplace(worst, item)
    return Summary(dict(counts), unlike, tuple(row for *_, row in sorted(worst, reverse=True)), tuple(bad))
