"""Maps of the test clips for a report: a network's squared residual, else how far the log-mel is from normal."""

from collections.abc import Iterator, Sequence

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.bundle import LOG_MEL_MEAN, Detectors
from asd_jax.detectors.detector import Detector
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.per_machine import PerMachine
from asd_jax.representations.residual import Residual
from asd_jax.representations.residual_maps import ClipMap, residual_maps


def has_network(detector: Detector) -> bool:
    """Whether the detector looks at residuals."""
    return isinstance(detector.representation, Residual | PerMachine)


def clip_maps(detectors: Detectors, frames: StoredClips, machines: Sequence[Machine]) -> Iterator[tuple[int, ClipMap]]:
    """The map of each clip, in any order, with its index.

    Without a network `expected` is the mean log-mel of the normal training clips of the machine, which the control
    keeps, and `squared` the squared difference to it in dB².

    Args:
        detectors: of the run.
        frames: of the clips, from the detector's front end or without a network from the control's.
        machines: of each clip.
    """
    representation = detectors.system.representation
    if isinstance(representation, Residual):
        yield from residual_maps(representation, frames)
        return
    for machine in dict.fromkeys(machines):
        chosen = [index for index, of in enumerate(machines) if of == machine]
        if isinstance(representation, PerMachine):
            for place, found in residual_maps(representation.parts[machine], frames.select(np.asarray(chosen))):
                yield chosen[place], found
            continue
        control = detectors.controls[LOG_MEL_MEAN].fitted["mahalanobis"][machine].scorer
        for index in chosen:
            clip = frames.clip(index)
            expected = np.broadcast_to(control.mean, clip.shape).astype(np.float32)
            deviation = (clip.mean(axis=0) - control.mean) * control.scale
            yield index, ClipMap(expected, np.square(clip - expected), deviation)
