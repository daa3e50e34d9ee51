"""Evaluation: scores of the test clips, their measures beside the controls', decisions at the thresholds."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from asd_jax.datasets.clips import Clip, Machine, recording_index
from asd_jax.detectors.bundle import Detectors
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.recordings import statistics
from asd_jax.detectors.thresholds import Method, Threshold
from asd_jax.errors import InputError
from asd_jax.evaluation import metrics, oracle_thresholds
from asd_jax.evaluation.decisions import at_threshold
from asd_jax.evaluation.heard import Heard
from asd_jax.evaluation.metrics import Labels, Measured
from asd_jax.evaluation.results import (
    MEASURES,
    AtThreshold,
    Difference,
    Results,
    Role,
    Spread,
    Summary,
    difference_name,
)
from asd_jax.evaluation.single_windows import single_windows
from asd_jax.features import AnyFrontEnd
from asd_jax.features.stored_clips import StoredClips


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What became of the test clips.

    Attributes:
        clips: the test clips; whole recordings where these were cut into clips, which start where their worst three
            clips do.
        scores: by scorer of the system.
        decisions: `(n_clips,)` of the headline scorer, as `Detector.judge` decides; masked where there is none.
        results: what `metrics.json` holds, without the fields that only the run knows.
        worst: where recordings were cut, the index of the clip at which the worst three of each recording begin (see
            `recordings.statistic`), by the headline scorer, among the clips that were scored; else None.
        further_seeds: what the detectors of further seeds make of the same recordings.
    """

    clips: tuple[Clip, ...]
    scores: Mapping[str, Float[np.ndarray, " n_clips"]]
    decisions: np.ma.MaskedArray
    results: Results
    worst: Int[np.ndarray, " n_clips"] | None = None
    further_seeds: Mapping[int, Heard] = dataclasses.field(default_factory=dict)


def evaluate(
    detectors: Detectors,
    clips: Sequence[Clip],
    frames: Mapping[AnyFrontEnd, StoredClips],
    *,
    machine: str = "",
    dataset: str = "",
    seconds: Sequence[float] = (),
    cross_validated: Mapping[str, Mapping[str, float]] | None = None,
) -> Evaluation:
    """Score test clips with a system and its controls, and measure the scores against the labels there are.

    Clips cut from one recording give one score and one decision (see `recordings`).

    Args:
        detectors: of a run; those of further seeds are measured beside it, for the spread over seeds.
        clips: the test clips, all of one machine type; those without a label are scored and not measured.
        frames: of the clips, by the front ends of the detectors.
        machine: canonical name of the machine type.
        dataset: name of the data set, which says what the official score is.
        seconds: how long each clip is; those far shorter than the detector's get no decision.
        cross_validated: the system's scores of clips that it was fitted on, by what was not, by scorer and file name:
            they count in the place of its own.

    Raises:
        InputError: a clip's machine is one that the system was not fitted for.
    """
    _check_machines(detectors.system, clips)
    system = detectors.system.of_machine_type(clips[0].machine_type)
    headline = system.headline_scorer
    recording = recording_index([clip.recording for clip in clips])

    def scores_of(detector: Detector) -> dict[str, np.ndarray]:
        return detector.score_frames(frames[detector.front_end], [clip.machine for clip in clips])

    def by_recording(detector: Detector) -> dict[str, np.ndarray]:
        found = scores_of(detector).items()
        return {name: statistics(of, recording, consecutive=detector.consecutive)[0] for name, of in found}

    own_scores = scores_of(system)
    for name, by_file in (cross_validated or {}).items():
        pairs = zip(clips, own_scores[name], strict=True)
        own_scores[name] = np.asarray([by_file.get(clip.file_name, score) for clip, score in pairs])
    heard = Heard.from_clips(system, clips, own_scores, seconds)
    recordings, scores = heard.recordings, heard.scores
    labels = Labels.of(recordings, machine=machine, dataset=dataset)
    resamples = labels.resamples()

    def measured(scores: Mapping[str, np.ndarray]) -> dict[str, Measured]:
        return {scorer: metrics.measure_all(values, labels, resamples) for scorer, values in scores.items()}

    own = measured(scores)
    controls = {name: measured(by_recording(of)) for name, of in detectors.controls.items()}
    further = {
        seed: Heard.from_clips(of.of_machine_type(clips[0].machine_type), clips, scores_of(of), seconds)
        for seed, of in detectors.further_seeds.items()
    }
    seeds = {
        seed: {name: metrics.measure_all(values, labels) for name, values in of.scores.items()}
        for seed, of in further.items()
    }
    is_cut = any(clip.clip_seconds is not None for clip in clips)
    results = Results(
        machine=machine,
        dataset=dataset,
        headline_scorer=headline,
        scorers={
            name: _with_role(of, Role.HEADLINE if name == headline else Role.EXPLORATORY) for name, of in own.items()
        },
        controls={
            control: {name: _with_role(of, Role.CONTROL) for name, of in by_scorer.items()}
            for control, by_scorer in controls.items()
        },
        differences=_differences(own, controls, headline),
        decision_threshold=system.fitted[headline][clips[0].machine].threshold.name,
        thresholds={scorer: _at_thresholds(scorer, heard, labels) for scorer in scores},
        scorer_settings={
            name: {
                key.machine_id: {"scorer": fitted.scorer.name, **fitted.settings} for key, fitted in by_machine.items()
            }
            for name, by_machine in system.fitted.items()
        },
        seeds=_over_seeds([own, *seeds.values()]) if seeds else {},
        by_seed={str(seed): {name: of.summary for name, of in measured.items()} for seed, measured in seeds.items()},
        single_windows=single_windows(system, frames[system.front_end], clips),
    )
    worst = heard.worst if is_cut else None
    return Evaluation(recordings, scores, heard.decisions(headline), results, worst, further)


