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

    A number that ends the name is that of the recording.
    """
    if found := explicit_id_in(path):
        return found
    kind, words = _type_in_front(path)
    return f"{kind}_{words[0]}" if kind and len(words) > 1 and re.fullmatch(r"\d{1,2}", words[0]) else None


def type_in(path: str) -> str:
    """The known machine type that the name of a path begins with, such as `pump`; empty where there is none."""
    return _type_in_front(path)[0]


def _type_in_front(path: str) -> tuple[str, list[str]]:
    """The known machine type that a name begins with, and the words after it."""
    stem = re.sub(r"(?<=[A-Za-z])(?=\d)", "_", PurePosixPath(path).stem)
    words = canonical_machine(stem).split("_")
    for count in (2, 1):
        kind = canonical_machine("_".join(words[:count]))
        if kind in KNOWN_TYPES:
            return kind, words[count:]
    return "", words


def is_machine_id(name: str) -> bool:
    """Whether a folder's name is a machine id and nothing else."""
    return _MACHINE_ID.fullmatch(name.lower()) is not None
