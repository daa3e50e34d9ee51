"""An exported file held against the detector that it comes from."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.exported import Exported
from asd_jax.detectors.judging import Judge
from asd_jax.errors import InputError
from asd_jax.files import to_json

TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How an exported file agrees with its detector.

    Attributes:
        n_clips: compared.
        n_anomalous: of them, by both.
        largest_difference: of scores, relative to the detector's where that is above 1.
    """

    n_clips: int
    n_anomalous: int
    largest_difference: float

    def to_dict(self) -> dict[str, float]:
        """As JSON has it."""
        return to_json(self)


def compare(
    detector: Judge,
    exported: Exported,
    waveforms: Sequence[np.ndarray],
    machines: Sequence[Machine],
    names: Sequence[str],
    *,
    tolerance: float = TOLERANCE,
) -> Agreement:
    """Scores and decisions of clips by both.

    Args:
        detector: what was exported.
        exported: what became of it.
        waveforms: clips at the detector's rate and of the exported length; at least one.
        machines: of each.
        names: of each, for the error.
        tolerance: largest relative difference of scores; numbers below 1 count as 1.

    Raises:
        InputError: a score or a decision differs; the message says of which clip.
    """
    options = {
        "sample_rate": exported.sample_rate,
        "machine_id": [machine.machine_id for machine in machines],
        "machine_type": [machine.machine_type for machine in machines],
    }
    theirs = detector.judge(list(waveforms), scorer=exported.headline_scorer, **options)
    ours = exported.judge(list(waveforms), **options)
    off = np.abs(ours.scores - theirs.scores) / np.maximum(1, np.abs(theirs.scores))
    alike = np.isnan(ours.scores) & np.isnan(theirs.scores)
    wrong = ~alike & ~(off <= tolerance)
    wrong |= np.ma.filled(ours.is_anomalous, -1) != np.ma.filled(theirs.is_anomalous, -1)
    if wrong.any():
        worst = int(np.argmax(np.where(wrong, np.nan_to_num(off, nan=np.inf), -1)))
        raise InputError(
            f"the exported program does not agree with the detector on {int(wrong.sum())} of {len(names)} clips, most "
            f"on {names[worst]}: it scores {ours.scores[worst]:.6g} where the detector scores "
            f"{theirs.scores[worst]:.6g} (threshold {theirs.thresholds[worst]:.6g}); nothing was written"
        )
    return Agreement(len(names), int(np.sum(theirs.is_anomalous)), float(np.nanmax(off, initial=0.0)))
