"""From fitted representations to verdicts: detectors, their thresholds, and the bundle that keeps them."""

from asd_jax.detectors.bundle import AT_INITIALISATION, LOG_MEL_MEAN, Detectors, load_detector
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import FittedScorer, fit_scorers
from asd_jax.detectors.scorer_spec import ScorerSpec
from asd_jax.detectors.verdicts import Verdict

__all__ = [
    "AT_INITIALISATION",
    "LOG_MEL_MEAN",
    "Detector",
    "Detectors",
    "FittedScorer",
    "ScorerSpec",
    "Verdict",
    "fit_scorers",
    "load_detector",
]
