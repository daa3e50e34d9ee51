"""How a representation comes about: the contract of a recipe, and what fitting one gives."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from asd_jax.datasets.extraction import Extracted
from asd_jax.representations.representation import Representation
from asd_jax.training.progress import Progress


@dataclasses.dataclass(frozen=True)
class Fit:
    """A representation fitted with one seed.

    Attributes:
        seed: of parameters, order of examples, validation clips.
        representation: what scorers are fitted on.
        held_out: training clips that it has not seen; None where it sees none of them, not being trained.
        at_initialisation: the control that every network is held against; None where nothing is trained.
        history: how each network's training went, by the machine id that it knows; the key is empty for all ids.
        validation_error: validation loss over that of knowing nothing, the mean of its networks; None without one.
        chosen: what was chosen by validation error, by the setting's name, for the results.
    """

    seed: int
    representation: Representation
    held_out: Bool[np.ndarray, " n_clips"] | None = None
    at_initialisation: Representation | None = None
    history: Mapping[str, Progress] = dataclasses.field(default_factory=dict)
    validation_error: float | None = None
    chosen: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Hooks:
    """What fitting asks of the run around it.

    Attributes:
        folder: gives the folder for states of training; the run is made on disk when it is first asked for, so that
            a mistake found before leaves nothing behind.
        events: folder of TensorBoard events; None writes none.
        say: takes lines for the user.
        note: takes lines for the user that belong to the results too.
    """

    folder: Callable[[], Path]
    events: Path | None = None
    say: Callable[[str], None] = print
    note: Callable[[str], None] = print


@runtime_checkable
class Recipe(Protocol):
    """A frozen config: a network and its training, or a representation that needs none."""

    kind: str
    min_frames: int  # fewest frames that a clip must have
    is_joint: bool  # whether what is fitted serves all machine types of a run at once

    def check(self) -> None:
        """Raise InputError for a setting that cannot be, before anything is read or written."""

    def fit(self, train: Extracted, *, seed: int, hooks: Hooks) -> tuple[Fit, ...]:
        """Fit on normal training clips, once a seed; the first is the result, the others show its spread.

        Raises:
            InputError: the clips do not allow it.
        """

    @property
    def protocol(self) -> str:
        """What it settles without labels, in words, for the results."""

    @property
    def checkpoint(self) -> str | None:
        """Which parameters count, `latest` or `best`; None where nothing is trained."""

    @property
    def stamp(self) -> Mapping[str, Any]:
        """Further fields of the results, for what a reader must not miss."""


class Untrained:
    """What recipes share that take at most a scale from the training clips: they are fitted once, whatever the seed."""

    is_joint = False
    protocol = ""
    checkpoint = None

    @property
    def stamp(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def check(self) -> None:
        """There is nothing to check that is not checked when it is made."""

    def fit(self, train: Extracted, *, seed: int, hooks: Hooks) -> tuple[Fit, ...]:
        """One representation, for all seeds."""
        return (Fit(seed, self.fit_frames(train.frames)),)

    def fit_frames(self, frames: Any) -> Any:
        """The representation of normal training clips `frames`; itself where there is nothing to fit."""
        return self
