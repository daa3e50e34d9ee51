"""Which recordings a run heard, so that no later evaluation tests it on those that it was trained on.

Where recordings come without a split into train and test, the one by seed moves some of them when others are added, or
when the folder is opened through the one above it. `recordings.csv` in the run's folder knows them by their content.
"""

import csv
import dataclasses
import io
from pathlib import Path

from asd_jax import files
from asd_jax.datasets import Dataset
from asd_jax.datasets.duplicates import fingerprint

FILE = "recordings.csv"


def write_recordings(run: Path, dataset: Dataset, data_dir: str | Path | None) -> None:
    """Write the file name, split and fingerprint of each recording; nothing for recordings that are not on disk."""
    if data_dir is None:
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file_name", "split", "fingerprint"])
    for name, split in dict.fromkeys((clip.recording, clip.split) for clip in dataset.clips):
        writer.writerow([name, split, fingerprint(Path(data_dir) / name) or ""])
    files.write_text(run / FILE, text.getvalue())


def without_trained_on(dataset: Dataset, data_dir: str | Path | None, run: Path) -> tuple[Dataset, list[str]]:
    """The data set without test recordings that a run was trained on, and the names of these.

    A recording that the run itself tested stays, though the same were in its training too: the run has warned of it.
    """
    if data_dir is None or not (run / FILE).is_file():
        return dataset, []
    with (run / FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    trained = {row["fingerprint"] for row in rows if row["split"] == "train"} - {""}
    tested = {(row["file_name"], row["fingerprint"]) for row in rows if row["split"] == "test"}
    left_out = []
    for name in dict.fromkeys(clip.recording for clip in dataset.split("test")):
        found = fingerprint(Path(data_dir) / name)
        if found in trained and (name, found) not in tested:
            left_out.append(name)
    gone = set(left_out)
    kept = tuple(clip for clip in dataset.clips if clip.split != "test" or clip.recording not in gone)
    return dataclasses.replace(dataset, clips=kept), left_out
