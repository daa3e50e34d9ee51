"""A folder of recordings as a data set: the clips of a machine listed and checked; nothing is decoded yet."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from asd_jax.datasets import duplicates, ground_truth
from asd_jax.datasets.audio import n_channels, read_audio
from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.config import DataConfig
from asd_jax.datasets.cutting import cut, cut_long
from asd_jax.datasets.layouts import ANY_FOLDER, Layout, any_folder
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.near_far import NO_REFERENCE, joined, parted
from asd_jax.datasets.recognition import Folder, Names
from asd_jax.datasets.splitting import split_by_seed
from asd_jax.datasets.supplemental import SPLIT
from asd_jax.errors import InputError


def load(data: DataConfig, *, sample_rate: int = 16_000, usual_seconds: float | None = None) -> Dataset:
    """List the clips of one machine type below `data.data_dir`.

    Args:
        data: which recordings.
        sample_rate: rate in Hz to which clips are brought when read.
        usual_seconds: length of clips where `data` gives none: longer recordings are cut, see `cut_long`.

    Raises:
        InputError: the folder, the machine, an id or its clips are missing; the layout is ambiguous; a file's name
            is not of the layout or contradicts itself or a ground-truth file; an anomalous clip is to be trained on.
    """
    folder = Folder(data.data_dir, layout=data.dataset)
    data_dir = folder.data_dir
    machine = canonical_machine(data.machine) if data.machine else folder.only_machine()
    name, layout, names = folder.recognise(machine)
    if strays := folder.strays(layout, machine, names):
        raise InputError(
            f"{data_dir / strays[0]} is not named as in {layout.title} ({layout.example}); rename it, move it away, "
            "or pass `dataset=any_folder`"
        )
    warnings = any_folder.numbered(names) if layout is ANY_FOLDER else ()
    supplemental = {path: said for path, said in names.items() if said.split == SPLIT}
    names = {path: said for path, said in names.items() if said.split != SPLIT}
    channel, about_channel = _channel(data, layout, names, data_dir)
    clips = _restrict(_clips(names, layout, parted(channel)[0], machine), data.machine_ids, data_dir)
    clips = ground_truth.apply(clips, data_dir, folder.tree.tables, machine=machine, layout=layout)
    for clip in clips:
        if clip.split == "train" and clip.is_anomaly:
            raise InputError(
                f"{data_dir / clip.file_name} is anomalous, but training takes normal clips only; move it to test/"
            )
    duplicates.check_names(clips, data_dir, layout)
    by_seed = "" if all(clip.split for clip in clips) else f", split by seed {data.split_seed}"
    clips = sorted(split_by_seed(clips, seed=data.split_seed), key=lambda clip: (clip.split == "test", clip.file_name))
    warnings += duplicates.shared_content(clips, data_dir) + _left_out(folder, layout)
    counts = " and ".join(f"{sum(clip.split == split for clip in clips)} to {split}" for split in ("train", "test"))
    description = f"{layout.title} layout ({name}) in {data_dir}, {counts}{by_seed}{about_channel}"
    if supplemental and data.supplemental is None:
        description += f", {len(supplemental)} supplemental clips left out (neither trained on nor tested)"
    clips, cut_up, lines = _cut(clips, data, data_dir, usual_seconds)
    description, warnings = description + cut_up, warnings + lines
    if data.supplemental is not None:
        clips = [*clips, *_clips(supplemental, layout, parted(channel)[0], machine)]
        clips = [clip for clip in clips if not data.machine_ids or clip.machine_id in data.machine_ids]
    read_channel = channel if layout.is_of_channel is None else "mix"  # the only one in its file

    def read(clip: Clip, channel: str = read_channel) -> Float[np.ndarray, " n_samples"]:
        return read_audio(
            data_dir / clip.recording,
            sample_rate=sample_rate,
            channel=channel,
            start_seconds=clip.start_seconds,
            clip_seconds=clip.clip_seconds,
        )

    near, reference = parted(read_channel)
    pair = reference and (lambda clip: (read(clip, near), read(clip, reference)))
    return Dataset(name, machine, tuple(clips), read, description, channel, warnings, pair=pair)


def _cut(
    clips: list[Clip], data: DataConfig, data_dir: Path, usual_seconds: float | None
) -> tuple[list[Clip], str, tuple[str, ...]]:
    """The clips that recordings are cut into, what the description says of it, and warnings."""
    if (cutting := data.cutting) is None:
        clips, lines = cut_long(clips, data_dir, usual_seconds)
        return clips, "", lines
    clips = [part for clip in clips for part in cut(clip, data_dir, cutting)]
    return (
        clips,
        (
            f", cut into {len(clips)} clips of {cutting.clip_seconds:g} s every {cutting.hop_seconds:g} s; "
            "scores are those of recordings"
        ),
        (),
    )


def _left_out(folder: Folder, layout: Layout) -> tuple[str, ...]:
    """Warnings that name and count the recordings in the folder that no machine's clips are made of."""
    lines = []
    if out := folder.left_out(layout):
        names = ", ".join(out[:5]) + (", ..." if len(out) > 5 else "")
        lines.append(
            f"warning: {len(out)} recording(s) left out, since neither folder nor name says normal or abnormal: {names}"
        )
    if other := ", ".join(f"{count} {suffix}" for suffix, count in folder.tree.unreadable.items()):
        lines.append(f"warning: {other} file(s) left out, which cannot be read; convert them to .wav or .flac")
    return tuple(lines)


