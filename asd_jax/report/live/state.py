"""What a monitor leaves to the next one: its clock, what it knows of drift, which recordings it has heard."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.detectors.stream.drift import Drift, DriftRule, normal_spread
from asd_jax.errors import InputError
from asd_jax.features.shapes import Float
from asd_jax.files import write_text


class State:
    """Kept in one small file.

    Args:
        path: of the file.
        detector: from `monitor.identity`; of another detector only the clock and the recordings hold.
        saved: what the file held.
    """

    def __init__(self, path: Path, detector: str, saved: dict[str, Any]) -> None:
        self._path, self._detector = path, detector
        self.clock = float(saved.get("clock", 0.0))
        since = saved.get("since")
        self.since = None if since is None else float(since)
        self._drift = saved.get("drift") if saved.get("detector") == detector else None

    @classmethod
    def read(cls, path: Path, detector: str) -> "State":
        """What the file holds; nothing where there is none.

        Raises:
            InputError: it is damaged.
        """
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, detector, saved)
        except FileNotFoundError:
            return cls(path, detector, {})
        except (ValueError, AttributeError, TypeError) as error:
            raise InputError(f"{path} is damaged; delete it, and the two days of drift begin anew") from error

    def drift(self, normal_scores: Float[np.ndarray, " n_normal"]) -> Drift:
        """The watch for drift, going on where it was left."""
        if self._drift is None:
            return Drift(DriftRule(), spread=normal_spread(normal_scores))
        return Drift.from_state(DriftRule(), self._drift)

    def heard(self, changed: float) -> None:
        """Note the time of the latest recording that was heard."""
        self.since = changed

    def write(self, clock: float, drift: Drift) -> None:
        """Keep it.

        Raises:
            InputError: it cannot be written.
        """
        saved = {"detector": self._detector, "clock": clock, "since": self.since, "drift": drift.state()}
        write_text(self._path, json.dumps(saved) + "\n")
