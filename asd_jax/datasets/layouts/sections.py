"""Names of clips in DCASE Task 2 from 2021 on: `section_00_source_train_normal_0000_<attributes>`."""

import re

from asd_jax.datasets.layouts.layout import ClipName

_NAME = re.compile(
    r"(?P<section>section_\d{2})_(?P<domain>source|target)_(?P<split>train|test)"
    r"(?:_(?P<label>normal|anomaly))?_\d{4}(?:_(?P<attributes>.+))?"
)
_ANONYMOUS = re.compile(r"(?P<section>section_\d{2})(?:_test)?_\d{4}")
_LABELS = {"normal": False, "anomaly": True, None: None}


def parse_name(name: str) -> ClipName | None:
    """What a clip's name without its ending says; in evaluation sets label and domain may be missing."""
    match = _NAME.fullmatch(name)
    if match:
        section, domain, split, label, attributes = match.groups()
        return ClipName("", section, domain, split, _LABELS[label], attributes or "")
    match = _ANONYMOUS.fullmatch(name)
    return match and ClipName("", match["section"], "", "test", None, "")


def parse_test_name(name: str) -> ClipName | None:
    """What a test clip's name says; None for a training clip's."""
    clip = parse_name(name)
    return clip if clip and clip.split == "test" else None
