"""The recordings of a run: which they are, their frames, and what is odd about them."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from asd_jax import datasets
from asd_jax.datasets import Cutting, Dataset
from asd_jax.datasets.extraction import Extracted, extract
from asd_jax.datasets.prepared import prepared
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips

_FEW_CLIPS = 30


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which recordings.

    Attributes:
        machine: canonical name or a release's own.
        data_dir: folder of recordings; None for the built-in synthetic machine.
        dataset: forces a layout; None recognises it.
        machine_ids: keep only these; all when empty.
        channel: `mix` or a channel's number; None for the layout's own.
        skip_bad_files: leave bad files out and count them.
        split_seed: of the split into train and test, where the recordings come without one.
        clip_seconds: length of the clips that recordings are cut into; None leaves them whole.
        clip_hop_seconds: from the start of a clip to that of the next; None for clips side by side.
        cache_dir: folder where recordings are prepared once; None reads every clip from its file. Not a setting of
            a run, since the waveforms are the same.
    """

    machine: str
    data_dir: str | None = None
    dataset: str | None = None
    machine_ids: tuple[str, ...] = ()
    channel: str | None = None
    skip_bad_files: bool = False
    split_seed: int = 0
    clip_seconds: float | None = None
    clip_hop_seconds: float | None = None
    cache_dir: str | None = None

    @property
    def cutting(self) -> Cutting | None:
        """How recordings are cut into clips.

        Raises:
            InputError: a hop without a length, or seconds that cannot be.
        """
        if self.clip_seconds is None:
            if self.clip_hop_seconds is not None:
                raise InputError("--clip_hop_seconds needs --clip_seconds, the length of a clip")
            return None
        return Cutting(self.clip_seconds, self.clip_seconds if self.clip_hop_seconds is None else self.clip_hop_seconds)

    def open(self, front_end: FrontEnd, say: Callable[[str], None] = print) -> Dataset:
        """List the clips, and prepare them where they are on disk and there is a `cache_dir`.

        A machine is prepared as a whole, whichever of its ids are asked for.
        """
        dataset = self._list(front_end, self.machine_ids)
        if self.data_dir is None or self.cache_dir is None:
            return dataset
        whole = prepared(
            self._list(front_end, ()) if self.machine_ids else dataset,
            data_dir=self.data_dir,
            cache_dir=self.cache_dir,
            sample_rate=front_end.sample_rate,
            channel=dataset.channel,
            say=say,
        )
        return dataclasses.replace(dataset, read=whole.read)

    def _list(self, front_end: FrontEnd, machine_ids: tuple[str, ...]) -> Dataset:
        return datasets.open_dataset(
            machine=self.machine,
            data_dir=self.data_dir,
            name=self.dataset,
            machine_ids=machine_ids,
            sample_rate=front_end.sample_rate,
            channel=self.channel,
            split_seed=self.split_seed,
            cutting=self.cutting,
        )

    def to_dict(self) -> dict[str, Any]:
        """What `config.json` records, and `from_dict` reads."""
        settings = dataclasses.asdict(self)
        settings.pop("cache_dir")
        return settings

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "DataConfig":
        """The config that was recorded."""
        return cls(**settings | {"machine_ids": tuple(settings["machine_ids"])})


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
