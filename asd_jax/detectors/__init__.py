"""From fitted representations to verdicts: detectors, their thresholds, the bundle that keeps them, and exported ones.

Names are imported when they are first used: an exported detector (`exported.py`) does without JAX.
"""

import importlib
from typing import Any

_FILES = {
    "AT_INITIALISATION": "bundle",
    "LOG_MEL_MEAN": "bundle",
    "Detector": "detector",
    "Detectors": "bundle",
    "FittedScorer": "fitted_scorers",
    "ScorerSpec": "scorer_spec",
    "Verdict": "verdicts",
    "fit_scorers": "fitted_scorers",
    "load_detector": "bundle",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)


def __dir__() -> list[str]:
    return list(_FILES)
