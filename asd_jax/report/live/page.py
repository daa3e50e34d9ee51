"""The page of a monitor, on loopback: scores against the threshold, what is heard, alarms with picture and sound.

`live.html`, `live.css`, `live.js` and `charts.js` are all that a browser is given; each second they ask `/state.json`
for what is new. Everything from outside, as events have it, reaches the page as JSON and is set as text.
"""

import base64
import errno
import json
import re
import secrets
import threading
import time as clock
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from asd_jax.errors import InputError
from asd_jax.features.shapes import Float
from asd_jax.report.live.history import HOUR_SECONDS, LOWEST_DB, SPECTRUM_SECONDS, STEPS_PER_DB, History
from asd_jax.report.live.server import Answer, LoopbackServer

ALARM_FILES = {"alarm.json": "application/json", "picture.png": "image/png", "sound.flac": "audio/flac"}

_STATIC = {
    "/": ("live.html", "text/html; charset=utf-8"),
    "/live.css": ("live.css", "text/css; charset=utf-8"),
    "/live.js": ("live.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
}
_ALARM = re.compile(r"/alarms/([0-9A-Za-z][0-9A-Za-z_.+-]{0,127})/([a-z]+\.[a-z]+)")
_NUMBER = re.compile(r"[0-9]{1,15}")
_LOOK_AGAIN_SECONDS = 5.0  # which of an alarm's files there are
_MOST_BYTES = 64 * 2**20  # of such a file; a minute of sound has 2 MB


class LivePage:
    """A page that shows what a monitor hears. Whatever its visitors do, the calls below return at once.

    Args:
        port: on 127.0.0.1; 0 for a free one, which `port` then holds.
        title: such as the machine's name.
        kept: the folder that alarms are kept in, each in a folder of its own.
        band_hz: centre of each band of the spectra, in Hz, for their axis.

    Raises:
        InputError: the port is taken or cannot be had.
    """

    def __init__(
        self, port: int, title: str = "", kept: Path | None = None, *, band_hz: Sequence[float] | None = None
    ) -> None:
        package = resources.files(__package__)
        self._static = {path: Answer((package / name).read_bytes(), kind) for path, (name, kind) in _STATIC.items()}
        self._kept = Path(kept) if kept is not None else None
        self._about = {
            "run": secrets.token_hex(8),  # a page that is open sees that the monitor began anew
            "title": title.encode("utf-8", "replace").decode("utf-8"),
            "band_hz": [round(float(hz), 1) for hz in band_hz] if band_hz is not None else None,
            "hour_seconds": HOUR_SECONDS,
            "spectrum_seconds": SPECTRUM_SECONDS,
            "lowest_db": LOWEST_DB,
            "steps_per_db": STEPS_PER_DB,
        }
        self._history = History()
        self._looked, self._there, self._lock = -_LOOK_AGAIN_SECONDS, {}, threading.Lock()  # `files` of a state
        try:
            self._server = LoopbackServer(port, self._answer)
        except (OSError, OverflowError) as error:
            raise InputError(_why_not(port, error)) from error
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)
        self._thread.start()

    def score(self, time: str, seconds: float, score: float, threshold: float, above: bool | None) -> None:
        """A window's score.

        Args:
            time: when the window ended, ISO 8601 in UTC.
            seconds: the same on the clock of the sound.
            score: of the window; one that is not finite leaves a gap.
            threshold: that it is held against.
            above: whether it is above; None where there is no verdict.
        """
        self._history.score(time, seconds, score, threshold, above)

    def spectrum(self, columns: Float[np.ndarray, "n_columns n_bands"]) -> None:
        """What was heard since the last call: columns of a spectrogram in dB, the oldest first, low bands first."""
        self._history.spectrum(columns)

    def event(self, event: Mapping[str, Any]) -> None:
        """What happened, as it stands in a JSON line; an alarm names its `folder` below `kept`."""
        self._history.event(event)
        self._looked = -_LOOK_AGAIN_SECONDS

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str, query: str) -> Answer | None:
        if path in self._static:
            return self._static[path]
        if path == "/state.json":
            return Answer(self._state(query), "application/json")
        asked = _ALARM.fullmatch(path)
        return self._alarm_file(asked[1], asked[2]) if asked else None

    def _alarm_file(self, name: str, file: str) -> Answer | None:
        """A file of an alarm, of three names only, and never one that a link leads to."""
        place = self._place(name, file)
        try:
            if place is None or place.stat().st_size > _MOST_BYTES:
                return None
            return Answer(place.read_bytes(), ALARM_FILES[file], ranges=True)
        except OSError:  # it is taken away just now
            return None

    def _place(self, name: str, file: str) -> Path | None:
        if self._kept is None or file not in ALARM_FILES or not _ALARM.fullmatch(f"/alarms/{name}/{file}"):
            return None
        place = self._kept / name / file
        is_ours = place.is_file() and not place.is_symlink() and not place.parent.is_symlink()
        return place if is_ours else None

    def _state(self, query: str) -> bytes:
        given = dict(parse_qsl(query, max_num_fields=10)) if len(query) < 500 else {}
        known = given.get("run") == self._about["run"]
        names = ("points", "columns", "hours", "events")
        numbers = {name: int(given[name]) for name in names if known and _NUMBER.fullmatch(given.get(name, ""))}
        state = self._history.since(**numbers)
        state["columns"]["new"] = base64.b64encode(state["columns"]["new"]).decode("ascii")
        state |= {"about": self._about, "files": self._files()}
        return json.dumps(state, allow_nan=False, separators=(",", ":")).encode()

    def _files(self) -> dict[str, list[str]]:
        """Which files there are of the alarms among the events: they come a little later, and go when room is made."""
        with self._lock:
            if clock.monotonic() - self._looked > _LOOK_AGAIN_SECONDS:
                folders = self._history.folders()
                self._there = {name: [of for of in ALARM_FILES if self._place(name, of)] for name in folders}
                self._looked = clock.monotonic()
            return self._there


def _why_not(port: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"`page={port}`: the port is taken by another program; choose another"
    if code == errno.EACCES:
        return f"`page={port}`: only an administrator may have this port; choose one above 1023"
    return f"`page={port}`: this cannot be a port; choose one from 1024 to 65535"