def _check_machines(system: Detector, clips: Sequence[Clip]) -> None:
    unknown = sorted({clip.machine for clip in clips} - set(system.machines))
    if unknown:
        known = system.machine_ids
        raise InputError(
            f"test clips of {', '.join(machine.machine_id for machine in unknown)}, but the detector was trained on "
            f"{', '.join(known)}; restrict the test with `machine_id={','.join(known)}`"
        )


def _with_role(measured: Measured, role: Role) -> Summary:
    return dataclasses.replace(measured.summary, role=role)


def _over_seeds(seeds: Sequence[Mapping[str, Measured]]) -> dict[str, dict[str, Spread]]:
    """Mean and standard deviation over seeds of each scorer's measures, themselves means over machine ids."""
    result: dict[str, dict[str, Spread]] = {}
    for scorer in seeds[0]:
        values = {name: [getattr(seed[scorer].summary.mean, name) for seed in seeds] for name in MEASURES}
        result[scorer] = {
            name: Spread(float(np.mean(of)), float(np.std(of, ddof=1)), tuple(of))
            for name, of in values.items()
            if None not in of
        }
    return result


def _differences(
    own: Mapping[str, Measured], controls: Mapping[str, Mapping[str, Measured]], headline: str
) -> dict[str, dict[str, Difference]]:
    """Mean AUC and pAUC of the headline and of each scorer that a control has, minus those of each control, with
    paired bootstrap intervals.

    A network's scorer is compared with the same scorer at initialisation, and with every other control.
    """
    compared = {headline}.union(*controls.values())
    return {
        scorer: {
            difference_name(control, name): metrics.difference(measured, of_control)
            for control, by_scorer in controls.items()
            for name, of_control in by_scorer.items()
            if name == scorer or scorer not in by_scorer
        }
        for scorer, measured in own.items()
        if scorer in compared
    }


def _at_thresholds(
    scorer: str,
    heard: Heard,
    labels: Labels,
) -> dict[str, dict[str, AtThreshold]]:
    """Measures at a scorer's thresholds, by rule and machine id: first the one that decides, last the oracles."""
    scores, domains = heard.scores[scorer], np.asarray(labels.domains, str)
    names = sorted(set(labels.domains) - {""})
    result: dict[str, dict[str, AtThreshold]] = {}

    def add(machine: Machine, threshold: Threshold, own: Bool[np.ndarray, " n_clips"]) -> None:
        is_oracle = threshold.method is Method.ORACLE
        oracle = np.full(len(scores), threshold.value)
        held_against = oracle if is_oracle else heard.limits(scorer, machine, threshold)
        parts = {name: own & (domains == name) for name in names if len(names) > 1}
        result.setdefault(threshold.name, {})[machine.machine_id] = at_threshold(
            threshold,
            scores[own],
            labels.is_anomaly[own],
            limits=held_against[own],
            selection="oracle" if is_oracle else "label-free",
            # Here a domain's own anomalies, as the challenge's evaluator has it.
            domains={
                name: at_threshold(threshold, scores[part], labels.is_anomaly[part], limits=held_against[part])
                for name, part in parts.items()
            },
        )

    known = {key: labels.known & heard.long_enough & heard.of(key) for key in heard.detector.fitted[scorer]}
    for key, fitted in heard.detector.fitted[scorer].items():
        for threshold in (fitted.threshold, *fitted.other_thresholds):
            add(key, threshold, known[key])
    for rule in oracle_thresholds.RULES:
        for key, own in known.items():
            if threshold := oracle_thresholds.fit(rule, scores[own], labels.is_anomaly[own]):
                add(key, threshold, own)
    return result
