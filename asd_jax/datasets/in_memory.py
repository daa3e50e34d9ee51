"""A data set of waveforms that a program has in its hands, in the place of files."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.errors import InputError

OWN = "own"


def from_waveforms(
    clips: Sequence[Clip],
    waveforms: Sequence[np.ndarray] | np.ndarray,
    *,
    sample_rate: int = 16_000,
    name: str = OWN,
    description: str = "",
) -> Dataset:
    """A data set of clips and their waveforms, for `runs.run(config, folder, dataset=...)`.

    Args:
        clips: what is known of each: a name of its own, the machine id, `train` or `test`, for test clips the label,
            the machine type. All clips of training are taken for normal.
        waveforms: `(n_samples,)` each, mono, of floats in [-1, 1), all at `sample_rate`.
        sample_rate: in Hz, that of the run's front end: 16 kHz for all but a few published networks.
        name: of the data set in results; that of a release gives its official score.
        description: what a reader of the results should know.

    Raises:
        InputError: not a waveform for each clip, a name that comes twice, two machine types, or what is no waveform.
    """
    clips, waveforms = tuple(clips), [np.asarray(waveform) for waveform in waveforms]
    if len(clips) != len(waveforms) or not clips:
        raise InputError(f"{len(clips)} clips and {len(waveforms)} waveforms; give a waveform for each clip")
    types = {clip.machine_type for clip in clips}
    if len(types) > 1:
        raise InputError(f"clips of several machine types ({', '.join(sorted(types))}); give a data set for each")
    by_name = {}
    for clip, waveform in zip(clips, waveforms, strict=True):
        if clip.file_name in by_name:
            raise InputError(f"two clips are called {clip.file_name}; give each a name of its own")
        if waveform.ndim != 1 or not np.issubdtype(waveform.dtype, np.floating) or len(waveform) == 0:
            raise InputError(
                f"the waveform of {clip.file_name} is {waveform.dtype} of shape {waveform.shape}; give mono floats, "
                "(n_samples,)"
            )
        if not np.isfinite(waveform).all():
            raise InputError(f"the waveform of {clip.file_name} holds NaN or infinite samples")
        by_name[clip.file_name] = waveform.astype(np.float32)
    machine = types.pop() or name
    named = tuple(dataclasses.replace(clip, machine_type=machine) for clip in clips)
    return Dataset(
        name, machine, named, lambda clip: by_name[clip.file_name].copy(), description, sample_rate=sample_rate
    )
