"""The training clips of a run: their frames, and what is odd about them."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from asd_jax.datasets import Dataset, supplemental
from asd_jax.datasets.cache import in_words
from asd_jax.datasets.clips import names_of
from asd_jax.datasets.extraction import Extracted, extract, extract_from
from asd_jax.datasets.near_far import Subtraction
from asd_jax.detectors.input_health import mixed
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips

if TYPE_CHECKING:
    from asd_jax.runs.config import RunConfig

_FEW_CLIPS = 30


@dataclasses.dataclass(frozen=True)
class TrainingClips:
    """Normal training clips.

    Attributes:
        heard: as the run's front end hears them.
        log_mel: front end of the control without a network, the same for all runs at a sample rate: log-mels as the
            DCASE baseline has them.
        more: further clips for what is trained, and for nothing else (see `datasets.supplemental`); None without.
        log_mels: as that one hears them; None where there are no recordings, and then no control.
    """

    heard: Extracted
    log_mel: FrontEnd
    log_mels: StoredClips | None
    more: Extracted | None = None


def introduce(experiment: str, dataset: Dataset, say: Callable[[str], None]) -> None:
    """Say what an experiment runs on, and what is odd about it."""
    say(f"{experiment} on {dataset.machine}: {dataset.description or dataset.name}")
    for line in dataset.warnings:
        say(line)


def read_training_clips(config: "RunConfig", dataset: Dataset, say: Callable[[str], None]) -> TrainingClips:
    """Frames of the normal training clips; says what is odd about them.

    Raises:
        InputError: there are none, or none of an id that has test clips, or all of an id are silent.
    """
    clips = [clip for clip in dataset.split("train") if not clip.is_anomaly]
    if not clips:
        raise InputError(
            f"no training clips of {dataset.machine} in {config.data.data_dir}; put normal clips in train/"
        )
    names = names_of(clip.machine for clip in dataset.clips)
    untrained = [names[machine] for machine in names if machine not in {clip.machine for clip in clips}]
    if untrained:
        raise InputError(
            f"test clips of {', '.join(untrained)} but no training clips of them; choose ids with both by `machine_id`"
        )
    heard = extract_from(
        dataset,
        clips,
        config.front_end,
        min_frames=config.recipe.min_frames,
        skip_bad_files=config.data.skip_bad_files,
        storage=config.data.storage(),
        description="training clips",
    )
    say_found(heard, "training", say)
    _warn_of_few(heard, say)
    if heard.sounds and (line := mixed(heard.sounds, [clip.machine for clip in heard.clips])):
        say(line)
    silent = set(heard.silent)
    for machine in sorted({clip.machine for clip in heard.clips}):
        if all(clip.file_name in silent for clip in heard.clips if clip.machine == machine):
            raise InputError(f"all training clips of {names[machine]} are silent; check the microphone or `channel`")
    log_mel = FrontEnd(sample_rate=config.front_end.sample_rate)
    if log_mel == config.front_end:
        return TrainingClips(heard, log_mel, heard.frames)
    if dataset.read is None:
        return TrainingClips(heard, log_mel, None)
    storage = config.data.storage()
    again = extract(heard.clips, dataset.read, log_mel, storage=storage, description="training clips (control)")
    return TrainingClips(heard, log_mel, again.frames)


def read_supplemental(config: "RunConfig", dataset: Dataset, train: TrainingClips) -> TrainingClips:
    """The training clips with what the supplemental ones add, where that is asked for.

    Raises:
        InputError: there are none of the kind.
    """
    use = config.data.supplemental
    if use is None:
        return train
    found = supplemental.wanted(dataset, use)
    clips, read = found, dataset.read
    if use == "mix":
        clips, read = train.heard.clips, supplemental.noisy(train.heard.clips, found, dataset.read, seed=config.seed)
    more = extract(
        clips,
        read,
        config.front_end,
        min_frames=config.recipe.min_frames,
        skip_bad_files=config.data.skip_bad_files,
        storage=config.data.storage(),
        description="supplemental clips",
    )
    return dataclasses.replace(train, more=more)


def microphone_remarks(dataset: Dataset, train: TrainingClips, sample_rate: int) -> tuple[str, ...]:
    """What taking the far microphone away did to training clips, a line each; nothing without one."""
    if dataset.pair is None:
        return ()
    return Subtraction.of(train.heard.clips, dataset.pair, sample_rate=sample_rate).remarks()


def _warn_of_few(heard: Extracted, say: Callable[[str], None]) -> None:
    n_clips = Counter(clip.machine for clip in heard.clips)
    n_recordings = Counter(machine for machine, _ in {(clip.machine, clip.recording) for clip in heard.clips})
    for machine, name in names_of(n_clips).items():
        count = n_recordings[machine]
        if n_clips[machine] < _FEW_CLIPS:
            say(
                f"warning: only {n_clips[machine]} normal training clips of {name}: its threshold, "
                "false-alarm rate and covariance are unreliable"
            )
        elif count < _FEW_CLIPS:
            say(
                f"warning: only {count} normal training recordings of {name} ({n_clips[machine]} clips): "
                "clips of one recording are alike, so that its threshold and false-alarm rate are unreliable"
            )


def say_found(found: Extracted, what: str, say: Callable[[str], None]) -> None:
    """Warn of the bad files left out and of silent clips, and say where frames are; `what` names the clips."""
    if found.frames.on_disk:
        say(f"{what} clips: {in_words(found.frames.n_bytes)} are kept in a file, being more than `max_memory_gb`")
    if found.bad:
        say(f"warning: {len(found.bad)} bad {what} file(s) left out:")
        for line in found.bad:
            say(f"  {line}")
    if found.silent:
        names = ", ".join(found.silent[:3]) + (", ..." if len(found.silent) > 3 else "")
        say(f"warning: {len(found.silent)} silent {what} clip(s): {names}")
