"""Ground-truth files: labels, domains and attributes of evaluation clips whose names do not say them.

Read are CSV files below the data directory that are named as the organisers' are:

* `eval_data_list_2020.csv`: a line with the machine's name alone, then `id_01_00000000.wav,normal_id_01_00000098.wav,0`
* `ground_truth_<machine>_section_00_*.csv`: `section_00_0000.wav,1`, the label, or the domain (1 is target) in a folder
  or file whose name holds `domain`; or `section_00_0000.wav,section_00_target_test_anomaly_0000_vel_12`, the true name
"""

import csv
import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.layouts import ClipName, Layout
from asd_jax.datasets.layouts.layout import stem
from asd_jax.datasets.machines import canonical_machine
from asd_jax.errors import InputError

_NAME = re.compile(r"(?:eval_data_list|ground_truth)\w*\.csv")
_MACHINE = re.compile(r"ground_truth_(.+?)_section_\d+")
_WORDS = {
    "is_anomaly": {False: "normal", True: "anomalous"},
    "domain": {"source": "source", "target": "target"},
}


def apply(clips: Sequence[Clip], data_dir: Path, tables: Sequence[str], *, machine: str, layout: Layout) -> list[Clip]:
    """Add to test clips what ground-truth files say of them.

    Args:
        clips: of one machine.
        data_dir: folder that the tables' paths are relative to.
        tables: CSV files; only those named as above are read.
        machine: canonical name.
        layout: that of the clips.

    Raises:
        InputError: a table cannot be read, or contradicts a file's name or another table.
    """
    if layout.parse_test_name is None:
        return list(clips)
    known: dict[str, list[int]] = {}
    for index, clip in enumerate(clips):
        if clip.split == "test":
            known.setdefault(clip.file_name.rsplit("/", 1)[-1], []).append(index)
    result = list(clips)
    said_by: dict[tuple[int, str], str] = {}
    for table in tables:
        if not _NAME.fullmatch(table.rsplit("/", 1)[-1]):
            continue
        for line, name, facts in _rows(data_dir / table, table, machine, layout):
            for index in known.get(name, ()):
                for field, value in facts.items():
                    before = getattr(result[index], field)
                    if before not in (None, "", value) and field in _WORDS:
                        words = _WORDS[field]
                        earlier = said_by.get((index, field), "its name")
                        raise InputError(
                            f"{data_dir / table}, line {line}: {name} is {words[value]} here, but {words[before]} by "
                            f"{earlier}; correct one of them"
                        )
                    result[index] = dataclasses.replace(result[index], **{field: value})
                    said_by.setdefault((index, field), table)
    return result


def _rows(path: Path, table: str, machine: str, layout: Layout) -> list[tuple[int, str, dict[str, Any]]]:
    """Line, clip's name, and facts of each row that is about a machine."""
    heading = match[1] if (match := _MACHINE.match(path.name)) else path.parent.name
    about = canonical_machine(heading) == machine
    field = "domain" if "domain" in table.lower() else "is_anomaly"
    rows = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in (reader := csv.reader(file)):
                cells = [cell.strip() for cell in row if cell.strip()]
                if len(cells) == 1 and not cells[0].endswith(".wav"):
                    about = canonical_machine(cells[0]) == machine
                elif about and len(cells) > 1:
                    facts = {}
                    for cell in cells[1:]:
                        facts |= _facts(cell, field, layout, f"{path}, line {reader.line_num}")
                    rows.append((reader.line_num, cells[0], facts))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a ground-truth table ({error}); fetch it again") from error
    return rows


def _facts(cell: str, field: str, layout: Layout, where: str) -> dict[str, Any]:
    """What one cell says: 0 or 1, or a clip's true name."""
    if cell in ("0", "1"):
        return {field: ("source", "target")[int(cell)] if field == "domain" else cell == "1"}
    true_name: ClipName | None = layout.parse_test_name(stem(cell) if cell.endswith(".wav") else cell)
    if true_name is None or true_name.is_anomaly is None:
        raise InputError(f"{where}: {cell!r} is neither 0, 1 nor the name of a labelled test clip; correct it")
    facts = {"is_anomaly": true_name.is_anomaly, "domain": true_name.domain, "attributes": true_name.attributes}
    return {name: value for name, value in facts.items() if value != ""}
