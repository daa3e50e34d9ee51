"""From fitted representations to verdicts: detectors, their thresholds, the bundle that keeps them, and exported ones.

Names are imported when they are first used: an exported detector (`exported.py`) does without JAX.
"""

from asd_jax import late

__getattr__, __dir__ = late(
    __name__,
    {
        "AT_INITIALISATION": "bundle",
        "LOG_MEL_MEAN": "bundle",
        "Detector": "detector",
        "Detectors": "bundle",
        "FittedScorer": "fitted_scorers",
        "ScorerSpec": "scorer_spec",
        "Verdict": "verdicts",
        "fit_scorers": "fitted_scorers",
        "load_detector": "bundle",
    },
)
