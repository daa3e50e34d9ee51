"""Maps of the test clips for a report: a network's squared residual, else how far the log-mel is from normal."""

from collections.abc import Iterator, Sequence

import numpy as np

from asd_jax.detectors.detector import Detector
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.per_machine import PerMachine
from asd_jax.representations.residual import Residual
from asd_jax.representations.residual_maps import ClipMap, residual_maps

CONTROL = "log_mel_mean"


def has_network(detector: Detector) -> bool:
    """Whether the detector looks at residuals."""
    return isinstance(detector.representation, Residual | PerMachine)


def clip_maps(
    detectors: dict[str, Detector], frames: StoredClips, machine_ids: Sequence[str]
) -> Iterator[tuple[int, ClipMap]]:
    """The map of each clip, in any order, with its index.

    Without a network `expected` is the mean log-mel of the normal training clips of the machine id, which the control
    keeps, and `squared` the squared difference to it in dB².

    Args:
        detectors: `detector` and its controls.
        frames: of the clips, from the detector's front end or without a network from the control's.
        machine_ids: of each clip.
    """
    ids, detector = np.asarray(machine_ids), detectors["detector"]
    if isinstance(detector.representation, Residual):
        yield from residual_maps(detector.representation, frames)
        return
    for machine_id in sorted(set(machine_ids)):
        chosen = np.flatnonzero(ids == machine_id)
        if isinstance(detector.representation, PerMachine):
            part = detector.representation.of_machine(machine_id)
            for place, found in residual_maps(part, frames.select(chosen)):
                yield int(chosen[place]), found
            continue
        control = detectors[CONTROL].fitted["mahalanobis"][machine_id].scorer
        for index in chosen.tolist():
            clip = frames.clip(index)
            expected = np.broadcast_to(control.mean, clip.shape).astype(np.float32)
            deviation = (clip.mean(axis=0) - control.mean) * control.scale
            yield index, ClipMap(expected, np.square(clip - expected), deviation)
