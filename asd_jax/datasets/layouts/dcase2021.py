"""DCASE 2021 Task 2: `<machine>/{train,source_test,target_test}/section_00_source_test_anomaly_0000.wav`."""

from asd_jax.datasets.layouts import sections
from asd_jax.datasets.layouts.layout import ClipName, Layout, folders, stem

_FOLDERS = {"train": ("train", ("source", "target")), "source_test": ("test", ("source",))}
_FOLDERS["target_test"] = ("test", ("target",))


def parse(relative_path: str) -> ClipName | None:
    """What a path says; None where it is not of this layout."""
    machine, folder, name = folders(relative_path, 2)
    clip = sections.parse_name(stem(name))
    split, domains = _FOLDERS.get(folder, ("", ()))
    if clip is None or clip.split != split or clip.domain not in domains:
        return None
    return clip._replace(machine_type=machine)


LAYOUT = Layout(
    "dcase2021",
    "DCASE 2021 Task 2",
    "fan/source_test/section_00_source_test_normal_0000.wav",
    parse,
    parse_test_name=sections.parse_test_name,
)
