"""Which recordings: `DataConfig`, the one argument of `open_dataset`, and a part of what a run records."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

from asd_jax.datasets import layouts
from asd_jax.datasets.clips import Dataset
from asd_jax.datasets.cutting import Cutting
from asd_jax.datasets.near_far import NO_REFERENCE
from asd_jax.datasets.supplemental import USES
from asd_jax.errors import InputError
from asd_jax.features.storage import Storage
from asd_jax.files import cache_folder, hidden, sparse

SYNTHETIC = "synthetic"
NAMES = (SYNTHETIC, *layouts.REGISTRY)


def known_layout(name: str | None) -> str | None:
    """The name, of a layout or None; an InputError says which there are."""
    if name is not None and name not in NAMES:
        raise InputError(f"`dataset`={name}: not known; there are {', '.join(NAMES)}")
    if name == SYNTHETIC:
        raise InputError(f"`dataset`={name} is built in; leave `data_dir` out")
    return name


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which recordings.

    Attributes:
        machine: canonical name or a release's own; None for the only one there is. Several, separated by commas, are
            one data set.
        data_dir: folder of recordings, in one of the layouts of `layouts.REGISTRY`, at any depth; None for the
            built-in synthetic slide rail.
        dataset: one of `NAMES`, to force a layout; None recognises it.
        machine_ids: keep only these; all when empty.
        channel: `mix` or a channel's number; None for the layout's own, which is `mix` for all but MIMII, ToyADMOS
            and stereo recordings laid out as DCASE 2026's; `0-1` is channel 0 with reference channel 1.
        reference_channel: number of a microphone far from the machine, what it explains is taken away; `none` for none;
            None for the layout's own, which is 1 for stereo recordings laid out as DCASE 2026's, unless a `channel` is
            named.
        far_bleed: of the built-in slide rail with a `reference_channel`: how loud its far microphone hears the machine,
            relative to the near one.
        supplemental: what becomes of the supplemental clips of DCASE 2025: `train` trains on the machine without noise
            too, `mix` on training clips with its noise mixed in; None leaves them out.
        skip_bad_files: leave bad files out and count them.
        split_seed: of the split into train and test, where the recordings come without one.
        clip_seconds: length of the clips that recordings are cut into, after the split; None leaves them whole.
        clip_hop_seconds: from the start of a clip to that of the next; None for clips side by side.
        embeddings: file of vectors that were computed elsewhere, in the place of what would be heard (see
            `embeddings`); with `data_dir` the recordings are there too.
        cache_dir: folder where recordings are prepared once; None reads every clip from its file. Not a setting of
            a run, since the waveforms are the same.
        max_memory_gb: what frames or samples of clips may take in memory, in 1e9 bytes; what takes more lies in a file
            of `cache_dir` and is read from there. None for half of the memory that is free. No setting of a run either.
    """

    machine: str | None = None
    data_dir: str | None = None
    dataset: str | None = None
    machine_ids: tuple[str, ...] = ()
    channel: str | None = None
    reference_channel: str | None = sparse()
    far_bleed: float = sparse(0.0)
    supplemental: str | None = sparse()
    skip_bad_files: bool = False
    split_seed: int = 0
    clip_seconds: float | None = None
    clip_hop_seconds: float | None = None
    embeddings: str | None = sparse()
    cache_dir: str | None = hidden(default=None)
    max_memory_gb: float | None = hidden(default=None)

    def __post_init__(self) -> None:
        if self.machine is not None and (set(self.machine) & set("/\\\0") or self.machine.strip(". ") == ""):
            raise InputError(f"`machine`={self.machine}: give a name, such as slide_rail, not a path")

    @property
    def cutting(self) -> Cutting | None:
        """How recordings are cut into clips.

        Raises:
            InputError: a hop without a length, or seconds that cannot be.
        """
        if self.clip_seconds is None:
            if self.clip_hop_seconds is not None:
                raise InputError("`clip_hop_seconds` needs `clip_seconds`, the length of a clip")
            return None
        return Cutting(self.clip_seconds, self.clip_seconds if self.clip_hop_seconds is None else self.clip_hop_seconds)

    def storage(self) -> Storage:
        """Where frames of the recordings go; a file lies in the user's cache folder where there is no `cache_dir`.

        Raises:
            InputError: `max_memory_gb` cannot be.
        """
        return Storage.of(self.max_memory_gb, Path(self.cache_dir or cache_folder()) / "frames")

    def open(
        self, sample_rate: int = 16_000, say: Callable[[str], None] = print, *, usual_seconds: float | None = None
    ) -> Dataset:
        """List the clips, and prepare them where they are on disk and there is a `cache_dir`.

        A machine is prepared as a whole, whichever of its ids are asked for.

        Args:
            sample_rate: in Hz, of the waveforms that `Dataset.read` gives.
            say: takes a line for the user when recordings are prepared.
            usual_seconds: how long clips are where `clip_seconds` does not say it: far longer recordings are cut
                likewise. The median of the training recordings by default; infinite to leave all whole.

        Raises:
            InputError: see `folder.load`, `embeddings.load`, `built_in.load` and `prepared`; or settings that do not
                go together.
        """
        from asd_jax.datasets import built_in, embeddings, folder  # late: they read a DataConfig
        from asd_jax.datasets.prepared import prepared
        from asd_jax.datasets.together import together

        if self.machine is not None and "," in self.machine:
            parts = [dataclasses.replace(self, machine=name) for name in self.machine.split(",")]
            return together([part.open(sample_rate, say, usual_seconds=usual_seconds) for part in parts])
        if self.supplemental not in (None, *USES):
            raise InputError(f"`supplemental={self.supplemental}`: give {' or '.join(USES)}, or leave it out")
        if self.data_dir is not None or self.dataset != SYNTHETIC:
            known_layout(self.dataset)
        if not sample_rate > 0:
            raise InputError(f"sample_rate={sample_rate}: give the samples a second, above 0")
        if self.channel not in (None, "mix") and not re.fullmatch(r"\d+(-\d+)?", self.channel):
            raise InputError(f"`channel`={self.channel}: give mix or a channel's number, from 0")
        if self.reference_channel not in (None, NO_REFERENCE) and not self.reference_channel.isdecimal():
            raise InputError(f"`reference_channel`={self.reference_channel}: give a channel's number, from 0, or none")
        if self.embeddings is not None:
            return embeddings.load(self, sample_rate=sample_rate)
        if self.data_dir is None:
            return built_in.load(self, sample_rate=sample_rate)
        options = {"sample_rate": sample_rate, "usual_seconds": usual_seconds}
        dataset = folder.load(self, **options)
        if self.cache_dir is None:
            return dataset
        all_ids = dataclasses.replace(self, machine_ids=())
        whole = prepared(
            folder.load(all_ids, **options) if self.machine_ids else dataset,
            data_dir=self.data_dir,
            cache_dir=self.cache_dir,
            sample_rate=sample_rate,
            channel=dataset.channel,
            say=say,
        )
        return dataclasses.replace(dataset, read=whole.read)
