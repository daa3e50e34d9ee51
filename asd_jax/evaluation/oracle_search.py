"""Settings chosen by the labels of the test clips: to reproduce published tables, never to claim a result.

Whoever uses it stamps the results `"selection": "oracle"`.
"""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool
from tqdm import tqdm

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.fitted_scorers import ScorerSpec, fit_scores
from asd_jax.errors import InputError
from asd_jax.evaluation import metrics
from asd_jax.representations.representation import ClipRepresentation
from asd_jax.scorers.search import GRIDS

ORACLE_GRIDS = {
    **GRIDS,
    "ocsvm": {"nu": (0.01, 0.05, 0.1, 0.2, 0.5), "gamma": tuple(f"{2.0**p:g}*scale" for p in range(-8, 5, 2))},
    "kmeans": {"n_clusters": (1, 2, 4, 8, 16, 32)},
    "iforest": {"n_trees": (50, 100, 200, 500)},
}


def oracle_search(
    spec: ScorerSpec,
    train: ClipRepresentation,
    train_machines: Sequence[Machine],
    test: ClipRepresentation,
    test_machines: Sequence[Machine],
    is_anomaly: Bool[np.ndarray, " n_test"],
    *,
    seed: int,
) -> ScorerSpec:
    """The settings, the same for all machines, with the highest mean AUC on the test clips.

    Args:
        spec: its settings stay as they are, those left out are chosen.
        train: normal training clips.
        train_machines: of each.
        test: test clips, all labelled.
        test_machines: of each.
        is_anomaly: the labels.
        seed: of scorers that draw.

    Raises:
        InputError: the scorer has nothing to choose, or no machine id has both normal and anomalous test clips.
    """
    base = spec.name.removeprefix("pca+")
    if base not in ORACLE_GRIDS:
        raise InputError(f"`oracle_search`: scorer {spec.name} has no settings to choose")
    free = {key: values for key, values in ORACLE_GRIDS[base].items() if key not in spec.settings}
    best, best_auc = None, -np.inf
    bar = tqdm(list(itertools.product(*free.values())), desc="oracle search", unit="setting", disable=None)
    for values in bar:
        candidate = dataclasses.replace(spec, settings={**spec.settings, **dict(zip(free, values, strict=True))})
        scores = fit_scores(candidate, train, train_machines, test, test_machines, seed=seed)
        auc = metrics.summarize(scores, is_anomaly, [machine.machine_id for machine in test_machines]).mean.auc
        if auc is None:
            raise InputError("`oracle_search` needs a machine id with both normal and anomalous test clips")
        if auc > best_auc:
            best, best_auc = candidate, auc
    return best