def _channel(data: DataConfig, layout: Layout, names: Names, data_dir: Path) -> tuple[str, str]:
    """The channel to read, with its reference, and what the description says of it."""
    asked_for, reference = data.channel, data.reference_channel
    if reference not in (None, NO_REFERENCE) and layout.is_of_channel is not None:
        raise InputError(f"`reference_channel`={reference}: {layout.title} has a file a microphone; leave it out")
    if asked_for is None and layout.channel_of_two != layout.channel and _is_stereo(names, data_dir):
        near, far = layout.channel_of_two, layout.far_of_two if reference is None else reference
        if far == NO_REFERENCE:
            return near, f", channel {near} (near the machine, as DCASE 2026 has it; `channel=mix` takes the mean)"
        return joined(near, far), (
            f", channel {near} (near the machine, as DCASE 2026 has it) without what channel {far} (far from it) "
            "explains; `reference_channel=none` leaves it"
        )
    if reference not in (None, NO_REFERENCE):
        near = asked_for or ("0" if layout.channel == "mix" else layout.channel)
        return joined(near, reference), f", channel {near} without what channel {reference} explains"
    channel = asked_for or layout.channel
    return channel, "" if channel == "mix" else f", channel {channel}"


def _is_stereo(paths: Names, data_dir: Path) -> bool:
    """Whether the first recording that can be read has two channels."""
    for path in paths:
        try:
            return n_channels(data_dir / path) == 2
        except InputError:  # it is left out, or said to be bad, when it is read
            continue
    return False


def _clips(names: Names, layout: Layout, channel: str, machine: str) -> list[Clip]:
    if layout.is_of_channel is not None:
        names = {path: name for path, name in names.items() if layout.is_of_channel(name, channel)}
        if not names:
            raise InputError(
                f"`channel`={channel}: no recordings of that microphone; {layout.title} has a file for each, from 0"
            )
    return [
        Clip(path, name.machine_id, name.split, name.is_anomaly, name.domain, name.attributes, machine_type=machine)
        for path, name in names.items()
    ]


def _restrict(clips: list[Clip], machine_ids: tuple[str, ...], data_dir: Path) -> list[Clip]:
    present = sorted({clip.machine_id for clip in clips})
    unknown = sorted(set(machine_ids) - set(present))
    if unknown:
        raise InputError(f"`machine_ids`={','.join(unknown)}: not in {data_dir}, which has {', '.join(present)}")
    return [clip for clip in clips if not machine_ids or clip.machine_id in machine_ids]
