"""Which recordings a run heard, so that no later evaluation tests it on those that it was trained on.

Where recordings come without a split into train and test, the one by seed moves some of them when others are added, or
when the folder is opened through the one above it. `recordings.csv` in the run's folder knows them by their content.
"""

import csv
import dataclasses
import hashlib
import io
from pathlib import Path

import numpy as np

from asd_jax import files
from asd_jax.datasets import Clip, Dataset
from asd_jax.datasets.duplicates import fingerprint
from asd_jax.datasets.supplemental import SPLIT

FILE = "recordings.csv"


class _Fingerprints:
    """What tells recordings apart whatever they are called: their bytes, or the vectors that stand for them."""

    def __init__(self, dataset: Dataset, data_dir: str | Path | None) -> None:
        self._data_dir, self._vectors = data_dir, {}
        if dataset.vectors is not None:
            self._vectors = {clip.recording: dataset.vectors[clip.file_name] for clip in dataset.clips}

    def of(self, name: str) -> str | None:
        """Of a recording; None for what cannot be read."""
        if name in self._vectors:
            return hashlib.sha256(np.asarray(self._vectors[name], np.float32).tobytes()).hexdigest()[:32]
        return fingerprint(Path(self._data_dir) / name)


def write_recordings(run: Path, dataset: Dataset, data_dir: str | Path | None, *, labelled_train: bool = False) -> None:
    """Write the file name, split and fingerprint of each recording, or vector; nothing where neither is on disk.

    Args:
        run: its folder.
        dataset: of the run.
        data_dir: where the recordings are.
        labelled_train: whether labelled test recordings were trained on too.
    """
    if data_dir is None and dataset.vectors is None:
        return
    known = _Fingerprints(dataset, data_dir)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file_name", "split", "fingerprint"])

    def split_of(clip: Clip) -> str:
        return "train" if labelled_train and clip.is_anomaly is not None else clip.split

    for name, split in dict.fromkeys((clip.recording, split_of(clip)) for clip in dataset.clips):
        writer.writerow([name, split, known.of(name) or ""])
    files.write_text(run / FILE, text.getvalue())


def without_trained_on(dataset: Dataset, data_dir: str | Path | None, run: Path) -> tuple[Dataset, list[str]]:
    """The data set without test recordings that a run was trained on, and the names of these.

    A recording that the run itself tested stays, though the same were in its training too: the run has warned of it.
    """
    if (data_dir is None and dataset.vectors is None) or not (run / FILE).is_file():
        return dataset, []
    known = _Fingerprints(dataset, data_dir)
    with (run / FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    trained = {row["fingerprint"] for row in rows if row["split"] in ("train", SPLIT)} - {""}
    tested = {(row["file_name"], row["fingerprint"]) for row in rows if row["split"] == "test"}
    left_out = []
    for name in dict.fromkeys(clip.recording for clip in dataset.split("test")):
        found = known.of(name)
        if found in trained and (name, found) not in tested:
            left_out.append(name)
    gone = set(left_out)
    kept = tuple(clip for clip in dataset.clips if clip.split != "test" or clip.recording not in gone)
    return dataclasses.replace(dataset, clips=kept), left_out
