"""Ensembles: networks of one config that differ in seed or data, trained together in one program.

Every array of the training state has a leading member axis, and a step is the lone network's step under `jax.vmap`.
A member's checkpoints, order of examples and schedule are those it would have alone.
"""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree
from tqdm import tqdm

from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.training import loop as training
from asd_jax.training.loop import Checkpointer, FitResult, Monitor, TrainState
from asd_jax.training.plan import Plan, TrainingConfig, epoch_order
from asd_jax.training.progress import Progress, advance, out_of_patience


@dataclasses.dataclass(frozen=True)
class Member:
    """What one network of an ensemble is trained on.

    Attributes:
        plan: its examples; batch size and length of examples are the same for all members.
        scaling: of the frames.
        seed: of the parameters and of the order of examples.
        checkpointer: keeps its state after every epoch, as `training.fit` does.
        monitor: told of its losses, as `training.fit` does.
    """

    plan: Plan
    scaling: Scaling
    seed: int
    checkpointer: Checkpointer | None = None
    monitor: Monitor = dataclasses.field(default_factory=Monitor)


def fit_members(
    network: Network,
    clips: StoredClips,
    members: Sequence[Member],
    config: TrainingConfig,
) -> list[FitResult]:
    """Train every member, all in one program; a single one, and models that step from Python, go through `fit`.

    A run that was killed between the checkpoints of two members goes on with those that lag behind.

    Raises:
        ValueError: members differ in batch size or length of examples.
        InputError: the loss of a member became NaN or infinite.
    """
    if len(members) == 1 or not network.config.scan_epoch:
        return [
            training.fit(
                network, clips, member.plan, config, scaling=member.scaling, seed=member.seed,
                checkpointer=member.checkpointer, monitor=member.monitor,
            )
            for member in members
        ]  # fmt: skip
    shapes = {(member.plan.batch_size, member.plan.segment_frames) for member in members}
    if len(shapes) > 1:
        raise ValueError(f"members need one batch size and one length of examples, got {sorted(shapes)}")
    return _Together(network, clips, members, config).run()


@functools.partial(jax.jit, static_argnames=("network", "config", "segment_frames"), donate_argnames="train_states")
def train_members(
    network: Network,
    config: TrainingConfig,
    n_steps: Int[Array, " members"],
    segment_frames: int,
    train_states: TrainState,
    frames: Float[Array, "total_frames n_features"],
    scalings: Scaling,
    starts: Int[Array, "members steps batch"],
    active: Bool[Array, " steps"] | Bool[Array, "members steps"],
) -> tuple[TrainState, Float[Array, "members steps"]]:
    """`training.train_steps` of every member; where `active` has no member axis, all take part in the same steps.

    A step that only some members take costs a copy of the whole state, since both branches are computed.
    """

    def steps(n_steps: Array, state: TrainState, scaling: Scaling, starts: Array, active: Array) -> tuple:
        run = training.train_steps.__wrapped__
        return run(network, config, n_steps, segment_frames, state, frames, scaling, starts, active)

    axes = (0, 0, 0, 0, None if active.ndim == 1 else 0)
    return jax.vmap(steps, in_axes=axes)(n_steps, train_states, scalings, starts, active)


@functools.partial(jax.jit, static_argnames=("network", "segment_frames"))
def _validation_losses(
    network: Network,
    segment_frames: int,
    params: PyTree,
    model_state: PyTree,
    frames: Float[Array, "total_frames n_features"],
    scalings: Scaling,
    starts: Int[Array, "members batch"],
) -> Float[Array, "members batch"]:
    def losses(params: PyTree, model_state: PyTree, scaling: Scaling, starts: Array) -> Array:
        return training.segment_losses(network, segment_frames, params, model_state, frames, scaling, starts)

    return jax.vmap(losses)(params, model_state, scalings, starts)


