"""Supplemental clips of DCASE 2025: the machine without noise, or noise alone, for what is trained and nothing else.

What they teach reaches a network; scorers and thresholds rest on ordinary clips, as a detector hears in service.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.errors import InputError

SPLIT = "supplemental"  # of clips that neither train by themselves nor are tested
CLEAN, NOISE = "clean_machine", "noise"  # what they are of: the beginning of their attributes
USES = {"train": CLEAN, "mix": NOISE}
_GAIN_DB = (-6.0, 6.0)  # of a noise clip that is mixed in, against how it was recorded


def wanted(dataset: Dataset, use: str) -> tuple[Clip, ...]:
    """The supplemental clips of a use, `train` or `mix`.

    Raises:
        InputError: there are none.
    """
    kind = USES[use]
    found = tuple(clip for clip in dataset.split(SPLIT) if clip.attributes.startswith(kind))
    if not found:
        words = {CLEAN: "the machine without noise", NOISE: "noise alone"}[kind]
        raise InputError(
            f"`supplemental={use}` needs clips of {words} in supplemental/ of {dataset.machine}, as DCASE 2025 has "
            "them, and there are none; leave it out"
        )
    return found


def noisy(
    clips: Sequence[Clip], noises: Sequence[Clip], read: Callable[[Clip], np.ndarray], *, seed: int
) -> Callable[[Clip], Float[np.ndarray, " n_samples"]]:
    """A way to read training clips with noise mixed in: of their machine id, where there is some, else of any.

    Which noise, from where on, and how loud (-6 to 6 dB against its recording) follow from seed and clip name.

    Args:
        clips: that will be read.
        noises: noise clips.
        read: waveform of a clip.
        seed: of the draws.
    """
    of_machine = {clip.machine: [noise for noise in noises if noise.machine == clip.machine] for clip in clips}

    def mixed(clip: Clip) -> Float[np.ndarray, " n_samples"]:
        digest = hashlib.sha256(f"{seed} {clip.file_name}".encode()).digest()
        rng = np.random.default_rng(np.frombuffer(digest, np.uint32))
        candidates = of_machine[clip.machine] or noises
        noise = read(candidates[rng.integers(len(candidates))])
        waveform = read(clip)
        start, gain = rng.integers(len(noise)), 10 ** (rng.uniform(*_GAIN_DB) / 20)
        added = np.resize(np.roll(noise, -start), len(waveform))
        return np.clip(waveform + np.float32(gain) * added, -1.0, 1.0)

    return mixed
