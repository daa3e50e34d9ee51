"""The members that an experiment trains: one a seed, or one a seed and machine id, with its own clips and scaling."""

import csv
import dataclasses
import io
import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Int

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.extraction import Extracted
from asd_jax.features import scaling as scalings
from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.representations.per_machine import PerMachine
from asd_jax.representations.residual import Residual
from asd_jax.training.ensembles import Member, fit_members
from asd_jax.training.loop import FitResult, Monitor, init_train_state, mean_prediction_error
from asd_jax.training.plan import Plan, TrainingConfig, make_plan, split_validation


@dataclasses.dataclass(frozen=True)
class PlannedMember:
    """What a member is trained on, and by which clips it is validated.

    Attributes:
        seed: of its parameters, order of examples and validation clips.
        machine_id: the only one it knows; None for all.
        train, validation: indices of its clips.
        plan: its examples.
        scaling: fitted on its clips.
    """

    seed: int
    machine_id: str | None
    train: Int[np.ndarray, " n_train"]
    validation: Int[np.ndarray, " n_validation"]
    plan: Plan
    scaling: Scaling

    machine_type: str = ""

    @property
    def machine(self) -> Machine | None:
        """The only machine it knows; None for all."""
        return None if self.machine_id is None else Machine(self.machine_type, self.machine_id)

    @property
    def name(self) -> str:
        """What tells it from the other members."""
        return f"seed_{self.seed}" if self.machine_id is None else f"seed_{self.seed}_{self.machine_id}"


@dataclasses.dataclass(frozen=True)
class TrainedMember:
    """A member after training."""

    planned: PlannedMember
    network: Network
    result: FitResult

    @property
    def residual(self) -> Residual:
        """Its representation."""
        return Residual(self.network, self.result.params, self.result.model_state, self.planned.scaling)

    def untrained(self, config: TrainingConfig) -> Residual:
        """The same network before its first step: the control."""
        planned = self.planned
        key = jax.random.key(planned.seed)
        start = init_train_state(self.network, config, planned.plan.n_steps, key=key)
        return Residual(self.network, start.params, start.model_state, planned.scaling)

    def validation_error(self, clips: StoredClips) -> float | None:
        """Validation loss of its parameters over that of predicting the training mean of every feature."""
        planned, progress = self.planned, self.result.progress
        if len(planned.validation) == 0:
            return None
        loss = progress.best_loss if self.result.used == "best" else progress.history[-1]["validation_loss"]
        return loss / mean_prediction_error(clips, planned.train, planned.validation, planned.scaling)


def history_csv(members: Sequence[TrainedMember]) -> str:
    """`training.csv`: a line a member and epoch; an unknown validation loss is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["seed", "machine_id", "epoch", "train_loss", "validation_loss", "learning_rate"])
    for member in members:
        of = (member.planned.seed, member.planned.machine_id or "")
        for number, epoch in enumerate(member.result.progress.history, 1):
            validation = "" if math.isnan(epoch["validation_loss"]) else f"{epoch['validation_loss']:.9g}"
            writer.writerow([*of, number, f"{epoch['train_loss']:.9g}", validation, f"{epoch['learning_rate']:.9g}"])
    return text.getvalue()


def plan_members(
    model: object,
    training: TrainingConfig,
    train: Extracted,
    *,
    seeds: Sequence[int],
    per_machine_id: bool,
    validation_fraction: float,
) -> list[PlannedMember]:
    """The members of an experiment, seed by seed; all take the smallest batch that any of them needs."""
    ids = np.asarray([clip.machine_id for clip in train.clips])
    recordings = np.asarray([clip.recording for clip in train.clips])
    groups: list[str | None] = sorted(set(ids.tolist())) if per_machine_id else [None]

    def planned(seed: int, machine_id: str | None, training: TrainingConfig) -> PlannedMember:
        of_group = np.arange(len(ids)) if machine_id is None else np.flatnonzero(ids == machine_id)
        split = split_validation(
            ids[of_group].tolist(), fraction=validation_fraction, seed=seed, recordings=recordings[of_group].tolist()
        )
        chosen, validation = (of_group[part] for part in split)
        plan = make_plan(model, training, train.frames, chosen, validation)
        frames = train.frames.values if machine_id is None else train.frames.select(of_group).values
        return PlannedMember(
            seed,
            machine_id,
            chosen,
            validation,
            plan,
            scalings.REGISTRY[model.scaling](frames),
            train.clips[0].machine_type,
        )

    members = [planned(seed, machine_id, training) for seed in seeds for machine_id in groups]
    batch_size = min(member.plan.batch_size for member in members)
    if any(member.plan.batch_size > batch_size for member in members):
        training = dataclasses.replace(training, batch_size=batch_size)
        members = [planned(member.seed, member.machine_id, training) for member in members]
    return members


def train_planned(
    network: Network,
    clips: StoredClips,
    planned: Sequence[PlannedMember],
    config: TrainingConfig,
    folder: Path,
    events: Path | None = None,
) -> list[TrainedMember]:
    """Train members, their states kept below `folder`; a lone member's are in the folder itself.

    Args:
        events: folder of TensorBoard events, likewise; None writes none.
    """
    from asd_jax.training.checkpoints import RunCheckpoints  # late: Orbax takes a second to import

    with ExitStack() as stack:
        members = []
        for number, member in enumerate(planned):
            checkpoints = RunCheckpoints(folder if len(planned) == 1 else folder / f"member_{number}")
            stack.callback(checkpoints.close)
            monitor = Monitor()
            if events is not None:
                from asd_jax.training.tensorboard import TensorBoardMonitor  # late: not every run wants it

                monitor = TensorBoardMonitor(events if len(planned) == 1 else events / member.name)
                stack.callback(monitor.close)
            members.append(Member(member.plan, member.scaling, member.seed, checkpoints, monitor))
        results = fit_members(network, clips, members, config)
    return [TrainedMember(member, network, result) for member, result in zip(planned, results, strict=True)]


def representation(members: Sequence[TrainedMember], untrained: TrainingConfig | None = None) -> Residual | PerMachine:
    """What the members of one seed make of clips together; before training where its config is given."""
    parts = {m.planned.machine: m.residual if untrained is None else m.untrained(untrained) for m in members}
    return parts[None] if None in parts else PerMachine(parts)
