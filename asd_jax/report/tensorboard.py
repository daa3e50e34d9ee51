"""TensorBoard events of an evaluation: distributions of scores, and the measures."""

from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

from asd_jax.evaluation.evaluate import Evaluation
from asd_jax.evaluation.results import MEASURES, Results


def write_scores(folder: Path, results: Results, evaluation: Evaluation) -> None:
    """Histograms of each scorer's test scores by truth, and the mean measures as scalars.

    Args:
        folder: of the events.
        results: what `metrics.json` holds.
        evaluation: the scores of the test clips.
    """
    truth = np.asarray(
        [{True: "anomalous", False: "normal", None: "unlabelled"}[c.is_anomaly] for c in evaluation.clips]
    )
    with SummaryWriter(str(folder)) as writer:
        for scorer, scores in evaluation.scores.items():
            for name in sorted(set(truth.tolist())):
                values = scores[(truth == name) & np.isfinite(scores)]
                if len(values):
                    writer.add_histogram(f"scores_{scorer}/{name}", values)
            for measure in MEASURES:
                value = getattr(results.scorers[scorer].mean, measure)
                if value is not None:
                    writer.add_scalar(f"test_{measure}/{scorer}", value)
