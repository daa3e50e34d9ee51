"""The folder layout of DCASE 2020 Task 2: `DIR/<machine>/{train,test}/normal_id_00_00000000.wav`."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.audio import read_audio
from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.machines import canonical_machine
from asd_jax.errors import InputError

NAME = "dcase2020"
_CLIP_NAME = re.compile(r"(?:(?P<label>normal|anomaly)_)?(?P<machine_id>id_\d{2})_\d{8}\.wav")


def parse(relative_path: str) -> Clip | None:
    """Read a clip's split, machine id and label off its path `.../<split>/<name>`; None for another name."""
    *_, split, name = ["", "", *relative_path.split("/")]
    match = _CLIP_NAME.fullmatch(name)
    if match is None or split not in ("train", "test"):
        return None
    is_anomaly = {"normal": False, "anomaly": True, None: None}[match["label"]]
    return Clip(relative_path, match["machine_id"], split, is_anomaly)


def machine_folders(data_dir: Path) -> dict[str, Path]:
    """Folders below `data_dir` or `data_dir/dev_data` that hold `train` or `test`, by canonical machine name."""
    folders = {}
    for parent in (data_dir / "dev_data", data_dir):
        for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
            if (folder / "train").is_dir() or (folder / "test").is_dir():
                folders[canonical_machine(folder.name)] = folder
    return folders


def _find_clips(data_dir: Path, folder: Path) -> list[Clip]:
    clips = []
    for path in sorted(folder.glob("train/*.wav")) + sorted(folder.glob("test/*.wav")):
        clip = parse(path.relative_to(data_dir).as_posix())
        if clip is None:
            raise InputError(
                f"{path} is not named as in DCASE 2020 Task 2 (normal_id_00_00000000.wav or "
                "anomaly_id_00_00000000.wav); rename it or move it away"
            )
        if clip.split == "train" and clip.is_anomaly:
            raise InputError(f"{path} is anomalous, but training takes normal clips only; move it to test/")
        clips.append(clip)
    return clips


def load(
    data_dir: str | Path,
    *,
    machine: str,
    machine_ids: tuple[str, ...] = (),
    sample_rate: int = 16_000,
    channel: str = "mix",
) -> Dataset:
    """List the clips of one machine type below `data_dir`; nothing is decoded yet.

    Args:
        data_dir: folder that holds the machine's folder, or `dev_data` with it.
        machine: canonical name or the release's own (`slide_rail` or `slider`).
        machine_ids: keep only these; all when empty.
        sample_rate: rate in Hz to which clips are brought when read.
        channel: `mix` or a channel's number.

    Raises:
        InputError: the folder, the machine, an id or its clips are missing, or a file has another name.
    """
    data_dir = Path(data_dir)
    if not data_dir.is_dir():
        raise InputError(f"--data_dir={data_dir}: no such folder")
    folders = machine_folders(data_dir)
    if not folders:
        raise InputError(
            f"--data_dir={data_dir}: no machine folder with train/ or test/ in it "
            f"(expected {data_dir}/<machine>/train/normal_id_00_00000000.wav)"
        )
    machine = canonical_machine(machine)
    if machine not in folders:
        raise InputError(f"--machine={machine}: not in {data_dir}, which has {', '.join(sorted(folders))}")
    clips = _find_clips(data_dir, folders[machine])
    if not clips:
        raise InputError(f"{folders[machine]}: no .wav files in train/ or test/")
    present = sorted({clip.machine_id for clip in clips})
    unknown = sorted(set(machine_ids) - set(present))
    if unknown:
        raise InputError(f"--machine_id={','.join(unknown)}: not in {folders[machine]}, which has {', '.join(present)}")
    if machine_ids:
        clips = [clip for clip in clips if clip.machine_id in machine_ids]

    def read(clip: Clip) -> Float[np.ndarray, " n_samples"]:
        return read_audio(data_dir / clip.file_name, sample_rate=sample_rate, channel=channel)

    return Dataset(NAME, machine, tuple(clips), read)
