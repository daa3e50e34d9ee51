"""The thresholds of a scorer: those kept, and any other rule fitted on the scores of normal clips that it holds."""

import dataclasses
from typing import Any

import numpy as np

from asd_jax.detectors import thresholds
from asd_jax.detectors.thresholds import Source, Threshold
from asd_jax.features.shapes import Float


class Calibrated:
    """What a score is held against; shared by fitted scorers and those of exported files.

    Attributes:
        normal_scores: sorted scores of normal clips that the scorer was not fitted on.
        threshold: fitted on them; it decides.
        other_thresholds: by the other rules that are reported.
        validation_scores: of clips that neither the scorer nor the network was fitted on; None where there are none.
    """

    normal_scores: Float[np.ndarray, " n_normal"]
    threshold: Threshold
    other_thresholds: tuple[Threshold, ...]
    validation_scores: Float[np.ndarray, " n_validation"] | None

    def at(self, rule: str) -> Threshold:
        """The threshold of a rule, fitted anew where it is none of those kept.

        `conformal` takes validation clips where there are some, since its promise is exact for them alone.
        """
        for threshold in (self.threshold, *self.other_thresholds):
            if threshold.name == rule:
                return threshold
        return fit_threshold(rule, self.normal_scores, self.validation_scores, self.threshold.source)

    def deciding_by(self, rule: str) -> "Calibrated":
        """The same with another rule for its decisions, which are of clips."""
        if rule == self.threshold.name:
            return self
        chosen = self.at(rule)
        others = tuple(known for known in (self.threshold, *self.other_thresholds) if known.name != rule)
        return dataclasses.replace(self, threshold=chosen, other_thresholds=others, **self._not_by_another_rule())

    def _not_by_another_rule(self) -> dict[str, Any]:
        """Fields that hold under the rule alone."""
        return {}


def fit_threshold(rule: str, scores: np.ndarray, validation: np.ndarray | None, source: Source) -> Threshold:
    """The threshold of a rule on the scores that it rests on."""
    if validation is not None and thresholds.parse(rule)[0] == "conformal":
        return thresholds.fit(rule, validation, source=Source.VALIDATION)
    return thresholds.fit(rule, scores, source=source)
