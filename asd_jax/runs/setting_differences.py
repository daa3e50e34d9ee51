"""The settings in which runs differ, from their `config.json`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asd_jax.errors import InputError
from asd_jax.evaluation.results import Results
from asd_jax.report.table import Table
from asd_jax.runs import folder

_ABSENT = "-"
_TAGS = ("kind", "name")  # a part of another kind differs in all that follows, which then says nothing
_LONGEST = 60


def config_of(run: str | Path, results: Results) -> dict[str, Any] | None:
    """What a run was started with: its settings, versions and device; None where that is not kept.

    An evaluation again has no config of its own: it is its run's.

    Args:
        run: folder of the run or evaluation.
        results: of it.
    """
    for place in (run, results.evaluated_run):
        try:
            config = folder.read_config(Path(place)) if place else None
        except InputError:
            continue
        if config is not None:
            kept = {name: config[name] for name in ("experiment", "versions", "device") if name in config}
            return kept | {name: of for name, of in config["settings"].items() if name != "experiment"}
    return None


def setting_differences(configs: Sequence[Mapping[str, Any] | None]) -> list[tuple[str, list[str]]]:
    """Names of the settings that differ, and their values by run, in the order of `config.json`.

    Args:
        configs: of the runs; settings of a run that is None are unknown.
    """
    known = [config for config in configs if config is not None]
    found = _differing(known) if len(known) > 1 else []
    rows = []
    for name, values in found:
        remaining = iter(values)
        rows.append((name, ["unknown" if config is None else next(remaining) for config in configs]))
    return rows


def _differing(parts: Sequence[Any], path: str = "") -> list[tuple[str, list[str]]]:
    if all(part == parts[0] for part in parts):
        return []
    if not all(isinstance(part, Mapping) for part in parts):
        return [(path, [_text(part) for part in parts])]
    for tag in _TAGS:
        tags = [part.get(tag) for part in parts]
        if any(of != tags[0] for of in tags):
            return [(path or tag, [_text(of) for of in tags])]
    keys = dict.fromkeys(key for part in parts for key in part)
    return [
        row
        for key in keys
        for row in _differing([part.get(key, _ABSENT) for part in parts], f"{path}.{key}" if path else key)
    ]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):  # beside runs that have no such part
        value = next((value[tag] for tag in ("label", *_TAGS) if value.get(tag)), value)
    elif isinstance(value, list):
        value = ", ".join(map(_text, value)) or "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def settings_table(names: Sequence[str], configs: Sequence[Mapping[str, Any] | None]) -> Table | None:
    """The differing settings as a table, a column a run; None where there are none."""
    rows = setting_differences(configs)
    if not rows:
        return None
    return Table(["setting", *names], [[name, *values] for name, values in rows], caption="Settings that differ")
