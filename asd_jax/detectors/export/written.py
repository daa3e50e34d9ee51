"""The bytes of an exported detector, and what it says of itself."""

import importlib.metadata
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.export.program import Program
from asd_jax.detectors.export.to_onnx import to_onnx
from asd_jax.detectors.export.to_stablehlo import to_stablehlo
from asd_jax.detectors.exported_file import FORMAT, METADATA, PROGRAM
from asd_jax.files import to_json

FORMATS = ("onnx", "stablehlo")
_QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def contents(program: Program, kind: str, *, about: Mapping[str, Any]) -> bytes:
    """The file of a program.

    Args:
        program: what it computes.
        kind: one of `FORMATS`.
        about: what the metadata say beside what the program knows, such as the digest of the run.

    Raises:
        InputError: the format needs what is not installed.
    """
    text = json.dumps(metadata(program) | {"kind": kind, **about}, ensure_ascii=False, allow_nan=False)
    if kind == "onnx":
        return to_onnx(program, text)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:  # each with the date of its epoch: the same run gives the same bytes
        for name, content in ((METADATA, text.encode()), (PROGRAM, to_stablehlo(program))):
            file.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()


def metadata(program: Program) -> dict[str, Any]:
    """What a file says of itself, as JSON; docs/deploy.md has the table."""
    detector = program.detector
    return {
        "format": FORMAT,
        "asd_jax": importlib.metadata.version("asd_jax"),
        "scorer": program.scorer,
        "sample_rate": detector.front_end.sample_rate,
        "n_samples": program.n_samples,
        "machines": [_of_machine(program, machine) for machine in program.machines],
        "cutting": to_json(detector.cutting),
        "health": [[*machine, to_json(of)] for machine, of in detector.health.items()],
    }


def _of_machine(program: Program, machine: Machine) -> dict[str, Any]:
    fitted = program.fitted(machine)
    thresholds = (fitted.threshold, *fitted.other_thresholds)
    validation = fitted.validation_scores
    return {
        "machine_type": machine.machine_type,
        "machine_id": machine.machine_id,
        "threshold": fitted.threshold.to_dict(),
        "thresholds": {threshold.name: threshold.to_dict()["value"] for threshold in thresholds},
        "quantiles_of_normal": {f"{q:g}": float(np.quantile(fitted.normal_scores, q)) for q in _QUANTILES},
        "other_thresholds": [threshold.to_dict() for threshold in fitted.other_thresholds],
        "normal_scores": fitted.normal_scores.tolist(),
        "validation_scores": None if validation is None else validation.tolist(),
    }
