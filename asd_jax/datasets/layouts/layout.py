"""What a folder layout is: a name, an example, and a pure function from a path to what the path says."""

import dataclasses
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple


class ClipName(NamedTuple):
    """What a recording's path says of it.

    Attributes:
        machine_type: as the folder spells it; empty where the path does not reach up to it.
        machine_id: machine id or section, such as `id_00` or `section_00`.
        domain: `source`, `target`, or empty.
        split: `train`, `test`, `supplemental` (neither trained on nor tested), or empty where the layout leaves the
            split to us (see `splitting`).
        is_anomaly: the label; None where the path does not say it.
        attributes: what else it says, as it is spelt there.
    """

    machine_type: str
    machine_id: str
    domain: str
    split: str
    is_anomaly: bool | None
    attributes: str


@dataclasses.dataclass(frozen=True)
class Layout:
    """A way to arrange recordings in folders.

    Attributes:
        name: as the setting `dataset` takes it.
        title: as messages call it.
        example: a path, as messages show it.
        parse: what a path relative to the data directory says; None where it is not of this layout. Raises
            InputError where the path contradicts itself.
        parse_test_name: what a test clip's name (without its ending) says, for the true names in ground-truth files;
            None for layouts without such files.
        channel: the channel that is read unless another is asked for.
        channel_of_two: the same, where recordings have two.
        far_of_two: the microphone far from the machine there; `none` where there is no such thing.
        is_of_channel: for layouts with a file for each channel: whether what a path says is of the channel asked for.
        names_once: whether a file name comes only once for a machine id, split and label.
    """

    name: str
    title: str
    example: str
    parse: Callable[[str], ClipName | None]
    parse_test_name: Callable[[str], ClipName | None] | None = None
    channel: str = "mix"
    channel_of_two: str = "mix"
    far_of_two: str = "none"
    is_of_channel: Callable[[ClipName, str], bool] | None = None
    names_once: bool = True


def stem(name: str) -> str:
    """A file's name without its ending: attributes may hold dots (`volt_1.5.wav`), only the last one ends them."""
    return PurePosixPath(name).stem


def folders(relative_path: str, count: int) -> list[str]:
    """The innermost `count` folders of a path and its name, empty where there is no such folder."""
    parts = relative_path.split("/")
    return [*[""] * (count + 1 - len(parts)), *parts[-count - 1 :]]
