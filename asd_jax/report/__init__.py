"""`report.html` of a run, or of recordings scored in service: one file that needs no other and no network.

Names are imported when they are first used: what a monitor shows (`live/`) does without JAX.
"""

import importlib
from typing import Any

_FILES = {
    "ScoredRecording": "scored_page",
    "check_can_be_shown": "scored_page",
    "write_report": "run_report",
    "write_scored_report": "scored_page",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)


def __dir__() -> list[str]:
    return list(_FILES)
