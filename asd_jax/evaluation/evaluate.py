"""Evaluation: scores of the test clips, their measures beside the controls', decisions at the thresholds."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from asd_jax.datasets.clips import Clip, recording_index
from asd_jax.detectors import thresholds
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.recording_scores import of_recordings, worst_clip
from asd_jax.errors import InputError
from asd_jax.evaluation import metrics, oracle_thresholds
from asd_jax.evaluation.metrics import Labels, Measured
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.per_machine import represent

SEED = "seed_"  # how the names of detectors of further seeds begin


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What became of the test clips.

    Attributes:
        clips: the test clips; whole recordings where these were cut into clips.
        scores: by detector's name and scorer; the detector itself is named `detector`, the others are controls.
        decisions: `(n_clips,)` of the headline scorer at its thresholds.
        report: `metrics.json` without the fields that only the run knows.
        worst: where recordings were cut, the index of each recording's worst clip, by the headline scorer, among the
            clips that were scored; else None.
    """

    clips: tuple[Clip, ...]
    scores: dict[str, dict[str, Float[np.ndarray, " n_clips"]]]
    decisions: np.ndarray
    report: dict[str, Any]
    worst: Int[np.ndarray, " n_clips"] | None = None

    @property
    def worst_start_seconds(self) -> Float[np.ndarray, " n_clips"] | None:
        """Where in each recording its worst clip starts; None where recordings were not cut."""
        return None if self.worst is None else np.asarray([clip.start_seconds for clip in self.clips])


def evaluate(
    detectors: dict[str, Detector],
    clips: Sequence[Clip],
    frames: dict[FrontEnd, StoredClips],
    *,
    machine: str = "",
    dataset: str = "",
) -> Evaluation:
    """Score test clips with a detector and its controls, and measure the scores against the labels there are.

    Clips cut from one recording give one score, that of the worst (see `recording_scores`).

    Args:
        detectors: `detector` and the controls, by name; detectors of further seeds, whose names begin with `SEED`,
            count only for the mean and standard deviation over seeds.
        clips: the test clips; those without a label are scored and not measured.
        frames: of the clips, by the front ends of the detectors.
        machine: canonical name of the machine type.
        dataset: name of the data set, which says what the official score is.

    Raises:
        InputError: a clip's machine id is one that the detector was not fitted for.
    """
    seeds = {name: d for name, d in detectors.items() if name.startswith(SEED)}
    detectors = {name: d for name, d in detectors.items() if name not in seeds}
    detector = detectors["detector"]
    _check_machine_ids(detector, clips)
    headline = detector.headline_scorer
    recording = recording_index([clip.recording for clip in clips])

    def by_clip(of: Detector) -> dict[str, np.ndarray]:
        return of.score_frames(frames[of.front_end], [clip.machine_id for clip in clips])

    def by_recording(scores: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: of_recordings(values, recording) for name, values in scores.items()}

    clip_scores = {name: by_clip(of) for name, of in detectors.items()}
    worst = worst_clip(clip_scores["detector"][headline], recording)
    recordings = tuple(dataclasses.replace(clips[index], file_name=clips[index].recording) for index in worst)
    scores = {name: by_recording(values) for name, values in clip_scores.items()}

    labels = Labels.of(recordings, machine=machine, dataset=dataset)
    resamples = labels.resamples()
    measured = {
        name: {scorer: metrics.measure_all(values, labels, resamples) for scorer, values in by_scorer.items()}
        for name, by_scorer in scores.items()
    }
    report = _report(detector, measured, scores["detector"], labels)
    if seeds:
        others = [
            {
                scorer: metrics.measure_all(values, labels).summary
                for scorer, values in by_recording(by_clip(of)).items()
            }
            for of in seeds.values()
        ]
        report["seeds"] = _over_seeds([report["scorers"], *others])
    if any(fitted.pool for by_id in detector.fitted.values() for fitted in by_id.values()):
        clip_labels = Labels.of(clips, machine=machine, dataset=dataset)
        report["single_windows"] = _single_windows(detector, frames[detector.front_end], clip_labels)

    limits = [detector.fitted[headline][clip.machine_id].threshold.value for clip in recordings]
    decisions = scores["detector"][headline] > np.asarray(limits)
    is_cut = any(clip.clip_seconds is not None for clip in clips)
    return Evaluation(recordings, scores, decisions, report, worst if is_cut else None)


def _check_machine_ids(detector: Detector, clips: Sequence[Clip]) -> None:
    unknown = sorted({clip.machine_id for clip in clips} - set(detector.machine_ids))
    if unknown:
        raise InputError(
            f"test clips of {', '.join(unknown)}, but the detector was trained on {', '.join(detector.machine_ids)}; "
            f"restrict the test with --machine_id={','.join(detector.machine_ids)}"
        )


