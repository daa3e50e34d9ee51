"""`report.html` of a run, or of recordings scored in service: one file that needs no other and no network.

Names are imported when they are first used: what a monitor shows (`live/`) does without JAX.
"""

from asd_jax import late

__getattr__, __dir__ = late(
    __name__,
    {
        "ScoredRecording": "scored_page",
        "check_can_be_shown": "scored_page",
        "write_report": "run_report",
        "write_scored_report": "scored_page",
    },
)
