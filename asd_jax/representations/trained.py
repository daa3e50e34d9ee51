"""A network trained on normal clips, as a recipe: for all machines or one each, with one seed or several."""

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Int

from asd_jax import models
from asd_jax.datasets.clips import Machine, recording_index
from asd_jax.datasets.extraction import Extracted
from asd_jax.errors import InputError
from asd_jax.files import one_of, sparse
from asd_jax.representations import bottleneck
from asd_jax.representations.learned import LEARNED, Learned
from asd_jax.representations.per_machine import PerMachine
from asd_jax.representations.recipe import Fit, Hooks
from asd_jax.representations.representation import Representation
from asd_jax.training import FitResult, TrainingConfig, fit, objectives
from asd_jax.training.examples import Examples, split_validation
from asd_jax.training.hooks import Monitor
from asd_jax.training.objectives import Objective, Reconstruction
from asd_jax.training.state import init_train_state


@dataclasses.dataclass(frozen=True)
class Member:
    """One network of a run, and what it is trained on.

    Attributes:
        seed: of its parameters, order of examples and validation clips.
        machine: the only one it knows; None for all.
        train, validation: indices of its clips.
        learned: the clips of the run, what is trained on them and what becomes of it.
        examples: of its clips.
    """

    seed: int
    machine: Machine | None
    train: Int[np.ndarray, " n_train"]
    validation: Int[np.ndarray, " n_validation"]
    learned: Learned
    examples: Examples

    @property
    def machine_id(self) -> str:
        """Of its machine; empty for all."""
        return "" if self.machine is None else self.machine.machine_id

    def representation(self, result: FitResult | None, config: TrainingConfig) -> Representation:
        """What it makes of clips with the parameters of a result, or before its first step."""
        start = result or init_train_state(self.learned.learner, config, 1, key=jax.random.key(self.seed))
        return self.learned.representation(start.params, start.model_state, self.examples)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A network and its training.

    Attributes:
        model: a config from `models.REGISTRY`.
        training: how it is trained.
        objective: what is minimised.
        validation_fraction: share of each machine's training clips that the network is not trained on.
        num_seeds: networks trained, of the run's seed and those after it.
        per_machine_id: train a network for each machine on its clips alone, instead of one for all.
        bottleneck_sizes: widths to train and choose from by validation error (see `bottleneck`); none for the model's.
        pseudo_classes: groups that an objective tells apart which reads classes, where all clips are of one.
    """

    kind = "trained"

    model: Any = one_of(lambda: models.REGISTRY | models.EMBEDDINGS)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    objective: Objective = one_of(lambda: objectives.REGISTRY, default=Reconstruction())
    validation_fraction: float = 0.1
    num_seeds: int = 1
    per_machine_id: bool = False
    bottleneck_sizes: tuple[int, ...] = ()
    pseudo_classes: int = sparse(16)

    @property
    def min_frames(self) -> int:
        """Frames of the model's window; a waveform of any length is tiled."""
        return 1 if self.is_joint else self.model.window_span

    @property
    def is_joint(self) -> bool:
        """Whether one network serves all machine types: it learns from what tells them apart."""
        return self.model.gives == "embedding"

    @property
    def protocol(self) -> str:
        """How long it trains, and which parameters count."""
        length = "a fixed number of epochs" if self.checkpoint == "latest" else "lowest validation loss, early stopping"
        return f"{length}; {self.checkpoint} parameters"

    @property
    def checkpoint(self) -> str:
        """`latest`, with early stopping `best`."""
        return "latest" if self.training.patience is None else "best"

    @property
    def stamp(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def check(self) -> None:
        """Raise InputError for a setting that cannot be."""
        self.training.check()
        if self.objective.reads != self.model.gives:
            fitting = [name for name, of in objectives.REGISTRY.items() if of.reads == self.model.gives]
            raise InputError(
                f"`objective={self.objective.name}` reads the {self.objective.reads} of a network, and "
                f"{self.model.name} gives its {self.model.gives}; give {' or '.join(fitting)}"
            )
        if self.is_joint and self.per_machine_id:
            raise InputError("`per_machine_id`: this network learns by telling machines apart; leave it out")
        if self.is_joint and self.pseudo_classes < 2:
            raise InputError(f"`pseudo_classes={self.pseudo_classes}`: give a number above 1")
        if self.num_seeds < 1:
            raise InputError(f"`num_seeds={self.num_seeds}`: give a number above 0")
        if not 0 <= self.validation_fraction < 1:
            raise InputError(f"`validation_fraction={self.validation_fraction}`: give a share from 0 to below 1")
        for use, wanted in (
            ("early stopping", self.training.patience is not None),
            ("choosing a bottleneck", self.bottleneck_sizes),
        ):
            if wanted and self.validation_fraction == 0:
                raise InputError(f"{use} needs validation clips; give `validation_fraction` above 0")

    def fit(self, train: Extracted, *, seed: int, hooks: Hooks) -> tuple[Fit, ...]:
        """Train every network, one after another in the same compiled program, and gather them by seed."""
        if not self.bottleneck_sizes:
            members = self.members(train, seed)
            results, chosen = self.train_members(members, hooks, Path()), {}
        else:
            members, results, chosen = bottleneck.choose(self, train, seed, hooks)
        return tuple(
            self._gather([(m, r) for m, r in zip(members, results, strict=True) if m.seed == of], train, chosen)
            for of in dict.fromkeys(member.seed for member in members)
        )

    def members(self, train: Extracted, seed: int) -> list[Member]:
        """The networks to train, seed by seed; the clips are in device memory once for all."""
        learned = LEARNED[self.model.gives](self, train)
        machines = [clip.machine for clip in train.clips]
        recordings = recording_index([clip.recording for clip in train.clips])
        members = []
        for of_seed in range(seed, seed + self.num_seeds):
            for machine in sorted(set(machines)) if self.per_machine_id else [None]:
                mine = np.flatnonzero([machine in (None, of) for of in machines])
                split = split_validation(
                    [machines[k] for k in mine],
                    fraction=self.validation_fraction,
                    seed=of_seed,
                    recordings=recordings[mine],
                )
                chosen, validation = (mine[part] for part in split)
                examples = learned.examples(mine, chosen, validation)
                members.append(Member(of_seed, machine, chosen, validation, learned, examples))
        return members

    def train_members(self, members: Sequence[Member], hooks: Hooks, below: Path) -> list[FitResult]:
        """Train members, their states and events kept below a folder; a lone member's are in the folder itself."""
        from asd_jax.training.checkpoints import RunCheckpoints  # late: Orbax takes a second to import

        for note in dict.fromkeys(note for member in members for note in member.examples.notes):
            hooks.note(note)
        folder, results = hooks.folder() / below, []
        for number, member in enumerate(members):
            name = "_".join(part for part in (f"seed_{member.seed}", member.machine_id) if part)
            lone = len(members) == 1
            with ExitStack() as stack:
                checkpoints = RunCheckpoints(folder if lone else folder / f"member_{number}")
                stack.callback(checkpoints.close)
                monitor = Monitor()
                if hooks.events is not None:
                    from asd_jax.training.tensorboard import TensorBoardMonitor  # late: not every run wants it

                    monitor = TensorBoardMonitor(hooks.events / below / ("" if lone else name))
                    stack.callback(monitor.close)
                result = fit(
                    member.learned.learner,
                    self.objective,
                    member.examples,
                    self.training,
                    seed=member.seed,
                    checkpointer=checkpoints,
                    monitor=monitor,
                    name="training" if lone else f"training {name}",
                )
            results.append(result)
        return results

    def _gather(self, of_seed: Sequence[tuple[Member, FitResult]], train: Extracted, chosen: Mapping[str, Any]) -> Fit:
        """What the networks of one seed make of clips together."""

        def together(parts: dict[Machine | None, Representation]) -> Representation:
            return parts[None] if None in parts else PerMachine(parts)

        held_out = np.zeros(len(train.clips), bool)
        held_out[np.concatenate([member.validation for member, _ in of_seed])] = True
        errors = [self._validation_error(member, result, train) for member, result in of_seed]
        return Fit(
            of_seed[0][0].seed,
            together({member.machine: member.representation(result, self.training) for member, result in of_seed}),
            held_out,
            together({member.machine: member.representation(None, self.training) for member, _ in of_seed}),
            {member.machine_id: result.progress for member, result in of_seed},
            None if None in errors else float(np.mean(errors)),
            chosen,
        )

    def _validation_error(self, member: Member, result: FitResult, train: Extracted) -> float | None:
        """Validation loss of the parameters over that of knowing nothing."""
        if len(member.validation) == 0:
            return None
        progress = result.progress
        loss = progress.best_loss if result.used == "best" else progress.history[-1]["validation_loss"]
        scaling = getattr(member.examples.source, "scaling", None)
        return loss / self.objective.reference_loss(
            train.frames, member.train, member.validation, scaling, member.learned.targets
        )