class _Together:
    """The loop of `training.fit` over a member axis."""

    def __init__(self, network: Network, clips: StoredClips, members: Sequence[Member], config: TrainingConfig) -> None:
        self.network, self.members, self.config = network, members, config
        self.frames = jnp.asarray(clips.values)
        self.scalings = _stack([member.scaling for member in members])
        self.n_steps = jnp.asarray([member.plan.n_steps for member in members], jnp.int32)
        self.progress: list[Progress] = []
        self.best: list[tuple[PyTree, PyTree] | None] = []
        states = []
        for member in members:
            state = training.init_train_state(network, config, member.plan.n_steps, key=jax.random.key(member.seed))
            state, progress, best = training.restore(state, config, member.checkpointer)
            states.append(state)
            self.progress.append(progress)
            self.best.append(best)
        self.states = _stack(states)

    def run(self) -> list[FitResult]:
        first = min(progress.epoch for progress in self.progress)
        last = max(member.plan.epochs for member in self.members)
        for epoch in tqdm(range(first, last), desc=f"{len(self.members)} members", unit="epoch", disable=None):
            running = [k for k in range(len(self.members)) if self._runs(k, epoch)]
            if not running:
                continue
            train_losses = self._epoch(epoch, running)
            validation_losses = self._validation_errors()
            for k in running:
                self._finish_epoch(k, train_losses[k], validation_losses[k])
        results = []
        for k, (progress, best) in enumerate(zip(self.progress, self.best, strict=True)):
            state = _member(self.states, k)
            params, model_state = best or (state.params, state.model_state)
            results.append(FitResult(params, model_state, "best" if best else "latest", progress))
        return results

    def _runs(self, k: int, epoch: int) -> bool:
        """Whether a member takes part in an epoch: not if it is finished, or was ahead when the run was killed."""
        progress = self.progress[k]
        finished = epoch >= self.members[k].plan.epochs or out_of_patience(progress, self.config)
        return progress.epoch == epoch and not finished

    def _epoch(self, epoch: int, running: list[int]) -> Float[np.ndarray, " members"]:
        """Train the running members for an epoch; the mean loss of each."""
        plans = [member.plan for member in self.members]
        n_steps = max(plans[k].steps_per_epoch for k in running)
        n_calls = -(-n_steps // training.STEPS_PER_CALL)
        per_call = -(-n_steps // n_calls)
        starts = np.zeros((len(plans), n_calls * per_call, plans[0].batch_size), np.int32)
        active = np.zeros(starts.shape[:2], bool)
        for k in running:
            order = epoch_order(len(plans[k].starts), plans[k].batch_size, seed=self.members[k].seed, epoch=epoch)
            starts[k, : len(order)] = plans[k].starts[order]
            active[k, : len(order)] = True
        shared = (active == active[0]).all()
        total = np.zeros(len(plans))
        for call in range(n_calls):
            part = slice(call * per_call, (call + 1) * per_call)
            self.states, losses = train_members(
                self.network, self.config, self.n_steps, plans[0].segment_frames, self.states, self.frames,
                self.scalings, starts[:, part], active[0, part] if shared else active[:, part],
            )  # fmt: skip
            losses = np.asarray(losses, np.float64)
            for k in running:
                mine = losses[k][active[k, part]]
                first_step = epoch * plans[k].steps_per_epoch + part.start
                if not np.isfinite(mine).all():
                    _, schedule = training.make_optimizer(self.config, plans[k].n_steps)
                    raise training.diverged(mine, first_step, schedule)
                self.members[k].monitor.steps(first_step, mine)
                total[k] += mine.sum()
        return total / np.maximum(active.sum(axis=1), 1)

    def _validation_errors(self) -> Float[np.ndarray, " members"]:
        """Mean validation loss of each member; NaN where it has no validation clips."""
        plans = [member.plan for member in self.members]
        counts = np.asarray([len(plan.validation_starts) for plan in plans])
        longest, total = int(counts.max()), np.zeros(len(plans))
        if longest == 0:
            return np.full(len(plans), np.nan)
        batch = min(plans[0].batch_size, longest)
        starts = np.zeros((len(plans), -(-longest // batch) * batch), np.int32)
        for k, plan in enumerate(plans):
            starts[k, : counts[k]] = plan.validation_starts
        for first in range(0, longest, batch):
            losses = _validation_losses(
                self.network, plans[0].segment_frames, self.states.params, self.states.model_state, self.frames,
                self.scalings, starts[:, first : first + batch],
            )  # fmt: skip
            real = np.arange(first, first + batch)[None, :] < counts[:, None]
            total += np.where(real, np.asarray(losses, np.float64), 0.0).sum(axis=1)
        return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)

    def _finish_epoch(self, k: int, train_loss: float, validation_loss: float) -> None:
        """Measure, remember the best parameters and save, as `training.fit` does after an epoch."""
        plan, checkpointer = self.members[k].plan, self.members[k].checkpointer
        _, schedule = training.make_optimizer(self.config, plan.n_steps)
        measurements = {
            "train_loss": float(train_loss),
            "validation_loss": float(validation_loss),
            "learning_rate": float(schedule(self.progress[k].epoch * plan.steps_per_epoch)),
        }
        self.progress[k], better = advance(self.progress[k], measurements, self.config)
        keeps_best = better and self.config.patience is not None
        if keeps_best or checkpointer:
            state = _member(self.states, k)
            if keeps_best:
                self.best[k] = (state.params, state.model_state)
            if checkpointer:
                checkpointer.save(state, self.progress[k])
        self.members[k].monitor.epoch(self.progress[k], self.progress[k].epoch * plan.steps_per_epoch)


def _stack(trees: Sequence[PyTree]) -> PyTree:
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *trees)


def _member(tree: PyTree, k: int) -> PyTree:
    """A copy of one member's part, which outlives the donation of the whole."""
    return jax.tree.map(lambda leaf: leaf[k], tree)
