"""Names of machine types: the field's words, and the names that releases give their folders."""

import re
import unicodedata
from pathlib import PurePosixPath

# Only names that spelling alone does not map: ToyCar is toy_car without help.
_ALIASES = {
    "slider": "slide_rail",
    "slider_emu": "slide_rail_emu",
    "sliderail": "slide_rail",
    "3_d_printer": "3d_printer",
}
_MACHINE_ID = re.compile(r"(?<![a-z])(?:id|section)_\d{1,2}(?!\d)")
# Dates and times of day in names: with a year of four digits, or two-digit numbers that hyphens, dots or colons join.
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-_.]?)(?:0\d|1[0-2])\1(?:[0-2]\d|3[01])|\d{1,2}([-_.])\d{1,2}\2(?:19|20)\d\d"
    r"|\d{1,2}([-.:])\d{1,2}\3\d{2})(?!\d)"
)
_THREE_NUMBERS = re.compile(r"\d{1,2}_\d{1,2}_\d{1,2}(?!\d)")  # which may be a date or a time, too
# Types of machines whose names begin the files of people who have several: those of the public releases, and their kin.
KNOWN_TYPES = frozenset(
    [
        "3d_printer",
        "air_compressor",
        "band_sealer",
        "bandsaw",
        "bearing",
        "brushless_motor",
        "coffee_grinder",
        "compressor",
        "conveyor",
        "fan",
        "gearbox",
        "grinder",
        "hair_dryer",
        "lathe",
        "motor",
        "polisher",
        "press",
        "pump",
        "robotic_arm",
        "sander",
        "scanner",
        "screw_feeder",
        "sewing_machine",
        "shaker",
        "slide_rail",
        "slider",
        "tooth_brush",
        "toy_car",
        "toy_conveyor",
        "toy_drone",
        "toy_train",
        "turbine",
        "vacuum",
        "valve",
    ]
)


def canonical_machine(name: str) -> str:
    """Canonical name of a machine type: `slider` is `slide_rail`, `ToyCar` is `toy_car`."""
    name = unicodedata.normalize("NFC", name.strip())  # macOS spells an umlaut in two characters
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s-]+", "_", name).lower()
    return _ALIASES.get(words, words)


def explicit_id_in(path: str) -> str | None:
    """The machine id or section that a path names, such as `id_00`; in any case, the innermost part that names one."""
    for part in reversed(PurePosixPath(path.lower()).parts):
        if found := _MACHINE_ID.search(part):
            return found[0]
    return None


def machine_id_in(path: str) -> str | None:
    """The machine id that a path names, or a known machine type and number that begin its name: `pump_2_monday.wav`.

    A number that ends the name is that of the recording, and one of a date is none (`fan_12-05-2024.wav`).
    """
    return explicit_id_in(path) or numbered_in(path)


def numbered_in(path: str) -> str | None:
    """The known machine type and number that begin a name, such as `pump_2` in `pump_2_2024-05-01.wav`."""
    kind, words = _type_in_front(path)
    return f"{kind}_{words[0]}" if kind and len(words) > 1 and re.fullmatch(r"\d{1,2}", words[0]) else None


def number_may_be_of_a_date(path: str) -> bool:
    """Whether the number after the type is one of three that may be a date or a time: `fan_12_05_24.wav`."""
    return bool(_THREE_NUMBERS.match("_".join(_type_in_front(path)[1])))


def is_date(name: str) -> bool:
    """Whether a folder's name is a date or a time and nothing else."""
    return _DATE.fullmatch(name.strip()) is not None


def type_in(path: str) -> str:
    """The known machine type that the name of a path begins with, such as `pump`; empty where there is none."""
    return _type_in_front(path)[0]


def _type_in_front(path: str) -> tuple[str, list[str]]:
    """The known machine type that a name begins with, and the words after it."""
    stem = _DATE.sub(" date ", PurePosixPath(path).stem)
    stem = re.sub(r"(?<=[A-Za-z])(?=\d)", "_", stem)
    words = [word for word in canonical_machine(stem).split("_") if word]
    for count in (2, 1):
        kind = canonical_machine("_".join(words[:count]))
        if kind in KNOWN_TYPES:
            return kind, words[count:]
    return "", words


def is_machine_id(name: str) -> bool:
    """Whether a folder's name is a machine id and nothing else."""
    return _MACHINE_ID.fullmatch(name.lower()) is not None
