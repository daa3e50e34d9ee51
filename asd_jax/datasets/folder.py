"""A folder of recordings as a data set: the clips of a machine listed and checked; nothing is decoded yet."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from asd_jax.datasets import duplicates, ground_truth
from asd_jax.datasets.audio import read_audio
from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.cutting import Cutting, cut, warn_of_lengths
from asd_jax.datasets.layouts import Layout
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.recognition import Folder, Names
from asd_jax.datasets.splitting import split_by_seed
from asd_jax.errors import InputError


def load(
    data_dir: str | Path,
    *,
    machine: str | None = None,
    name: str | None = None,
    machine_ids: tuple[str, ...] = (),
    sample_rate: int = 16_000,
    channel: str | None = None,
    split_seed: int = 0,
    cutting: Cutting | None = None,
) -> Dataset:
    """List the clips of one machine type below `data_dir`.

    Args:
        data_dir: folder of recordings in one of the layouts of `layouts.REGISTRY`, at any depth.
        machine: canonical name or the release's own (`slide_rail` or `slider`); None where there is only one.
        name: of the layout; None recognises it.
        machine_ids: keep only these; all when empty.
        sample_rate: rate in Hz to which clips are brought when read.
        channel: `mix` or a channel's number; None for the layout's own.
        split_seed: of the split into train and test, where the recordings come without one.
        cutting: how long recordings are cut into clips, after the split; None leaves them whole.

    Raises:
        InputError: the folder, the machine, an id or its clips are missing; the layout is ambiguous; a file's name
            is not of the layout or contradicts itself or a ground-truth file; an anomalous clip is to be trained on.
    """
    folder = Folder(data_dir, layout=name)
    data_dir = folder.data_dir
    machine = canonical_machine(machine) if machine else folder.only_machine()
    name, layout, names = folder.recognise(machine)
    if strays := folder.strays(layout, machine, names):
        raise InputError(
            f"{data_dir / strays[0]} is not named as in {layout.title} ({layout.example}); rename it, move it away, "
            "or pass --dataset=any_folder"
        )
    channel = channel or layout.channel
    clips = _clips(names, layout, channel, machine)
    clips = _restrict(clips, machine_ids, data_dir)
    clips = ground_truth.apply(clips, data_dir, folder.tree.tables, machine=machine, layout=layout)
    for clip in clips:
        if clip.split == "train" and clip.is_anomaly:
            raise InputError(
                f"{data_dir / clip.file_name} is anomalous, but training takes normal clips only; move it to test/"
            )
    duplicates.check_names(clips, data_dir, layout)
    is_split = all(clip.split for clip in clips)
    clips = sorted(split_by_seed(clips, seed=split_seed), key=lambda clip: (clip.split == "test", clip.file_name))
    warnings = duplicates.shared_content(clips, data_dir)
    counts = " and ".join(f"{sum(clip.split == split for clip in clips)} to {split}" for split in ("train", "test"))
    description = f"{layout.title} layout ({name}) in {data_dir}, {counts}"
    if not is_split:
        description += f", split by seed {split_seed}"
    if channel != "mix":
        description += f", channel {channel}"
    if cutting is not None:
        clips = [part for clip in clips for part in cut(clip, data_dir, cutting)]
        warnings += warn_of_lengths(clips)
        description += (
            f", cut into {len(clips)} clips of {cutting.clip_seconds:g} s every {cutting.hop_seconds:g} s; "
            "scores are those of recordings"
        )
    read_channel = channel if layout.is_of_channel is None else "mix"  # the only one in its file

    def read(clip: Clip) -> Float[np.ndarray, " n_samples"]:
        return read_audio(
            data_dir / clip.recording,
            sample_rate=sample_rate,
            channel=read_channel,
            start_seconds=clip.start_seconds,
            clip_seconds=clip.clip_seconds,
        )

    return Dataset(name, machine, tuple(clips), read, description, channel, warnings)


def _clips(names: Names, layout: Layout, channel: str, machine: str) -> list[Clip]:
    if layout.is_of_channel is not None:
        names = {path: name for path, name in names.items() if layout.is_of_channel(name, channel)}
        if not names:
            raise InputError(
                f"--channel={channel}: no recordings of that microphone; {layout.title} has a file for each, from 0"
            )
    return [
        Clip(path, name.machine_id, name.split, name.is_anomaly, name.domain, name.attributes, machine_type=machine)
        for path, name in names.items()
    ]


def _restrict(clips: list[Clip], machine_ids: tuple[str, ...], data_dir: Path) -> list[Clip]:
    present = sorted({clip.machine_id for clip in clips})
    unknown = sorted(set(machine_ids) - set(present))
    if unknown:
        raise InputError(f"--machine_id={','.join(unknown)}: not in {data_dir}, which has {', '.join(present)}")
    return [clip for clip in clips if not machine_ids or clip.machine_id in machine_ids]
