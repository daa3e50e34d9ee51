"""DCASE 2022 to 2026 Task 2: `<machine>/{train,test}/section_00_source_train_normal_0000_<attributes>.wav`.

Clips without attributes end in `noAttribute`; evaluation test clips are `test/section_00_0000.wav`, and their labels,
domains and attributes are in ground-truth files. Clips in `supplemental/`, which 2025 has (the machine without noise,
or noise alone: `section_00_machine_source_0000_noAttribute.wav`, `section_00_noise_...`), are not for the test, and
for training only where that is asked for.

Only the recordings of 2026 are stereo. Channel 0 is the microphone near the machine, channel 1 hears the hall; the
official baseline reads channel 0 alone, we read it without what channel 1 explains.
"""

import re

from asd_jax.datasets.layouts import sections
from asd_jax.datasets.layouts.layout import ClipName, Layout, folders, stem

# Clips with other words are counted and never used.
_SUPPLEMENTAL = re.compile(r"(?P<section>section_\d{2})_(?P<kind>[a-z]+)?(?:_(?P<domain>source|target))?")
_KINDS = {"machine": "clean_machine", "clean": "clean_machine", "noise": "noise"}


def parse(relative_path: str) -> ClipName | None:
    """What a path says; None where it is not of this layout."""
    machine, split, name = folders(relative_path, 2)
    if split == "supplemental" and (match := _SUPPLEMENTAL.match(name)):
        return ClipName(machine, match["section"], match["domain"] or "", split, None, _KINDS.get(match["kind"], ""))
    clip = sections.parse_name(stem(name))
    if clip is None or clip.split != split:
        return None
    return clip._replace(machine_type=machine)


LAYOUT = Layout(
    "dcase2022",
    "DCASE 2022 to 2026 Task 2",
    "fan/test/section_00_target_test_anomaly_0000_noAttribute.wav",
    parse,
    parse_test_name=sections.parse_test_name,
    channel_of_two="0",
    far_of_two="1",
)
