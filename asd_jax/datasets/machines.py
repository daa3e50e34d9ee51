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
_MACHINE_ID = re.compile(r"(?<![a-z])(?:id|section)_\d+(?!\d)")
# Types of machines whose names begin the files of people who have several: those of the public releases, and their kin.
KNOWN_TYPES = frozenset(
    "3d_printer air_compressor band_sealer bandsaw bearing brushless_motor coffee_grinder compressor conveyor fan gearbox "
    "grinder hair_dryer lathe motor polisher press pump robotic_arm sander scanner screw_feeder sewing_machine shaker "
    "slide_rail slider tooth_brush toy_car toy_conveyor toy_drone toy_train turbine vacuum valve".split()
)


def canonical_machine(name: str) -> str:
    """Canonical name of a machine type: `slider` is `slide_rail`, `ToyCar` is `toy_car`."""
    name = unicodedata.normalize("NFC", name.strip())  # macOS spells an umlaut in two characters
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s-]+", "_", name).lower()
    return _ALIASES.get(words, words)


def machine_id_in(path: str) -> str | None:
    """The machine id or section that a path names, such as `id_00`; in any case, the innermost part that names one."""
    for part in reversed(PurePosixPath(path.lower()).parts):
        if found := _MACHINE_ID.search(part):
            return found[0]
    return None


def type_and_number(name: str) -> tuple[str, str | None] | None:
    """The known machine type that a file's name begins with, and the number right after it; `pump_2` is pump, 2."""
    words = canonical_machine(re.sub(r"(?<=[A-Za-z])(?=\d)", "_", name)).split("_")
    for count in (2, 1):
        kind = canonical_machine("_".join(words[:count]))
        if kind in KNOWN_TYPES:
            number = words[count] if len(words) > count and re.fullmatch(r"\d{1,2}", words[count]) else None
            return kind, number
    return None


def is_machine_id(name: str) -> bool:
    """Whether a folder's name is a machine id and nothing else."""
    return _MACHINE_ID.fullmatch(name.lower()) is not None
