"""The plots of a whole run, drawn from its results."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets.recording_times import recording_times
from asd_jax.detectors.bundle import LOG_MEL_MEAN
from asd_jax.detectors.detector import Detector
from asd_jax.evaluation.evaluate import Evaluation
from asd_jax.evaluation.results import Results, Summary
from asd_jax.report import plots


@dataclasses.dataclass(frozen=True)
class Plot:
    """A plot of the report: its file's name, the picture, and what a reader should look for."""

    name: str
    png: bytes
    caption: str


def read_history(run: Path) -> list[dict[str, np.ndarray]]:
    """`training.csv` of a run, a dict of columns a network; empty where there is none."""
    path = run / "training.csv"
    if not path.exists():
        return []
    networks: dict[tuple[str, str], dict[str, list[float]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            columns = networks.setdefault((row["seed"], row["machine_id"]), {})
            for name in ("train_loss", "validation_loss", "learning_rate"):
                columns.setdefault(name, []).append(float(row[name] or "nan"))
    return [{name: np.asarray(values) for name, values in columns.items()} for columns in networks.values()]


def run_plots(
    results: Results, evaluation: Evaluation, detector: Detector, history: list[dict[str, np.ndarray]]
) -> list[Plot]:
    """Those plots that the results allow: without labels, the scores alone."""
    scorer = detector.headline_scorer
    scores = evaluation.scores[scorer]
    ids = np.asarray([clip.machine_id for clip in evaluation.clips])
    labels = [clip.is_anomaly for clip in evaluation.clips]
    labelled = np.asarray([label is not None for label in labels])
    is_anomaly = np.asarray([bool(label) for label in labels])
    limits = {
        clip.machine_id: float(detector.fitted[scorer][clip.machine].threshold.value) for clip in evaluation.clips
    }

    chosen = labelled if labelled.any() else np.ones(len(ids), bool)
    of_ids = {name: chosen & (ids == name) for name in sorted(set(ids[chosen].tolist()))}
    by_id = {name: scores[mask] for name, mask in of_ids.items()}
    truth = {name: is_anomaly[mask] for name, mask in of_ids.items()}
    found = [
        Plot(
            "scores",
            plots.png(plots.score_histograms(by_id, truth if labelled.any() else None, limits, scorer=scorer)),
            "Scores of the test clips. The further the two colours part, the better; the dashed line decides.",
        )
    ]
    if labelled.any():
        found += [
            Plot(
                "machine_ids",
                plots.png(_bars(results, scorer)),
                "Measures of each machine id; marks are the controls, which no bar should fall below.",
            ),
            Plot(
                "roc", plots.png(plots.roc(by_id, truth)), "Anomalies found against false alarms, at every threshold."
            ),
            Plot("confusion", plots.png(_confusion(results, scorer)), "Decisions at the threshold, all machine ids."),
            Plot(
                "precision_recall",
                plots.png(plots.precision_recall(by_id, truth)),
                "Precision depends on how many anomalies there are: in service there are far fewer.",
            ),
        ]
    if evaluation.further_seeds:
        found.append(
            Plot(
                "seeds",
                plots.png(_seeds(evaluation, scorer, is_anomaly if labelled.all() else None)),
                "How far networks agree that differ in their seed alone. Each line is a clip, from the lowest to the "
                "highest place that a seed gives it among the clips of its machine: short ones are agreed on.",
            )
        )
    found += _over_time(evaluation, scorer, limits, is_anomaly if labelled.any() else None)
    if history:
        columns = (
            [network[name] for network in history] for name in ("train_loss", "validation_loss", "learning_rate")
        )
        found.append(
            Plot(
                "training",
                plots.png(plots.training_curves(*columns)),
                "Training of the network: what it minimises, epoch by epoch.",
            )
        )
    return found


def _seeds(evaluation: Evaluation, scorer: str, is_anomaly: np.ndarray | None) -> Any:
    ids = np.asarray([clip.machine_id for clip in evaluation.clips])
    heard = evaluation.further_seeds.values()
    scores = np.stack([evaluation.scores[scorer], *(of.scores[scorer] for of in heard)])
    decided = np.stack([of.filled(False) for of in (evaluation.decisions, *(of.decisions(scorer) for of in heard))])
    own = {name: ids == name for name in sorted(set(ids.tolist()))}
    return plots.seed_agreement(
        {name: scores[:, mask] for name, mask in own.items()},
        {name: decided[:, mask] for name, mask in own.items()},
        None if is_anomaly is None else {name: is_anomaly[mask] for name, mask in own.items()},
    )


def _over_time(
    evaluation: Evaluation, scorer: str, limits: dict[str, float], is_anomaly: np.ndarray | None
) -> list[Plot]:
    """Scores over the times in the clips' names; none where these have no times: files of a test set are copies."""
    clips = evaluation.clips
    known = recording_times([clip.file_name for clip in clips])
    if known is None:
        return []
    dated = np.asarray([time is not None for time in known.times])
    own = {
        name: dated & np.asarray([clip.machine_id == name for clip in clips])
        for name in sorted({clip.machine_id for clip in clips})
    }
    own = {name: np.flatnonzero(mask) for name, mask in own.items() if mask.any()}
    # Where recordings were cut, each has a limit for its length.
    held = {name: limits[name] if evaluation.worst is None else np.nan for name in own}
    figure = plots.over_time(
        {name: [known.times[index] for index in of] for name, of in own.items()},
        {name: evaluation.scores[scorer][of] for name, of in own.items()},
        {name: evaluation.decisions.filled(False)[of] for name, of in own.items()},
        {name: np.full(len(of), held[name]) for name, of in own.items()},
        is_anomaly=None if is_anomaly is None else {name: is_anomaly[of] for name, of in own.items()},
        what="clips",
    )
    return [Plot("over_time", plots.png(figure), "Scores over time, by the times in the names of the recordings.")]


def _bars(results: Results, scorer: str) -> Any:
    summary = results.scorers[scorer]

    def values(summary: Summary, measure: str) -> np.ndarray:
        rows = [*summary.machine_ids.values(), summary.mean]
        return np.asarray([getattr(row, measure) for row in rows], float)  # None becomes NaN

    def intervals(measure: str) -> np.ndarray:
        rows = [*summary.machine_ids.values(), summary.mean]
        return np.asarray([row.interval_95.get(measure, (np.nan, np.nan)) for row in rows], float)

    controls = {}
    for control, by_scorer in results.controls.items():
        name = scorer if scorer in by_scorer else "mahalanobis" if control == LOG_MEL_MEAN else None
        if name is not None:
            controls[f"{control}, {name}"] = {m: values(by_scorer[name], m) for m in ("auc", "pauc")}
    return plots.machine_id_bars(
        [*summary.machine_ids, "mean"],
        {measure: values(summary, measure) for measure in ("auc", "pauc")},
        intervals={measure: intervals(measure) for measure in ("auc", "pauc")},
        controls=controls,
        scorer=scorer,
    )


def _confusion(results: Results, scorer: str) -> Any:
    rule = results.decision_threshold
    by_id = results.thresholds[scorer][rule]
    known = [at.confusion for at in by_id.values() if at.confusion is not None]  # None: a score was not finite
    counts = np.sum(known, axis=0) if known else np.zeros((2, 2), int)
    return plots.confusion_matrix(counts, rule=rule)
