"""Floors on the real MIMII slide rail: the reference figures of its arrays, less 0.015."""

from pathlib import Path

import numpy as np
import pytest

from asd_jax import scorers
from asd_jax.evaluation import metrics

# AUC and pAUC, mean over the four ids, defaults of each scorer.
FLOORS = {
    "6dB": {
        "kmeans": (0.813, 0.730),
        "iforest": (0.818, 0.699),
        "ocsvm": (0.922, 0.830),
        "lof": (0.914, 0.831),
        "knn": (0.917, 0.780),
        "gmm": (0.985, 0.94),
    },
    "0dB": {
        "kmeans": (0.725, 0.617),
        "iforest": (0.736, 0.611),
        "ocsvm": (0.801, 0.721),
        "lof": (0.809, 0.621),
        "knn": (0.834, 0.685),
        "gmm": (0.955, 0.83),
    },
}


@pytest.fixture(scope="module", params=FLOORS)
def slide_rail(request, real_data: Path) -> tuple[str, dict[str, np.ndarray], np.ndarray]:
    """The arrays, and which clips train: all but the last normal ones, as many as an id has abnormal clips."""
    with np.load(real_data / "mimii_slider" / f"slider_{request.param}.npz") as saved:
        data = dict(saved)
    trains = np.zeros(len(data["machine_id"]), bool)
    for machine_id in np.unique(data["machine_id"]):
        of_id = data["machine_id"] == machine_id
        normal = np.flatnonzero(of_id & ~data["is_anomaly"])
        trains[normal[: -int((of_id & data["is_anomaly"]).sum())]] = True
    return request.param, data, trains


@pytest.mark.parametrize("name", FLOORS["6dB"])
def test_scorer_reaches_its_floor(name, slide_rail):
    snr, data, trains = slide_rail
    scores = np.full(len(trains), np.nan)
    for machine_id in np.unique(data["machine_id"]):
        of_id = data["machine_id"] == machine_id
        scorer = scorers.fit(name, data["mean_log_mel"][of_id & trains])
        scores[of_id & ~trains] = scorer.score(data["mean_log_mel"][of_id & ~trains])
    ids = [str(machine_id) for machine_id in data["machine_id"][~trains]]
    mean = metrics.summarize(scores[~trains], data["is_anomaly"][~trains], ids).mean
    auc, pauc = FLOORS[snr][name]
    assert mean.auc >= auc
    assert mean.pauc >= pauc
