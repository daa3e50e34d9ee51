"""The built-in machine: a data set that needs no recordings."""

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.config import SYNTHETIC, DataConfig
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.near_far import NO_REFERENCE, without_reference
from asd_jax.errors import InputError


def load(data: DataConfig, *, sample_rate: int = 16_000) -> Dataset:
    """The synthetic slide rail with its default settings, whose clips are synthesized when they are read.

    Args:
        data: its machine is `slide_rail`, the only one built in.
        sample_rate: of the waveforms, in Hz, at least 16000.

    Raises:
        InputError: another machine or an id that is not built in, or settings that only recordings have.
    """
    from asd_jax.datasets import far_microphone, synthetic

    if data.dataset not in (None, SYNTHETIC):
        raise InputError(f"`dataset`={data.dataset} needs `data_dir`, the folder with its recordings")
    if data.cutting is not None:
        raise InputError("`clip_seconds` cuts recordings; without `data_dir` there are none, leave it out")
    if data.machine is not None and canonical_machine(data.machine) != synthetic.MACHINE_TYPE:
        raise InputError(
            f"`machine`={data.machine} needs recordings: pass their folder as `data_dir`. Built in, without "
            f"recordings, is {synthetic.MACHINE_TYPE} (synthetic)"
        )
    unknown = sorted(set(data.machine_ids) - set(synthetic.MACHINE_IDS))
    if unknown:
        raise InputError(
            f"`machine_ids`={','.join(unknown)}: the synthetic slide rail has {', '.join(synthetic.MACHINE_IDS)}"
        )
    reference = data.reference_channel not in (None, NO_REFERENCE)
    if data.reference_channel not in (None, NO_REFERENCE, "1"):
        raise InputError(f"`reference_channel`={data.reference_channel}: the far microphone of the slide rail is 1")
    if data.far_bleed and not reference:
        raise InputError("`far_bleed` is of the far microphone; give `reference_channel=1` too")
    config = synthetic.SlideRailConfig(sample_rate=sample_rate, far_bleed=data.far_bleed)
    clips = tuple(
        clip for clip in synthetic.clip_names(config) if not data.machine_ids or clip.machine_id in data.machine_ids
    )

    def pair(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
        return far_microphone.synthesize_pair(config, clip.file_name)

    def read(clip: Clip) -> Float[np.ndarray, " n_samples"]:
        return without_reference(*pair(clip)) if reference else synthetic.synthesize(config, clip.file_name)

    low, high = config.snr_db
    description = (
        f"built-in synthetic slide rail, not recordings ({len(clips)} clips of {config.clip_seconds:g} s in factory "
        f"noise at {low:g} to {high:g} dB SNR)"
    )
    if not reference:
        return Dataset(SYNTHETIC, synthetic.MACHINE_TYPE, clips, read, description)
    description += f"; a far microphone that hears the machine at {data.far_bleed:g} of the near one is taken away"
    return Dataset(SYNTHETIC, synthetic.MACHINE_TYPE, clips, read, description, "0-1", pair=pair)
