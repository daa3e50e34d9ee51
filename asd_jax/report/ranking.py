"""The order in which a reader should see the test clips: worst mistakes first."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Clip
from asd_jax.detectors.detector import Detector

OUTCOMES = {
    (True, False): "missed",
    (False, True): "false alarm",
    (True, True): "found",
    (False, False): "quiet",
    (None, True): "alarm",
    (None, False): "no alarm",
}
NO_DECISION = "no decision"  # the score is not finite


@dataclasses.dataclass(frozen=True)
class RankedClip:
    """A test clip in the list of a report.

    Attributes:
        index: of the clip among the test clips.
        clip: what its name says of it.
        score: of the headline scorer.
        threshold: of its machine; infinite where the rule never alarms.
        decision: whether it is called anomalous; None where there is no decision.
        outcome: one of `OUTCOMES`, or `NO_DECISION`.
        margin: score minus threshold, in standard deviations of the scores of unseen normal clips of its machine, so
            that clips of different machines compare.
    """

    index: int
    clip: Clip
    score: float
    threshold: float
    decision: bool | None
    outcome: str
    margin: float


def rank_clips(
    detector: Detector,
    clips: Sequence[Clip],
    scores: Float[np.ndarray, " n_clips"],
    decisions: np.ma.MaskedArray,
) -> list[RankedClip]:
    """Test clips by how far their score is on the wrong side of the threshold.

    Those without a label come last, the most anomalous first. Decisions are those of `thresholds.decide`.
    """
    ranked, keys = [], []
    for index, (clip, decision) in enumerate(zip(clips, decisions.tolist(), strict=True)):
        fitted = detector.fitted[detector.headline_scorer][clip.machine]
        score, limit = float(scores[index]), float(fitted.threshold.value)
        # A rule that cannot keep its promise never alarms; then the largest normal score serves to compare clips.
        reached = limit if np.isfinite(limit) else float(fitted.normal_scores[-1])
        spread = float(np.std(fitted.normal_scores)) or abs(reached) or 1.0
        margin = (score - reached) / spread
        outcome = NO_DECISION if decision is None else OUTCOMES[clip.is_anomaly, decision]
        ranked.append(RankedClip(index, clip, score, limit, decision, outcome, margin))
        # A score that is not finite is worse than any mistake.
        wrong = np.inf if not np.isfinite(margin) else -margin if clip.is_anomaly else margin
        keys.append((clip.is_anomaly is None, -wrong))
    order = sorted(range(len(ranked)), key=keys.__getitem__)
    return [ranked[place] for place in order]
