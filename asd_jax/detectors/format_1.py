"""Bundles of format 1 as they would be written today.

There scorers were kept by machine id alone, roles were prefixes of names, and thresholds spoke in words.
"""

import json
import re
from pathlib import Path
from typing import Any

from jaxtyping import PyTree

from asd_jax.detectors.thresholds import Source


def upgraded(settings: dict[str, Any], arrays: PyTree, *, run: Path) -> tuple[dict[str, Any], PyTree]:
    """Settings and arrays of the detectors as `Detectors.save` writes them.

    Args:
        settings: by the detector's name: `detector`, `seed_1` and so on, else a control.
        arrays: likewise.
        run: whose `config.json` names the machine type of all ids; it is empty where there is none.
    """
    config = run / "config.json"
    machine_type = json.loads(config.read_text(encoding="utf-8"))["data"]["machine"] if config.exists() else ""
    states = {name: _detector(state, arrays[name], machine_type) for name, state in settings.items()}

    def by_role(part: int) -> dict[str, Any]:
        of = {name: state[part] for name, state in states.items()}
        seeds = {name.removeprefix("seed_"): of.pop(name) for name in states if name.startswith("seed_")}
        return {"system": of.pop("detector"), "controls": of, "further_seeds": seeds}

    return by_role(0), by_role(1)


def _detector(state: dict[str, Any], arrays: PyTree, machine_type: str) -> tuple[dict[str, Any], PyTree]:
    representation, own = state["representation"], arrays["representation"]
    if representation["kind"] == "per_machine":
        representation = representation | {"parts": {machine_type: representation["parts"]}}
        own = {machine_type: own}
    scorers = {
        name: {machine_type: {machine_id: _scorer(saved) for machine_id, saved in by_id.items()}}
        for name, by_id in state["scorers"].items()
    }
    scorer_arrays = {name: {machine_type: by_id} for name, by_id in arrays["scorers"].items()}
    settings = {"cutting": None} | state | {"representation": representation, "scorers": scorers}
    return settings, {"representation": own, "scorers": scorer_arrays}


def _scorer(saved: dict[str, Any]) -> dict[str, Any]:
    window = saved["window_threshold"]
    return saved | {
        "threshold": _threshold(saved["threshold"]),
        "window_threshold": window and _threshold(window),
        # Runs of before there were other rules have none.
        "other_thresholds": [_threshold(of) for of in saved.get("other_thresholds", ())],
    }


def _threshold(saved: dict[str, Any]) -> dict[str, Any]:
    """A threshold whose method and source were words."""
    method, _, needed = saved["method"].partition(", never alarms: needs ")
    words = saved["fitted_on"]
    if words.endswith("it was fitted on"):
        source = Source.IN_SAMPLE
    else:
        cut = "recording" in words
        source = next(of for of in Source if words == of.words(n_normal=0, of_recordings=cut))
    return {
        "name": saved["name"],
        "value": saved["value"],
        "method": method,
        "n_normal": saved["n_normal"],
        "source": source.value,
        "of_recordings": "recording" in words,
        "location": saved["location"],
        "n_needed": int(re.match(r"\d+", needed)[0]) if needed else None,
    }
