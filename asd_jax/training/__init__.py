"""From normal clips to parameters: objectives, examples, one loop for every network, checkpoints.

A newcomer reads `loop.py`: `fit` goes through the epochs, `train_step` is one update.
"""

from asd_jax.training.config import TrainingConfig
from asd_jax.training.loop import FitResult, fit
from asd_jax.training.objectives import Objective, Reconstruction
from asd_jax.training.progress import Progress

__all__ = ["FitResult", "Objective", "Progress", "Reconstruction", "TrainingConfig", "fit"]
