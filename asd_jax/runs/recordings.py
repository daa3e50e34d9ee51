"""The recordings of a run: which they are, their frames, and what is odd about them."""

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from asd_jax.datasets import DataConfig, Dataset
from asd_jax.datasets.extraction import Extracted, extract
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips

_FEW_CLIPS = 30


def introduce(experiment: str, dataset: Dataset, say: Callable[[str], None]) -> None:
    """Say what an experiment runs on, and what is odd about it."""
    say(f"{experiment} on {dataset.machine}: {dataset.description or dataset.name}")
    for line in dataset.warnings:
        say(line)


def extract_training_clips(
    data: DataConfig, front_end: FrontEnd, dataset: Dataset, *, min_frames: int, say: Callable[[str], None]
) -> Extracted:
    """Frames of the normal training clips; says what is odd about them.

    Raises:
        InputError: there are none, or none of an id that has test clips, or all of an id are silent.
    """
    clips = [clip for clip in dataset.split("train") if not clip.is_anomaly]
    if not clips:
        raise InputError(f"no training clips of {dataset.machine} in {data.data_dir}; put normal clips in train/")
    untrained = sorted({clip.machine_id for clip in dataset.clips} - {clip.machine_id for clip in clips})
    if untrained:
        raise InputError(
            f"test clips of {', '.join(untrained)} but no training clips of them; choose ids with both by --machine_id"
        )
    train = extract(
        clips,
        dataset.read,
        front_end,
        min_frames=min_frames,
        skip_bad_files=data.skip_bad_files,
        description="training clips",
    )
    say_found(train, "training", say)
    n_clips = Counter(clip.machine_id for clip in train.clips)
    n_recordings = Counter(machine_id for machine_id, _ in {(clip.machine_id, clip.recording) for clip in train.clips})
    for machine_id, count in sorted(n_recordings.items()):
        if n_clips[machine_id] < _FEW_CLIPS:
            say(
                f"warning: only {n_clips[machine_id]} normal training clips of {machine_id}: its threshold, "
                "false-alarm rate and covariance are unreliable"
            )
        elif count < _FEW_CLIPS:
            say(
                f"warning: only {count} normal training recordings of {machine_id} ({n_clips[machine_id]} clips): its "
                "threshold and false-alarm rate, which are those of recordings, are unreliable"
            )
    silent = set(train.silent)
    for machine_id in sorted({clip.machine_id for clip in train.clips}):
        if all(clip.file_name in silent for clip in train.clips if clip.machine_id == machine_id):
            raise InputError(f"all training clips of {machine_id} are silent; check the microphone or --channel")
    return train


def say_found(found: Extracted, what: str, say: Callable[[str], None]) -> None:
    """Warn of the bad files left out and of silent clips; `what` names the clips."""
    if found.bad:
        say(f"warning: {len(found.bad)} bad {what} file(s) left out:")
        for line in found.bad:
            say(f"  {line}")
    if found.silent:
        names = ", ".join(found.silent[:3]) + (", ..." if len(found.silent) > 3 else "")
        say(f"warning: {len(found.silent)} silent {what} clip(s): {names}")


def control_log_mels(dataset: Dataset, train: Extracted, front_end: FrontEnd) -> tuple[FrontEnd, StoredClips]:
    """Frames of the control without a network, the same for all experiments: log-mels as the DCASE baseline has them.

    Args:
        dataset: where the clips come from.
        train: the training clips and their frames.
        front_end: that gave those frames; where it is the control's own they are not computed again.
    """
    log_mel = FrontEnd(sample_rate=front_end.sample_rate)
    if log_mel == front_end:
        return log_mel, train.frames
    return log_mel, extract(train.clips, dataset.read, log_mel, description="training clips (control)").frames


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """What `config.json` says of the recordings; a resumed run must find the same."""
    listing = "\n".join(f"{clip.split} {clip.file_name}" for clip in dataset.clips)
    return {
        "dataset": dataset.name,
        "machine": dataset.machine,
        "channel": dataset.channel,
        "n_train": len(dataset.split("train")),
        "n_test": len(dataset.split("test")),
        "file_names_sha256": hashlib.sha256(listing.encode()).hexdigest(),
    }