def _report(
    detector: Detector, measured: dict[str, dict[str, Measured]], scores: dict[str, np.ndarray], labels: Labels
) -> dict[str, Any]:
    """What `metrics.json` says of every evaluation: measures, differences, thresholds, settings."""
    headline = detector.headline_scorer
    summaries = {name: {scorer: of.summary for scorer, of in by.items()} for name, by in measured.items()}
    own = summaries.pop("detector")
    for scorer, summary in own.items():
        summary["role"] = "headline" if scorer == headline else "exploratory"
    return {
        "headline_scorer": headline,
        "scorers": own,
        "controls": summaries,
        "differences": _differences(measured, headline),
        "decision_threshold": next(iter(detector.fitted[headline].values())).threshold.name,
        "thresholds": {
            scorer: _threshold_measures(detector, scorer, values, labels) for scorer, values in scores.items()
        },
        "scorer_settings": {
            name: {
                machine_id: {"scorer": fitted.scorer.name, **fitted.settings} for machine_id, fitted in by_id.items()
            }
            for name, by_id in detector.fitted.items()
        },
    }


def _over_seeds(summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over seeds of each scorer's measures, themselves means over machine ids."""
    result: dict[str, Any] = {}
    for scorer in summaries[0]:
        values = {name: [summary[scorer]["mean"][name] for summary in summaries] for name in metrics.MEASURES}
        result[scorer] = {
            name: {"mean": float(np.mean(of)), "standard_deviation": float(np.std(of, ddof=1)), "values": of}
            for name, of in values.items()
            if None not in of
        }
    return result


def _single_windows(detector: Detector, frames: StoredClips, labels: Labels) -> dict[str, Any]:
    """Measures of single windows, by each scorer that pools them; a window has its clip's label.

    Without intervals: the windows of a clip are not independent.
    """
    values = represent(detector.representation, frames)
    ids = np.asarray(labels.machine_ids)
    result: dict[str, Any] = {}
    for label, by_id in detector.fitted.items():
        scores, is_anomaly, window_ids, at_threshold = [], [], [], {}
        for machine_id, fitted in by_id.items():
            chosen = labels.known & (ids == machine_id)
            if fitted.pool is None or not chosen.any():
                continue
            windows = fitted.score_windows(values(machine_id).of(chosen))
            present = ~np.isnan(windows)
            scores.append(windows[present])
            is_anomaly.append(np.broadcast_to(labels.is_anomaly[chosen][:, None], windows.shape)[present])
            window_ids += [machine_id] * len(scores[-1])
            if fitted.window_threshold is not None:
                at = thresholds.measures(fitted.window_threshold, scores[-1], is_anomaly[-1])
                at_threshold.setdefault(fitted.window_threshold.name, {})[machine_id] = at
        if scores:
            result[label] = metrics.summarize(np.concatenate(scores), np.concatenate(is_anomaly), window_ids)
            result[label]["thresholds"] = at_threshold
    return result


def _differences(measured: dict[str, dict[str, Measured]], headline: str) -> dict[str, Any]:
    """Mean AUC and pAUC of the headline and of each scorer that a control has, minus those of each control, with
    paired bootstrap intervals.
    """
    result: dict[str, Any] = {}
    compared = {headline}.union(*(by_scorer for name, by_scorer in measured.items() if name != "detector"))
    for scorer, own in measured["detector"].items():
        if scorer not in compared:
            continue
        result[scorer] = {}
        for control, by_scorer in measured.items():
            for control_scorer, of_control in by_scorer.items():
                # A network's scorer is compared with the same scorer at initialisation, and with every other control.
                if control == "detector" or (scorer in by_scorer and control_scorer != scorer):
                    continue
                result[scorer][f"{control} {control_scorer}"] = metrics.difference(own, of_control)
    return result


def _threshold_measures(
    detector: Detector, scorer: str, scores: Float[np.ndarray, " n_clips"], labels: Labels
) -> dict[str, Any]:
    """Measures at a scorer's thresholds, by rule and machine id: first the one that decides, last the oracles."""
    ids, domains = np.asarray(labels.machine_ids, str), np.asarray(labels.domains, str)
    names = sorted(set(labels.domains) - {""})
    result: dict[str, Any] = {}

    def at(threshold: thresholds.Threshold, of_id: Bool[np.ndarray, " n_clips"]) -> dict[str, Any]:
        values = thresholds.measures(threshold, scores[of_id], labels.is_anomaly[of_id])
        values["selection"] = "oracle" if threshold.method == "oracle" else "label-free"
        if len(names) > 1:  # here a domain's own anomalies, as the challenge's evaluator has it
            values["domains"] = {
                name: thresholds.measures(threshold, scores[part], labels.is_anomaly[part])
                for name in names
                for part in [of_id & (domains == name)]
            }
        return values

    for machine_id, fitted in detector.fitted[scorer].items():
        of_id = labels.known & (ids == machine_id)
        for threshold in (fitted.threshold, *fitted.other_thresholds):
            result.setdefault(threshold.name, {})[machine_id] = at(threshold, of_id)
    for rule in oracle_thresholds.RULES:
        for machine_id in detector.fitted[scorer]:
            of_id = labels.known & (ids == machine_id)
            threshold = oracle_thresholds.fit(rule, scores[of_id], labels.is_anomaly[of_id])
            if threshold is not None:
                result.setdefault(rule, {})[machine_id] = at(threshold, of_id)
    return result
