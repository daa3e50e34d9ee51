"""ToyADMOS: `ToyCar/case1/NormalSound_IND/1100010001_ToyCar_case1_normal_IND_ch1_0001.wav`, no split of its own.

A case is a machine id. Each of the microphones (`ch1` to `ch4`) has a file of its own; to take all would put the same
event into train and test, so one is kept. Continuous recordings (`_CNT`) are left out.
"""

import re

from asd_jax.datasets.layouts.layout import ClipName, Layout, folders, stem

_LABELS = {"NormalSound_IND": False, "AnomalousSound_IND": True}
_CHANNEL = re.compile(r"(?:^|_)(ch\d+)(?:_|$)")


def parse(relative_path: str) -> ClipName | None:
    """What a path says; None where it is not of this layout. The attribute is the microphone, where it is named."""
    machine, case, kind, name = folders(relative_path, 3)
    if not re.fullmatch(r"case\d+", case) or kind not in _LABELS:
        return None
    channel = _CHANNEL.search(stem(name))
    return ClipName(machine, case, "", "", _LABELS[kind], channel[1] if channel else "")


def is_of_channel(name: ClipName, channel: str) -> bool:
    """Whether a file is of the microphone that is asked for, from 0; a mean of several files there is not."""
    return channel != "mix" and name.attributes in ("", f"ch{int(channel) + 1}")


LAYOUT = Layout(
    "toyadmos",
    "ToyADMOS",
    "ToyCar/case1/NormalSound_IND/1100010001_ToyCar_case1_normal_IND_ch1_0001.wav",
    parse,
    channel="0",
    is_of_channel=is_of_channel,
)
