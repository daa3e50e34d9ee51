"""Recordings prepared once: read from a cache of decoded waveforms, which are the very same.

A machine's clips are decoded by all cores into one ArrayRecord file below the user's cache folder, and from then on
read by random access. Where every sample is a 16-bit one, as in 16-bit PCM at the target rate and not mixed, the cache
holds int16, and float32 otherwise. It is built aside and renamed, under a lock, so that a run that is killed leaves
nothing that looks whole and two runs that start at once build it once; a changed source is prepared again.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from jaxtyping import Float

from asd_jax.datasets.cache import in_words, mark_used
from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.lock import locked
from asd_jax.errors import InputError

_SAMPLE_TYPES = ("int16", "float32")
_SAID_OF_A_CLIP = {"machine_id", "split", "is_anomaly", "domain", "attributes"}  # and no part of what it sounds like


def prepared(
    dataset: Dataset,
    *,
    data_dir: str | Path,
    cache_dir: str | Path,
    sample_rate: int,
    channel: str = "mix",
    say: Callable[[str], None] = print,
) -> Dataset:
    """The same data set, its clips read from the cache; the cache is built where there is none or a stale one.

    Bad and very long clips are left out of the cache and read as before, so that errors stay what they were.

    Args:
        dataset: all clips of a machine.
        data_dir: folder that their names are relative to.
        cache_dir: folder of caches; see `files.cache_folder`.
        sample_rate: that `dataset.read` gives, in Hz.
        channel: that `dataset.read` gives.
        say: takes a line for the user when a cache is built.

    Raises:
        InputError: the cache folder cannot be written, or its disk is full.
    """
    data_dir = Path(data_dir).resolve()
    clips = sorted(dataset.clips, key=_identity)
    source = "\0".join((str(data_dir), dataset.name, dataset.machine))
    name = f"{dataset.name}-{dataset.machine}-{sample_rate}-{channel}-{_digest(os.fsencode(source))[:8]}"
    cache = _Cache(
        folder=Path(cache_dir).absolute() / "prepared",
        name=re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)[-100:],
        fingerprint=_fingerprint(clips, data_dir, sample_rate, channel),
        clips=clips,
        read=dataset.read,
        description=f"Clips of {dataset.machine!a} in {str(data_dir)!a}",
    )
    waiting = "another run is preparing these recordings; waiting for it"
    with _clear_errors(cache.folder), locked(cache.folder / f"{cache.name}.lock", waiting, say):
        recordings = cache.find() or cache.build(say)
    if recordings is None:
        return dataset
    kept = [clip for index, clip in enumerate(clips) if index not in recordings.left_out]
    position = {_identity(clip): record for record, clip in enumerate(kept)}

    def read(clip: Clip) -> Float[np.ndarray, " n_samples"]:
        record = position.get(_identity(clip))
        if record is None:
            return dataset.read(clip)
        try:
            samples = recordings.records[record]["waveform"]
        except Exception:  # whatever a record that was damaged since makes the reader raise
            return dataset.read(clip)
        if samples.dtype == np.int16:
            return samples * np.float32(1 / 32768)
        return samples.copy()  # a view of the record cannot be written to

    return dataclasses.replace(dataset, read=read)


def _identity(clip: Clip) -> tuple[str, ...]:
    """What decides the sound of a clip: its file, and which part of it where the clip has such fields."""
    fields = (field.name for field in dataclasses.fields(clip))
    return tuple(str(getattr(clip, field)) for field in fields if field not in _SAID_OF_A_CLIP)


def _fingerprint(clips: Sequence[Clip], data_dir: Path, sample_rate: int, channel: str) -> str:
    """Of the clips, of the sizes and times of their files, and of all else that a waveform depends on."""
    files = {}
    for name in {clip.recording for clip in clips}:
        try:
            status = (data_dir / name).stat()
            files[name] = (status.st_size, status.st_mtime_ns)
        except OSError:
            files[name] = None
    decoders = (soundfile.__libsndfile_version__, soxr.__version__)
    content = (decoders, sample_rate, channel, [_identity(clip) for clip in clips], sorted(files.items()))
    return _digest(json.dumps(content).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclasses.dataclass(frozen=True)
class _Recordings:
    """A build that can be read: its records, and the indices of the clips that it left out."""

    records: Any
    left_out: frozenset[int]


@dataclasses.dataclass(frozen=True)
class _Cache:
    """Where the clips of one machine are kept, and what a build must hold to be theirs."""

    folder: Path
    name: str
    fingerprint: str
    clips: Sequence[Clip]
    read: Callable[[Clip], np.ndarray]
    description: str

    def builder(self, sample_type: str) -> Any:
        from asd_jax.datasets.prepared_builder import Recordings, RecordingsConfig

        config = RecordingsConfig(
            name=f"{self.name}-{sample_type}",
            description=self.description,
            clips=self.clips,
            read=self.read,
            sample_type=sample_type,
            fingerprint=self.fingerprint,
        )
        return Recordings(config=config, data_dir=str(self.folder), file_format="array_record")

    def config_folder(self, sample_type: str) -> Path:
        return self.folder / "recordings" / f"{self.name}-{sample_type}"

    def find(self) -> _Recordings | None:
        """A build that is whole and not stale."""
        for sample_type in _SAMPLE_TYPES:
            if not self.config_folder(sample_type).is_dir():
                continue
            try:
                with _quiet():
                    builder = self.builder(sample_type)
                    if builder.is_prepared() and builder.info.metadata["fingerprint"] == self.fingerprint:
                        mark_used(self.config_folder(sample_type))
                        return _open(builder)
            except Exception:  # whatever a damaged build makes TFDS raise; it is built again
                continue
        return None

    def first_is_float(self) -> bool:
        """Whether the first clip rules int16 out, which saves an attempt."""
        from asd_jax.datasets.prepared_builder import NotInt16Error, to_int16

        try:
            to_int16(self.read(self.clips[0]))
        except NotInt16Error:
            return True
        except InputError:
            pass
        return False

    def build(self, say: Callable[[str], None]) -> _Recordings | None:
        """Build in the smallest sample type that changes nothing; None where no clip can be read."""
        from asd_jax.datasets.prepared_builder import NotInt16Error, tfds

        tfds.disable_progress_bar()
        for sample_type in _SAMPLE_TYPES[self.first_is_float() :]:
            for old in _SAMPLE_TYPES:  # stale, damaged, not int16 after all, or what a killed run left
                shutil.rmtree(self.config_folder(old), ignore_errors=True)
            try:
                with _quiet():
                    builder = self.builder(sample_type)
                    builder.download_and_prepare()
                break
            except NotInt16Error:
                continue
        count = builder.info.splits.total_num_examples
        if not count:
            return None
        size = sum(file.stat().st_size for file in Path(builder.data_dir).iterdir())
        say(f"kept {count} decoded recordings for later runs: {in_words(size)} in {self.folder}")
        return _open(builder)


def _open(builder: Any) -> _Recordings:
    from asd_jax.datasets.prepared_builder import SPLIT

    records = builder.as_data_source(SPLIT)
    records[len(records) - 1]  # opens the file, so that it can still be read when a later build replaces it
    return _Recordings(records, frozenset(builder.info.metadata["left_out"]))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what TFDS announces: that a configuration is ours, and that a data set of unknown size is prepared."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)


@contextlib.contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    """Turn what keeps a cache from being written into one line."""
    advice = "choose another folder by `cache_dir`, or pass `cache_dir=None` to read each recording from its file"
    try:
        yield
    except (OSError, RuntimeError) as error:  # ArrayRecord's writer raises RuntimeError
        number = getattr(error, "errno", None)
        if number in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            raise InputError(f"{folder}: no space left to prepare the recordings; {advice}") from error
        if number in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.ENOENT):
            raise InputError(f"{folder}: cannot be written ({os.strerror(number)}); {advice}") from error
        raise
