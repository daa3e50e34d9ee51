"""Evaluation: scores of the test clips, their measures beside the controls', and the files and tables of a run."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax import metrics, thresholds
from asd_jax.datasets.clips import Clip
from asd_jax.detector import Detector
from asd_jax.errors import InputError
from asd_jax.extraction import ClipFrames
from asd_jax.features import FrontEnd
from asd_jax.recording_scores import of_recordings, recording_index, worst_clip
from asd_jax.representations import represent

SEED = "seed_"  # how the names of detectors of further seeds begin


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What became of the test clips.

    Attributes:
        clips: the test clips; whole recordings where these were cut into clips.
        scores: by detector's name and scorer; the detector itself is named `detector`, the others are controls.
        decisions: `(n_clips,)` of the headline scorer at its thresholds.
        report: `metrics.json` without the fields that only the run knows.
        worst_start_seconds: where in each recording its worst clip starts, by the headline scorer; None where
            recordings were not cut.
    """

    clips: tuple[Clip, ...]
    scores: dict[str, dict[str, Float[np.ndarray, " n_clips"]]]
    decisions: np.ndarray
    report: dict[str, Any]
    worst_start_seconds: Float[np.ndarray, " n_clips"] | None = None


def evaluate(detectors: dict[str, Detector], clips: Sequence[Clip], frames: dict[FrontEnd, ClipFrames]) -> Evaluation:
    """Score test clips with a detector and its controls, and measure the scores against the labels there are.

    Clips cut from one recording give one score, that of the worst (see `recording_scores`).

    Args:
        detectors: `detector` and the controls, by name; detectors of further seeds, whose names begin with `SEED`,
            count only for the mean and standard deviation over seeds.
        clips: the test clips; those without a label are scored and not measured.
        frames: of the clips, by the front ends of the detectors.

    Raises:
        InputError: a clip's machine id is one that the detector was not fitted for.
    """
    seeds = {name: d for name, d in detectors.items() if name.startswith(SEED)}
    detectors = {name: d for name, d in detectors.items() if name not in seeds}
    detector = detectors["detector"]
    machine_ids = [clip.machine_id for clip in clips]
    unknown = sorted(set(machine_ids) - set(detector.machine_ids))
    if unknown:
        raise InputError(
            f"test clips of {', '.join(unknown)}, but the detector was trained on {', '.join(detector.machine_ids)}; "
            f"restrict the test with --machine_id={','.join(detector.machine_ids)}"
        )
    headline = detector.headline_scorer
    parts, part_ids = clips, machine_ids
    recording = recording_index([clip.recording for clip in parts])

    by_part = {name: d.score_frames(frames[d.front_end], part_ids) for name, d in detectors.items()}
    worst = worst_clip(by_part["detector"][headline], recording)
    clips = [dataclasses.replace(parts[index], file_name=parts[index].recording) for index in worst]
    machine_ids = [clip.machine_id for clip in clips]

    def whole(scores: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: of_recordings(values, recording) for name, values in scores.items()}

    scores = {name: whole(values) for name, values in by_part.items()}
    limits = np.asarray([detector.fitted[headline][machine_id].threshold.value for machine_id in machine_ids])
    labelled = np.asarray([clip.is_anomaly is not None for clip in clips])
    is_anomaly = np.asarray([bool(clip.is_anomaly) for clip in clips])[labelled]
    ids = [machine_id for machine_id, known in zip(machine_ids, labelled, strict=True) if known]

    def summaries(of_detector: dict[str, np.ndarray]) -> dict[str, Any]:
        return {name: metrics.summarize(values[labelled], is_anomaly, ids) for name, values in of_detector.items()}

    own = summaries(scores["detector"])
    for name, summary in own.items():
        summary["role"] = "headline" if name == headline else "exploratory"
    controls = {name: summaries(values) for name, values in scores.items() if name != "detector"}
    report = {
        "headline_scorer": headline,
        "scorers": own,
        "controls": controls,
        "differences": _differences(scores, headline, labelled, is_anomaly, ids),
        "thresholds": _threshold_measures(detector, scores["detector"], clips, labelled),
    }
    if seeds:
        others = [summaries(whole(d.score_frames(frames[d.front_end], part_ids))) for d in seeds.values()]
        report["seeds"] = _over_seeds([own, *others])
    if any(fitted.pool for by_id in detector.fitted.values() for fitted in by_id.values()):
        report["single_windows"] = _single_windows(detector, frames[detector.front_end], parts)
    report["scorer_settings"] = {
        name: {machine_id: {"scorer": fitted.scorer.name, **fitted.settings} for machine_id, fitted in by_id.items()}
        for name, by_id in detector.fitted.items()
    }
    is_cut = any(clip.clip_seconds is not None for clip in parts)
    starts = np.asarray([clip.start_seconds for clip in clips]) if is_cut else None
    return Evaluation(tuple(clips), scores, scores["detector"][headline] > limits, report, starts)


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


