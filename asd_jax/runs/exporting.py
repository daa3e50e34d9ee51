"""A finished run becomes one file, which is held against the run's detector before it is there."""

import dataclasses
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets import Clip, DataConfig, Dataset, Machine
from asd_jax.detectors import Detector, exported
from asd_jax.detectors.bundle import Detectors, digest
from asd_jax.detectors.export import FORMATS, Program, contents
from asd_jax.detectors.export.check import Agreement, compare
from asd_jax.detectors.stream.normal_sound import normal_sounds
from asd_jax.errors import InputError
from asd_jax.files import from_json, write_bytes
from asd_jax.runs import folder
from asd_jax.runs.evaluation import as_known

_MOST_CLIPS = 200  # of a machine, that the file is checked with


def export_run(
    run: str | Path,
    out: str | Path | None = None,
    *,
    kind: str = "onnx",
    machine_ids: Sequence[str] = (),
    scorer: str | None = None,
    threshold: str | None = None,
    say: Callable[[str], None] = print,
    **data: Any,
) -> Path:
    """Write the detector of a finished run as one file, unless what it says differs from what the detector says.

    Args:
        run: folder of the run, which is left as it is.
        out: the file; `run/export/<experiment>.<kind>` by default. One that is there is replaced.
        kind: `onnx` or `stablehlo`.
        machine_ids: those that the file is to know; all by default.
        scorer: the one that scores; the headline scorer by default.
        threshold: rule of the thresholds that the file has by default; None for the run's own.
        say: takes the lines for the user.
        **data: settings of `DataConfig` that differ from the run's, such as `data_dir`, for the recordings that the
            file is checked with; None leaves one as it is.

    Returns:
        the file.

    Raises:
        InputError: no finished run, what cannot be exported, no recordings to check it with, or a check that failed.
    """
    if kind not in FORMATS:
        raise InputError(f"`format={kind}`: not known; there are {', '.join(FORMATS)}")
    run = Path(run).expanduser()
    config, detectors = folder.read_config(run), Detectors.load(run)
    detector = detectors.system
    detector.check_hears()
    if threshold is not None:
        detector = detector.deciding_by(threshold)
    program = Program.of(detector, machines=_chosen(detector, machine_ids), scorer=scorer)
    out = run / "export" / f"{config['experiment']}.{kind}" if out is None else Path(out).expanduser()
    if out.is_dir():
        raise InputError(f"`out={out}` is a folder; name a file in it")
    clips, dataset = _clips(run, config, program, data | {"machine_ids": tuple(machine_ids)}, say)
    about = {
        "experiment": config["experiment"],
        "run_sha256": digest(run),
        "channel": dataset.channel,
        "normal_sound": normal_sounds(detectors, program.machines),
    }
    content = contents(program, kind, about=about)
    agreement = _check(content, program, clips, dataset)
    write_bytes(out, content)
    known = ", ".join(machine.machine_id for machine in program.machines)
    say(
        f"agrees with the detector on {agreement.n_clips} clips, {agreement.n_anomalous} of them anomalous: scores "
        f"differ by at most {agreement.largest_difference:.1e}, no decision does\n"
        f"{program.scorer} of {known}; clips of {program.n_samples / detector.sample_rate:g} s at "
        f"{detector.sample_rate} Hz; {len(content) / 1e6:.2f} MB written to {out}"
    )
    return out


def _chosen(detector: Detector, machine_ids: Sequence[str]) -> list[Machine]:
    """The machines of some ids, in the detector's order."""
    unknown = [machine_id for machine_id in machine_ids if machine_id not in detector.machine_ids]
    if unknown:
        raise InputError(f"`machine_ids={unknown[0]}`: not known; the run has {', '.join(detector.machine_ids)}")
    return [machine for machine in detector.machines if not machine_ids or machine.machine_id in machine_ids]


def _clips(
    run: Path, config: dict[str, Any], program: Program, data: dict[str, Any], say: Callable[[str], None]
) -> tuple[list[Clip], Dataset]:
    """Test clips to check with, without their labels, or where there are none training clips; evenly spread."""
    if not isinstance(config["settings"].get("data"), dict):
        raise InputError(f"{run}/config.json lacks `settings.data`, the recordings of the run; restore it")
    recorded = folder.as_heard(from_json(DataConfig, config["settings"]["data"]), config)
    recorded = dataclasses.replace(recorded, **{name: value for name, value in data.items() if value})
    usual = program.detector.clip_seconds or math.inf
    dataset = as_known(recorded.open(program.detector.sample_rate, say, usual_seconds=usual), program.detector)
    chosen: list[Clip] = []
    for machine in program.machines:
        own = [clip for clip in dataset.clips if clip.machine == machine]
        own = [clip for clip in own if clip.split == "test"] or own
        chosen += own[:: max(1, math.ceil(len(own) / _MOST_CLIPS))]
    if not chosen:
        raise InputError("no recordings of these machines to check the file with; give a folder of some by `data_dir`")
    return chosen, dataset


def _check(content: bytes, program: Program, clips: Sequence[Clip], dataset: Dataset) -> Agreement:
    """Hold the file against the detector; a clip of another length is filled up with silence or cut off."""
    waveforms = [np.zeros(program.n_samples, np.float32) for _ in clips]
    for clip, waveform in zip(clips, waveforms, strict=True):
        heard = dataset.read(clip)[: program.n_samples]
        waveform[: len(heard)] = heard
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "exported"
        file.write_bytes(content)
        machines, names = [clip.machine for clip in clips], [clip.file_name for clip in clips]
        return compare(program.detector, exported.load(file), waveforms, machines, names)
