"""MIMII: `0_dB_slider/slider/id_00/{normal,abnormal}/00000000.wav`, eight microphones, no split of its own.

The signal-to-noise ratio is the attribute, as the archive's folder spells it (`0_dB`). One microphone is read, the
first unless `channel` names another: a mean of eight microphones around the machine would cancel what differs in
phase between them.
"""

import re

from asd_jax.datasets.layouts.layout import ClipName, Layout, folders, stem

_ARCHIVE = re.compile(r"(-?\d+_dB)_\w+")
_LABELS = {"normal": False, "abnormal": True}


def parse(relative_path: str) -> ClipName | None:
    """What a path says; None where it is not of this layout."""
    machine, machine_id, label, name = folders(relative_path, 3)
    if not re.fullmatch(r"id_\d{2}", machine_id) or label not in _LABELS or not re.fullmatch(r"\d{8}", stem(name)):
        return None
    archives = [match[1] for part in relative_path.split("/")[:-4] if (match := _ARCHIVE.fullmatch(part))]
    return ClipName(machine, machine_id, "", "", _LABELS[label], (*archives, "")[0])


LAYOUT = Layout("mimii", "MIMII", "0_dB_slider/slider/id_00/normal/00000000.wav", parse, channel="0")
