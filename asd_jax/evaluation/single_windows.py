"""Measures of single windows, beside those of the clips whose scores are pooled from them."""

from collections.abc import Sequence

import numpy as np

from asd_jax.datasets.clips import Clip
from asd_jax.detectors.detector import Detector
from asd_jax.evaluation import metrics
from asd_jax.evaluation.decisions import at_threshold
from asd_jax.evaluation.results import AtThreshold, Windows
from asd_jax.features.stored_clips import StoredClips


def single_windows(system: Detector, frames: StoredClips, clips: Sequence[Clip]) -> dict[str, Windows]:
    """Measures of the windows of labelled clips by each scorer that pools windows; a window has its clip's label.

    Without intervals: the windows of a clip are not independent.

    Args:
        system: whose scorers are asked.
        frames: of the clips.
        clips: of one machine type.
    """
    pooling = {
        scorer: {machine: of for machine, of in by.items() if of.pool is not None}
        for scorer, by in system.fitted.items()
    }
    pooling = {scorer: by for scorer, by in pooling.items() if by}
    labelled = np.flatnonzero([clip.is_anomaly is not None for clip in clips])
    if not pooling or len(labelled) == 0:
        return {}
    clips = [clips[index] for index in labelled]
    is_anomaly = np.asarray([clip.is_anomaly for clip in clips])
    values = system.representation(frames.select(labelled), [clip.machine for clip in clips])
    result = {}
    for scorer, by_machine in pooling.items():
        scores, labels, ids = [], [], []
        thresholds: dict[str, dict[str, AtThreshold]] = {}
        for machine, fitted in by_machine.items():
            own = np.asarray([clip.machine == machine for clip in clips])
            if not own.any():
                continue
            windows = fitted.score_windows(values.of(own))
            present = ~np.isnan(windows)
            scores.append(windows[present])
            labels.append(np.broadcast_to(is_anomaly[own][:, None], windows.shape)[present])
            ids += [machine.machine_id] * len(scores[-1])
            if (limit := fitted.window_threshold) is not None:
                thresholds.setdefault(limit.name, {})[machine.machine_id] = at_threshold(limit, scores[-1], labels[-1])
        found = metrics.summarize(np.concatenate(scores), np.concatenate(labels), ids)
        result[scorer] = Windows(found.machine_ids, found.pooled, found.mean, found.harmonic_mean, thresholds)
    return result
