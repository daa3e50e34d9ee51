"""TensorBoard events: losses and learning rate while a network trains, distributions of scores at the end.

Events are queued and written by a thread, so that training does not wait for the disk.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from tensorboardX import SummaryWriter

from asd_jax.evaluation.evaluate import Evaluation
from asd_jax.evaluation.results import MEASURES, Results
from asd_jax.training.loop import Monitor
from asd_jax.training.progress import Progress

_STEPS_PER_POINT = 10


class TensorBoardMonitor(Monitor):
    """Writes what `training.fit` says of a network; a resumed run hides the events after its last checkpoint.

    Args:
        folder: of this network's events, made when there is the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None
        self._waiting: list[float] = []

    def steps(self, first_step: int, losses: Float[np.ndarray, " n_steps"]) -> None:
        """Losses of consecutive steps; every tenth step is written, the mean of ten."""
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=first_step or None)
        for step, loss in enumerate(losses.tolist(), first_step + 1):
            self._waiting.append(loss)
            if step % _STEPS_PER_POINT == 0:
                self._writer.add_scalar("loss/of_ten_steps", np.mean(self._waiting), step)
                self._waiting.clear()

    def epoch(self, progress: Progress, step: int) -> None:
        """The measurements of the epoch just done, at the step it ended with."""
        if self._writer is None:
            return
        measurements = progress.history[-1]
        self._writer.add_scalar("loss/train", measurements["train_loss"], step)
        if np.isfinite(measurements["validation_loss"]):
            self._writer.add_scalar("loss/validation", measurements["validation_loss"], step)
        self._writer.add_scalar("learning_rate", measurements["learning_rate"], step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is waiting and end the thread."""
        if self._writer is not None:
            self._writer.close()


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