def _single_windows(detector: Detector, frames: ClipFrames, clips: Sequence[Clip]) -> dict[str, Any]:
    """Measures of single windows, by each scorer that pools them; a window has its clip's label."""
    values = represent(detector.representation, frames)
    ids = np.asarray([clip.machine_id for clip in clips])
    labelled = np.asarray([clip.is_anomaly is not None for clip in clips])
    is_anomaly = np.asarray([bool(clip.is_anomaly) for clip in clips])
    result: dict[str, Any] = {}
    for label, by_id in detector.fitted.items():
        scores, labels, window_ids, at_threshold = [], [], [], {}
        for machine_id, fitted in by_id.items():
            chosen = labelled & (ids == machine_id)
            if fitted.pool is None or not chosen.any():
                continue
            windows = fitted.score_windows(values(machine_id).of(chosen))
            present = ~np.isnan(windows)
            scores.append(windows[present])
            labels.append(np.broadcast_to(is_anomaly[chosen][:, None], windows.shape)[present])
            window_ids += [machine_id] * len(scores[-1])
            at = thresholds.measures(fitted.window_threshold, scores[-1], labels[-1])
            at_threshold.setdefault(fitted.window_threshold.name, {})[machine_id] = at
        if scores:
            result[label] = metrics.summarize(np.concatenate(scores), np.concatenate(labels), window_ids)
            result[label]["thresholds"] = at_threshold
    return result


def _differences(
    scores: dict[str, dict[str, np.ndarray]],
    headline: str,
    labelled: np.ndarray,
    is_anomaly: np.ndarray,
    ids: list[str],
) -> dict[str, Any]:
    """Mean AUC of the headline and of each scorer that a control has, minus that of each control, with paired
    bootstrap intervals.
    """
    result: dict[str, Any] = {}
    compared = {headline}.union(*(by_scorer for name, by_scorer in scores.items() if name != "detector"))
    for scorer, values in scores["detector"].items():
        if scorer not in compared:
            continue
        result[scorer] = {}
        for control, by_scorer in scores.items():
            for control_scorer, control_values in by_scorer.items():
                # A network's scorer is compared with the same scorer at initialisation, and with every other control.
                if control == "detector" or (scorer in by_scorer and control_scorer != scorer):
                    continue
                result[scorer][f"{control} {control_scorer}"] = metrics.paired_bootstrap(
                    values[labelled], control_values[labelled], is_anomaly, ids
                )
    return result


def _threshold_measures(
    detector: Detector, scores: dict[str, np.ndarray], clips: Sequence[Clip], labelled: np.ndarray
) -> dict[str, Any]:
    """Measures at each scorer's thresholds, by scorer, rule and machine id."""
    ids = np.asarray([clip.machine_id for clip in clips])
    is_anomaly = np.asarray([bool(clip.is_anomaly) for clip in clips])
    result: dict[str, Any] = {}
    for scorer, by_id in detector.fitted.items():
        for machine_id, fitted in by_id.items():
            chosen = labelled & (ids == machine_id)
            at_threshold = thresholds.measures(fitted.threshold, scores[scorer][chosen], is_anomaly[chosen])
            result.setdefault(scorer, {}).setdefault(fitted.threshold.name, {})[machine_id] = at_threshold
    return result


