"""The TFDS builder of prepared recordings: ArrayRecord without TensorFlow, a config for each release and machine.

Only `prepared.py` imports this, late, since TFDS takes about a second. A `GeneratorBasedBuilder` would shuffle, and
beyond 1 GiB it does that with TensorFlow; a `ShardBasedBuilder` writes clips one after the other, in their order.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from array_record.python.array_record_module import ArrayRecordWriter
from tqdm import tqdm

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.read_ahead import read_ahead
from asd_jax.errors import InputError

SPLIT = "clips"
_MOST_BYTES = 2**30  # of a record; a protocol buffer may not have 2 GiB


class NotInt16Error(Exception):
    """The samples of a clip are not all multiples of 1/32768."""


@dataclasses.dataclass(eq=False, repr=False)
class RecordingsConfig(tfds.core.BuilderConfig):
    """One machine of one release, at one rate, as one channel, in one sample type; its name says them.

    Attributes:
        clips: those to store, in the order of their records.
        read: waveform of a clip.
        sample_type: `int16` or `float32`.
        fingerprint: of the source; a build with another one is stale.
    """

    clips: Sequence[Clip] = ()
    read: Callable[[Clip], np.ndarray] | None = None
    sample_type: str = "float32"
    fingerprint: str = ""


def to_int16(waveform: np.ndarray) -> np.ndarray:
    """The 16-bit samples that a waveform was decoded from.

    Judging by the values, rather than by what a file's header says, nothing is ever rounded.

    Raises:
        NotInt16Error: it was resampled, mixed or of another sample type, so that 16 bits would change it.
    """
    scaled = waveform * np.float32(32768)
    if scaled.min() >= -32768 and scaled.max() <= 32767:
        samples = scaled.astype(np.int16)
        if np.array_equal(samples, scaled):
            return samples
    raise NotInt16Error


class _UncompressedWriter(tfds.core.ExampleWriter):
    """Writes ArrayRecord as TFDS does, but uncompressed: sound shrinks by a tenth and takes three times as long."""

    def __init__(self) -> None:
        super().__init__(file_format=tfds.core.FileFormat.ARRAY_RECORD)

    def write(self, path: Any, examples: Any) -> None:
        """Write serialized examples into one file."""
        writer = ArrayRecordWriter(str(path), "group_size:1,uncompressed")
        try:
            for _, example in examples:
                writer.write(example)
        finally:
            writer.close()


class _Info(tfds.core.DatasetInfo):
    def initialize_from_bucket(self) -> None:
        """Nothing: TFDS would ask for its own data sets' statistics, and leave an empty folder behind."""


class Recordings(tfds.core.ShardBasedBuilder):
    """Waveforms of the clips that could be read; the metadata lists the indices of those left out."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        config = self.builder_config
        waveform = tfds.features.Tensor(
            shape=(None,), dtype=np.dtype(config.sample_type).type, encoding=tfds.features.Encoding.BYTES
        )
        return _Info(
            builder=self,
            description=config.description,
            features=tfds.features.FeaturesDict({"waveform": waveform}),
            metadata=tfds.core.MetadataDict(fingerprint=config.fingerprint, left_out=[]),
        )

    def _shard_iterators_per_split(self, dl_manager: Any) -> Mapping[str, Sequence[Callable[[], Any]]]:
        return {SPLIT: [self._examples]}

    def _examples(self) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        config = self.builder_config
        stored = (lambda clip: to_int16(config.read(clip))) if config.sample_type == "int16" else config.read
        stream = read_ahead(config.clips, stored)
        bar = tqdm(stream, total=len(config.clips), desc="preparing clips (once)", unit="clip", disable=None)
        for index, (_, samples) in enumerate(bar):
            if isinstance(samples, InputError) or samples.nbytes > _MOST_BYTES:
                self.info.metadata["left_out"].append(index)
                continue
            example = {"waveform": samples}
            yield index, example
            example.clear()  # TFDS keeps what was yielded until the file is written

    def _example_writer(self) -> tfds.core.ExampleWriter:
        return _UncompressedWriter()
