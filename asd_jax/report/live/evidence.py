"""What is kept of alarms: a folder each, whole or not there, within bounds of space and time."""

import json
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.errors import InputError
from asd_jax.features.shapes import Float
from asd_jax.files import not_written

ALARM, SOUND, PICTURE = "alarm.json", "sound.flac", "picture.png"
_NAME = re.compile(r"\d{8}T\d{6}Z_\d{4,}")
_DAY = 86_400.0


class Kept:
    """The folders of alarms below one folder.

    Args:
        folder: made where it is missing.
        most_bytes: what all of them may take; the oldest go first.
        days: after which one is taken away.
        now: seconds since 1970, by which they are dated.

    Raises:
        InputError: the folder cannot be written.
    """

    def __init__(self, folder: Path, *, most_bytes: float, days: float, now: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._most_bytes, self._days, self._now = most_bytes, days, now
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_written(folder, error) from error
        for aside in folder.glob(".*.aside"):  # of a monitor that was killed while it wrote
            shutil.rmtree(aside, ignore_errors=True)
        self._number = max((int(of.name.rsplit("_", 1)[1]) for of in self._there()), default=0)
        self.prune()

    def next_name(self) -> str:
        """The name of the next alarm's folder: the time (UTC), which may be set back, and a number, which is not."""
        self._number += 1
        return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(self._now()))}_{self._number:04d}"

    def keep(
        self,
        name: str,
        alarm: Mapping[str, Any],
        *,
        picture: bytes,
        sound: Float[np.ndarray, " n_samples"] | None = None,
        sample_rate: int = 0,
    ) -> None:
        """Write the folder of an alarm, then take away what is too much or too old.

        Args:
            name: from `next_name`.
            alarm: plain values, as JSON.
            picture: PNG.
            sound: around the alarm; None to keep none.
            sample_rate: of it, in Hz.

        Raises:
            InputError: it cannot be written, such as on a full disk; nothing of it is left then.
        """
        aside = self.folder / f".{name}.aside"
        try:
            aside.mkdir(parents=True)
            (aside / PICTURE).write_bytes(picture)
            if sound is not None and len(sound):
                _write_flac(aside / SOUND, sound, sample_rate)
            (aside / ALARM).write_text(json.dumps(alarm, indent=2) + "\n", encoding="utf-8")
            aside.rename(self.folder / name)
        except (OSError, RuntimeError) as error:  # of soundfile
            cause = error if isinstance(error, OSError) else OSError(None, str(error))
            raise not_written(self.folder / name, cause) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        self.prune()

    def prune(self) -> None:
        """Take away the oldest folders until the rest is young and small enough."""
        there = sorted(self._there(), key=lambda of: int(of.name.rsplit("_", 1)[1]))
        found = [_size_and_time(of) for of in there]
        total = sum(size for size, _ in found)
        for folder, (size, changed) in zip(there, found, strict=True):
            if total > self._most_bytes or self._now() - changed > self._days * _DAY:
                shutil.rmtree(folder, ignore_errors=True)
                total -= size

    def _there(self) -> list[Path]:
        """Folders of alarms; anything else in the folder is not ours, and stays."""
        return [Path(entry.path) for entry in os.scandir(self.folder) if entry.is_dir() and _NAME.fullmatch(entry.name)]


def _size_and_time(folder: Path) -> tuple[int, float]:
    """Bytes of a folder's files, and when it was written; of one that someone takes away just now, nothing."""
    try:
        return sum(file.stat().st_size for file in folder.iterdir()), folder.stat().st_mtime
    except OSError:
        return 0, math.inf


def _write_flac(path: Path, sound: np.ndarray, sample_rate: int) -> None:
    try:
        import soundfile  # late: whoever keeps no sound needs none
    except ImportError as error:
        raise InputError("keeping sound needs soundfile; pip install soundfile, or `keep_sound=False`") from error
    soundfile.write(path, np.clip(sound, -1.0, 1.0), sample_rate, format="FLAC", subtype="PCM_16")
