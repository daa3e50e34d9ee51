"""Which recordings a run is about, as its config says it."""

import dataclasses
from collections.abc import Callable

from asd_jax.datasets.clips import Dataset
from asd_jax.datasets.cutting import Cutting
from asd_jax.datasets.prepared import prepared
from asd_jax.errors import InputError
from asd_jax.files import hidden


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

    machine: str = "slide_rail"
    data_dir: str | None = None
    dataset: str | None = None
    machine_ids: tuple[str, ...] = ()
    channel: str | None = None
    skip_bad_files: bool = False
    split_seed: int = 0
    clip_seconds: float | None = None
    clip_hop_seconds: float | None = None
    cache_dir: str | None = hidden(default=None)

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

    def open(self, sample_rate: int, say: Callable[[str], None] = print) -> Dataset:
        """List the clips, and prepare them where they are on disk and there is a `cache_dir`.

        A machine is prepared as a whole, whichever of its ids are asked for.
        """
        dataset = self._list(sample_rate, self.machine_ids)
        if self.data_dir is None or self.cache_dir is None:
            return dataset
        whole = prepared(
            self._list(sample_rate, ()) if self.machine_ids else dataset,
            data_dir=self.data_dir,
            cache_dir=self.cache_dir,
            sample_rate=sample_rate,
            channel=dataset.channel,
            say=say,
        )
        return dataclasses.replace(dataset, read=whole.read)

    def _list(self, sample_rate: int, machine_ids: tuple[str, ...]) -> Dataset:
        from asd_jax.datasets import open_dataset

        return open_dataset(
            machine=self.machine,
            data_dir=self.data_dir,
            name=self.dataset,
            machine_ids=machine_ids,
            sample_rate=sample_rate,
            channel=self.channel,
            split_seed=self.split_seed,
            cutting=self.cutting,
        )
