"""Who is told of a training run, and where its state is kept between epochs."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from asd_jax.training.progress import Progress
from asd_jax.training.state import TrainState


@runtime_checkable
class Checkpointer(Protocol):
    """Where `fit` keeps its state between epochs; `checkpoints.RunCheckpoints` is one."""

    def save(self, train_state: TrainState, progress: Progress) -> None:
        """Keep the state after an epoch."""

    def restore(self, template: TrainState, epoch: int | None = None) -> tuple[TrainState, Progress] | None:
        """The latest state, or that of an epoch; None if there is none."""


class Monitor:
    """Hears how a network's training goes; this one ignores it, and `tensorboard.TensorBoardMonitor` writes it down."""

    def steps(self, first_step: int, losses: Float[np.ndarray, " n_steps"]) -> None:
        """Losses of consecutive steps, the first of which is the run's step `first_step`, from 0."""

    def epoch(self, progress: Progress, step: int) -> None:
        """Progress after an epoch, whose state is kept by now, and the number of steps done."""
