"""Any folder: `normal/` and perhaps `abnormal/`, or `train/` and `test/` with those words in folders or names.

    press/normal/monday.flac             press/train/monday.flac
    press/normal/week 2/tuesday.flac     press/test/normal_friday.flac
    press/abnormal/worn_bearing.flac     press/test/anomaly_1.flac

`good` and `ok` are normal; `bad`, `fault`, `faulty`, `defect` and `defective` abnormal. Any case will do. A folder
counts where its name is made of these words alone (`Normal`, `test_abnormal`), a file's name
where it holds one of the labels' words. The folder above the outermost of them names the machine. Without `train/` and
`test/` the split is ours (see `splitting`). A folder of recordings and nothing else is all normal.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from asd_jax.datasets.layouts.layout import ClipName, Layout, stem
from asd_jax.datasets.machines import (
    explicit_id_in,
    is_date,
    is_machine_id,
    machine_id_in,
    number_may_be_of_a_date,
    numbered_in,
    type_in,
)
from asd_jax.errors import InputError

_LABELS = dict.fromkeys(("normal", "good", "ok"), False) | dict.fromkeys(
    ("abnormal", "anomaly", "anomalous", "anomalies", "bad", "faulty", "fault", "defect", "defective"), True
)
_SPLITS = ("train", "test")
_MANY_IDS = 5  # from names alone, with one recording each: then the numbers hardly are those of machines
_ONLY_ID = "id_00"  # where no id is named, all recordings are of one machine


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", name.lower())


def _keywords(folder: str) -> list[str]:
    """The words of a folder's name where all of them are ours, else none."""
    words = _words(folder)
    return words if all(word in _LABELS or word in _SPLITS for word in words) else []


def parse(relative_path: str) -> ClipName | None:
    """What a path says; None where none of the words is in it.

    Raises:
        InputError: the path says both normal and anomalous, or both train and test.
    """
    *parts, name = relative_path.split("/")
    kept = {index: words for index, part in enumerate(parts) if (words := _keywords(part))}
    in_folders = [word for words in kept.values() for word in words]
    labels = {_LABELS[word] for word in [*in_folders, *_words(stem(name))] if word in _LABELS}
    splits = {word for word in in_folders if word in _SPLITS}
    if len(labels) > 1 or len(splits) > 1:
        both = "both normal and anomalous" if len(labels) > 1 else "both train and test"
        raise InputError(f"{relative_path}: folders and name say {both}; rename it")
    if not labels and not splits:
        return None
    split = (*splits, "")[0]
    above = parts[: min(kept)] if kept else parts
    machine = [part for part in above if not is_machine_id(part) and not is_date(part)]
    # Training recordings are normal unless their name says otherwise, which is an error later on.
    label = labels.pop() if labels else (False if split == "train" else None)
    return ClipName((machine or [""])[-1], machine_id_in(relative_path) or _ONLY_ID, "", split, label, "")


def flat(names: Sequence[str]) -> dict[str, ClipName]:
    """A folder of recordings and nothing else: all normal. Nothing where some lie in folders, which may mean more."""
    if any("/" in name for name in names):
        return {}
    return {name: ClipName("", machine_id_in(name) or _ONLY_ID, "", "", False, "") for name in names}


def by_types_in_names(names: Mapping[str, ClipName]) -> dict[str, ClipName]:
    """Recordings of no machine's folder told apart where their names begin with different machine types."""
    types = {path: type_in(path) for path, said in names.items() if not said.machine_type}
    several = len(set(types.values()) - {""}) > 1
    return {
        path: said._replace(machine_type=types[path]) if several and path in types else said
        for path, said in names.items()
    }


def numbered(paths: Iterable[str]) -> tuple[str, ...]:
    """A line that says which machine ids come of a type and a number in front of names; none where there are none.

    Raises:
        InputError: the numbers may as well be of dates, or of the recordings, and would make a machine of each.
    """
    found = {path: name for path in paths if explicit_id_in(path) is None and (name := numbered_in(path))}
    count = Counter(found.values())
    dates = [path for path in found if number_may_be_of_a_date(path)]
    if len(count) > 1 and dates:
        raise InputError(
            f"{dates[0]}: the first number is that of a machine ({found[dates[0]]}), or all three are a date or time; "
            "write numbers of machines as id_12, or dates as 2024-05-12"
        )
    if len(count) >= _MANY_IDS and max(count.values()) == 1:
        names = ", ".join(list(found)[:3])
        raise InputError(
            f"{names}, ...: {len(count)} machines with one recording each, or recordings of one machine, which the "
            "numbers in their names count; write numbers of machines as id_12, or put those of recordings at the end"
        )
    if not count:
        return ()
    read = ", ".join(f"{name} ({n})" for name, n in sorted(count.items()))
    return (f"note: machine ids read from names, with their recordings: {read}",)


LAYOUT = Layout("any_folder", "any folder", "press/normal/monday.wav, press/abnormal/worn.wav", parse, names_once=False)
