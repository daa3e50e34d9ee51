"""The order in which a reader should see the test clips: worst mistakes first."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

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


@dataclasses.dataclass(frozen=True)
class RankedClip:
    """A test clip in the list of a report.

    Attributes:
        index: of the clip among the test clips.
        clip: what its name says of it.
        score: of the headline scorer.
        threshold: of its machine id; infinite where the rule never alarms.
        decision: whether it is called anomalous.
        outcome: one of `OUTCOMES`.
        margin: score minus threshold, in standard deviations of the scores of unseen normal clips of its machine id, so
            that clips of different ids compare.
    """

    index: int
    clip: Clip
    score: float
    threshold: float
    decision: bool
    outcome: str
    margin: float


def rank_clips(
    detector: Detector,
    clips: Sequence[Clip],
    scores: Float[np.ndarray, " n_clips"],
    decisions: Bool[np.ndarray, " n_clips"],
) -> list[RankedClip]:
    """Test clips by how far their score is on the wrong side of the threshold.

    Those without a label come last, the most anomalous first.
    """
    ranked, keys = [], []
    for index, clip in enumerate(clips):
        fitted = detector.fitted[detector.headline_scorer][clip.machine_id]
        score, limit = float(scores[index]), float(fitted.threshold.value)
        # A rule that cannot keep its promise never alarms; then the largest normal score serves to compare clips.
        reached = limit if np.isfinite(limit) else float(fitted.normal_scores[-1])
        spread = float(np.std(fitted.normal_scores)) or abs(reached) or 1.0
        margin = (score - reached) / spread
        decision = bool(decisions[index])
        outcome = OUTCOMES[clip.is_anomaly, decision]
        ranked.append(RankedClip(index, clip, score, limit, decision, outcome, margin))
        # A score that is not finite is worse than any mistake.
        wrong = np.inf if not np.isfinite(margin) else -margin if clip.is_anomaly else margin
        keys.append((clip.is_anomaly is None, -wrong))
    order = sorted(range(len(ranked)), key=keys.__getitem__)
    return [ranked[place] for place in order]
