"""How a network is trained, as a recipe says it."""

import dataclasses

from asd_jax.errors import InputError
from asd_jax.training.placement import MESHES

SCHEDULES = ("cosine", "constant")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes:
        epochs: passes over the training clips.
        min_steps: least number of steps; small sets get more epochs to reach it.
        batch_size: examples (segments) a step.
        shrink_batch: a batch larger than the data shrinks to it, as a recipe's does, instead of being an error.
        learning_rate: Adam's, at the start.
        weight_decay: of AdamW: every parameter shrinks by this share of the learning rate a step.
        schedule: `cosine` decays to zero over the run, `constant` does not.
        patience: epochs without a better validation loss after which training stops and the best parameters are
            used; None trains all epochs and uses the latest.
        min_delta: by how much a validation loss must be lower to count as better.
        mesh: `none` trains on one device, `data` splits every batch over all of them.
    """

    epochs: int = 10
    min_steps: int = 0
    batch_size: int = 32
    shrink_batch: bool = True
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: str = "cosine"
    patience: int | None = None
    min_delta: float = 0.0
    mesh: str = "none"

    def check(self) -> None:
        """Raise InputError for a setting that cannot be."""
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise InputError(f"`{name}={getattr(self, name)}`: give a number above 0")
        for name, known in (("mesh", MESHES), ("schedule", SCHEDULES)):
            if getattr(self, name) not in known:
                raise InputError(f"`{name}={getattr(self, name)}`: give {' or '.join(known)}")
