"""Pages of the site that are made when it is built: the notebook, and the gallery of plots with made-up scores."""

import datetime
import shutil
from pathlib import Path

import numpy as np

from asd_jax import plots


def write(folder: Path, *, notebook: Path) -> None:
    """Write the pages into a folder that git does not know.

    Args:
        folder: for the pages, made anew.
        notebook: to take along.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(notebook, folder / notebook.name)
    parts = ["# Gallery", "What `report.html` and `plots/` of a run show. The scores here are drawn at random."]
    for name, (figure, caption) in gallery().items():
        (folder / f"{name}.png").write_bytes(plots.png(figure))
        parts.append(f"## `plots.{name}`\n\n:::{{container}} plot\n![{caption}]({name}.png)\n:::\n\n{caption}")
    (folder / "gallery.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def gallery() -> dict:
    """A figure of each kind and what it says, by the name of its function."""
    rng = np.random.default_rng(0)
    is_anomaly = {name: np.arange(120) % 2 == 1 for name in ("id_00", "id_02")}
    shift = {"id_00": 2.0, "id_02": 1.0}
    scores = {name: rng.gamma(4, 1, 120) + shift[name] * truth for name, truth in is_anomaly.items()}
    loss = 1 / np.arange(1, 31) + 0.2
    areas = {"auc": np.asarray([0.86, 0.71, 0.79]), "pauc": np.asarray([0.68, 0.57, 0.63])}
    values = {"fan": {"gmm": (0.82, (0.77, 0.87)), "dense_ae": (0.79, (0.73, 0.84)), "knn": (0.74, (0.68, 0.80))}}
    days = [datetime.datetime(2026, 11, 1) + datetime.timedelta(hours=6 * place) for place in range(120)]
    drift = {name: rng.gamma(4, 1, 120) + 4 * (np.arange(120) > 100) for name in scores}
    limits = dict.fromkeys(scores, np.full(120, 8.0))
    of_seeds = {name: of + rng.normal(0, 0.4, (3, 120)) for name, of in scores.items()}
    return {
        "score_histograms": (
            plots.score_histograms(scores, is_anomaly, dict.fromkeys(scores, 7.0)),
            "Scores of normal and of anomalous clips, and the threshold between them.",
        ),
        "roc": (
            plots.roc(scores, is_anomaly),
            "Anomalous clips found against false alarms, for every threshold; pAUC counts the shaded part.",
        ),
        "precision_recall": (
            plots.precision_recall(scores, is_anomaly),
            "How many alarms are right, at how many anomalous clips found.",
        ),
        "machine_id_bars": (
            plots.machine_id_bars(["id_00", "id_02", "mean"], areas),
            "AUC and pAUC of each machine id, from chance upwards.",
        ),
        "confusion_matrix": (
            plots.confusion_matrix(np.asarray([[54, 6], [11, 49]]), rule="gamma_0.9"),
            "Clips by what they are and what they were called.",
        ),
        "over_time": (
            plots.over_time(dict.fromkeys(scores, days), drift, {name: of > 8.0 for name, of in drift.items()}, limits),
            "Scores over the time at which recordings were made, where their names or files say when.",
        ),
        "seed_agreement": (
            plots.seed_agreement(of_seeds, {name: of > 7.0 for name, of in of_seeds.items()}, is_anomaly),
            "How far networks agree that differ in their seed alone.",
        ),
        "training_curves": (
            plots.training_curves([loss], [loss + 0.05], [np.linspace(1e-3, 0, 30)]),
            "Loss of each epoch, on what is trained and on what is kept aside; the learning rate below.",
        ),
        "systems": (
            plots.systems(values, controls={"fan": {"log_mel_mean": 0.8}}),
            "Systems side by side, best first.",
        ),
    }
