"""DCASE 2020 Task 2: `<machine>/{train,test}/normal_id_00_00000000.wav`; an evaluation test clip `id_01_00000000.wav`.

Clips that lie in the machine's folder itself, as in excerpts of the release, have no split of their own.
"""

import re

from asd_jax.datasets.layouts.layout import ClipName, Layout, folders, stem

_NAME = re.compile(r"(?:(?P<label>normal|anomaly)_)?(?P<machine_id>id_\d{2})_\d{8}")
_LABELS = {"normal": False, "anomaly": True, None: None}


def parse_test_name(name: str) -> ClipName | None:
    """What a test clip's name says."""
    match = _NAME.fullmatch(name)
    return match and ClipName("", match["machine_id"], "", "test", _LABELS[match["label"]], "")


def parse(relative_path: str) -> ClipName | None:
    """What a path says; None where it is not of this layout."""
    machine, split, name = folders(relative_path, 2)
    clip = parse_test_name(stem(name))
    if clip is None:
        return None
    if split in ("train", "test"):
        return clip._replace(machine_type=machine, split=split)
    return None if clip.is_anomaly is None else clip._replace(machine_type=split, split="")


LAYOUT = Layout(
    "dcase2020", "DCASE 2020 Task 2", "fan/train/normal_id_00_00000000.wav", parse, parse_test_name=parse_test_name
)
