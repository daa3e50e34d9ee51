"""Where a training run stands: the epochs behind it, the best of them, and whether to stop early."""

import dataclasses
import math
from collections.abc import Mapping

from asd_jax.training.config import TrainingConfig


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands after an epoch; saved beside the `TrainState`, so that a resumed run goes on from it.

    Attributes:
        epoch: epochs done.
        best_epoch: the one with the lowest validation loss (0: none yet).
        best_loss: that loss; NaN without validation clips.
        improved_epoch: the last one that was better by more than `min_delta`, from which patience counts.
        improved_loss: its validation loss.
        history: a dict an epoch with `train_loss`, `validation_loss` and `learning_rate`.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.nan
    improved_epoch: int = 0
    improved_loss: float = math.nan
    history: tuple[dict[str, float], ...] = ()


def advance(progress: Progress, measurements: dict[str, float], config: TrainingConfig) -> tuple[Progress, bool]:
    """Progress after one more epoch, and whether that epoch is the best so far."""
    epoch, loss = progress.epoch + 1, measurements["validation_loss"]
    better = not loss >= progress.best_loss  # true also where either is NaN: the first epoch, no validation clips
    improved = not loss >= progress.improved_loss - config.min_delta
    advanced = Progress(
        epoch=epoch,
        best_epoch=epoch if better else progress.best_epoch,
        best_loss=loss if better else progress.best_loss,
        improved_epoch=epoch if improved else progress.improved_epoch,
        improved_loss=loss if improved else progress.improved_loss,
        history=(*progress.history, measurements),
    )
    return advanced, better


def out_of_patience(progress: Progress, config: TrainingConfig) -> bool:
    """Whether early stopping ends the run here."""
    return config.patience is not None and progress.epoch - progress.improved_epoch >= config.patience


def history_csv(seeds: Mapping[int, Mapping[str, Progress]]) -> str:
    """`training.csv`: a line a network and epoch, by seed and machine id; an unknown validation loss is empty."""
    lines = ["seed,machine_id,epoch,train_loss,validation_loss,learning_rate"]
    for seed, by_id in seeds.items():
        for machine_id, progress in by_id.items():
            for number, epoch in enumerate(progress.history, 1):
                values = (epoch[name] for name in ("train_loss", "validation_loss", "learning_rate"))
                numbers = ",".join("" if math.isnan(value) else f"{value:.9g}" for value in values)
                lines.append(f"{seed},{machine_id},{number},{numbers}")
    return "\n".join(lines) + "\n"