def scores_csv(evaluation: Evaluation) -> str:
    """`scores.csv`: a line a test clip with one column a scorer; an unknown label is empty.

    Where recordings were cut a line is a recording's, and its last column says where the worst clip starts.
    """
    own = evaluation.scores["detector"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    starts = evaluation.worst_start_seconds
    last = [] if starts is None else ["worst_start_seconds"]
    writer.writerow(["file_name", "machine_id", "domain", "is_anomaly", *own, "decision", *last])
    for index, clip in enumerate(evaluation.clips):
        label = "" if clip.is_anomaly is None else int(clip.is_anomaly)
        # Nine digits bring a float32 back exactly; a float64 score is reproduced to 1e-9.
        values = [f"{scores[index]:.9g}" for scores in own.values()]
        values += [int(evaluation.decisions[index]), *([] if starts is None else [f"{starts[index]:.3f}"])]
        writer.writerow([clip.file_name, clip.machine_id, clip.domain, label, *values])
    return text.getvalue()


def _cell(values: dict[str, Any]) -> str:
    return "undefined" if values["auc"] is None else " / ".join(f"{values[name]:.3f}" for name in metrics.MEASURES)


def _rows(table: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def format_report(report: dict[str, Any]) -> str:
    """The tables of a run: AUC, pAUC and average precision of every scorer and control, gains, decisions."""
    headline = report["headline_scorer"]
    machine_ids = list(report["scorers"][headline]["machine_ids"])
    table = [["AUC / pAUC / AP", *machine_ids, "mean"]]

    def add(label: str, summary: dict[str, Any]) -> None:
        cells = [_cell(summary["machine_ids"][machine_id]) for machine_id in machine_ids]
        table.append([label, *cells, _cell(summary["mean"])])

    for scorer, summary in report["scorers"].items():
        add(f"* {scorer}" if scorer == headline else f"  {scorer}", summary)
    for control, by_scorer in report["controls"].items():
        for scorer, summary in by_scorer.items():
            add(f"  control: {control}, {scorer}", summary)
    for scorer, summary in report.get("single_windows", {}).items():
        add(f"  {scorer}, single frames", summary)
    for scorer, by_measure in report.get("seeds", {}).items():
        if "auc" in by_measure:
            cells = [f"{at['mean']:.3f} ± {at['standard_deviation']:.3f}" for at in by_measure.values()]
            blank = [""] * len(machine_ids)
            table.append([f"  {scorer}, mean of {len(by_measure['auc']['values'])} seeds", *blank, " / ".join(cells)])
    parts = [
        _rows(table),
        "* headline; the other scorers are exploratory, the controls are no result of the model",
    ]
    gains = []
    for scorer, by_control in report["differences"].items():
        for control, gain in by_control.items():
            if gain["auc_difference"] is not None:
                low, high = gain["interval_95"]
                gains.append([scorer, control, f"{gain['auc_difference']:+.3f}", f"[{low:+.3f}, {high:+.3f}]"])
    if gains:
        parts.append(_rows([["scorer", "against control", "AUC gain", "95 % (paired bootstrap)"], *gains]))
    parts.append(_format_decisions(headline, report["thresholds"][headline]))
    for scorer, summary in report.get("single_windows", {}).items():
        parts.append(_format_decisions(f"{scorer}, single frames", summary["thresholds"]))
    return "\n\n".join(parts)


def _format_decisions(headline: str, by_rule: dict[str, Any]) -> str:
    columns = ["accuracy", "false_alarm_rate", "precision", "recall", "f1"]
    columns += ["normal_precision", "normal_recall", "normal_f1"]
    rows = []
    for rule, by_id in by_rule.items():
        for machine_id, at in by_id.items():
            cells = ["undefined" if at[name] is None else f"{at[name]:.3f}" for name in columns]
            method = at["method"].replace("_", " ")
            rows.append([rule, machine_id, f"{at['value']:.4g}", method, *cells])
    header = ["decisions", "machine id", "threshold", "method", "accuracy", "false alarms"]
    header += ["precision", "recall", "F1", "normal: precision", "recall", "F1"]
    return f"{headline}\n" + _rows([header, *rows])
