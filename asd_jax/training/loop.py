"""Training: the state, the step, the epoch, and `fit`, which every network goes through."""

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray, PyTree
from tqdm import tqdm

from asd_jax.errors import InputError
from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.training.placement import place
from asd_jax.training.plan import Plan, TrainingConfig, epoch_order
from asd_jax.training.progress import Progress, advance, out_of_patience

STEPS_PER_CALL = 50  # steps in one compiled call: few enough for a live progress bar, enough to hide dispatch


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything that a step changes; in an ensemble every array has a leading member axis."""

    step: Int[Array, "*members"]
    params: PyTree
    model_state: PyTree
    opt_state: PyTree
    key: Key[Array, "*members"]


@dataclasses.dataclass(frozen=True)
class FitResult:
    """What `fit` returns: the chosen parameters (`used` says which: `latest` or `best`) and how it went."""

    params: PyTree
    model_state: PyTree
    used: str
    progress: Progress


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


def make_optimizer(
    config: TrainingConfig, n_steps: int | Int[Array, ""]
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """Adam and its learning rate by step; members of an ensemble differ in `n_steps`, which may be traced."""

    def cosine(step: Int[Array, ""] | int) -> Float[Array, ""]:
        done = jnp.minimum(jnp.asarray(step, jnp.float32) / jnp.asarray(n_steps, jnp.float32), 1.0)
        return 0.5 * config.learning_rate * (1 + jnp.cos(jnp.pi * done))

    schedule = cosine if config.schedule == "cosine" else optax.constant_schedule(config.learning_rate)
    return optax.adam(schedule), schedule


def init_train_state(network: Network, config: TrainingConfig, n_steps: int, *, key: PRNGKeyArray) -> TrainState:
    """State before the first step."""
    init_key, key = jax.random.split(key)
    params, model_state = network.init(key=init_key)
    optimizer, _ = make_optimizer(config, n_steps)
    return TrainState(jnp.zeros((), jnp.int32), params, model_state, optimizer.init(params), key)


def cut_segments(
    frames: Float[Array, "total_frames n_features"], starts: Int[Array, " batch"], segment_frames: int
) -> Float[Array, "batch segment_frames n_features"]:
    """Runs of `segment_frames` frames from the concatenated clips."""
    return frames[starts[:, None] + jnp.arange(segment_frames)[None, :]]


def train_step(
    network: Network,
    optimizer: optax.GradientTransformation,
    train_state: TrainState,
    segments: Float[Array, "batch segment_frames n_features"],
) -> tuple[TrainState, Float[Array, ""]]:
    """One update from a batch of scaled segments; returns the loss before it."""
    value_and_grad = jax.value_and_grad(network.loss, has_aux=True)
    (loss, model_state), grads = value_and_grad(train_state.params, train_state.model_state, segments, training=True)
    with jax.numpy_dtype_promotion("standard"):  # Adam mixes Python and int32 counts with float32
        updates, opt_state = optimizer.update(grads, train_state.opt_state, train_state.params)
    params = optax.apply_updates(train_state.params, updates)
    return TrainState(train_state.step + 1, params, model_state, opt_state, train_state.key), loss


@functools.partial(jax.jit, static_argnames=("network", "config", "segment_frames"), donate_argnames="train_state")
def train_steps(
    network: Network,
    config: TrainingConfig,
    n_steps: int | Int[Array, ""],
    segment_frames: int,
    train_state: TrainState,
    frames: Float[Array, "total_frames n_features"],
    scaling: Scaling,
    starts: Int[Array, "steps batch"],
    active: Bool[Array, " steps"],
) -> tuple[TrainState, Float[Array, " steps"]]:
    """Several steps in one compiled loop; an inactive step leaves the whole state as it is, and its loss is 0.

    Args:
        n_steps: steps of the whole run, for the schedule.
        starts: first frame of every example of every step.
        active: steps that are real; the rest fill up the loop.
    """
    optimizer, _ = make_optimizer(config, n_steps)

    def body(state: TrainState, step: tuple[Array, Array]) -> tuple[TrainState, Array]:
        step_starts, is_active = step

        def update(state: TrainState) -> tuple[TrainState, Array]:
            return train_step(network, optimizer, state, scaling(cut_segments(frames, step_starts, segment_frames)))

        if not network.config.scan_epoch:  # one step a call, always real; a branch would be as slow as a loop
            return update(state)
        return jax.lax.cond(is_active, update, lambda state: (state, jnp.zeros(())), state)

    if network.config.scan_epoch:
        return jax.lax.scan(body, train_state, (starts, active))
    train_state, loss = body(train_state, (starts[0], active[0]))
    return train_state, loss[None]


def segment_losses(
    network: Network,
    segment_frames: int,
    params: PyTree,
    model_state: PyTree,
    frames: Float[Array, "total_frames n_features"],
    scaling: Scaling,
    starts: Int[Array, " batch"],
) -> Float[Array, " batch"]:
    """Mean squared residual of each segment, with the model in evaluation mode."""
    segments = scaling(cut_segments(frames, starts, segment_frames))
    residual, _ = network.residual(params, model_state, segments)
    return jnp.mean(jnp.square(residual), axis=(1, 2, 3))


_segment_losses = jax.jit(segment_losses, static_argnames=("network", "segment_frames"))


def _calls(order: Int[np.ndarray, "n_steps batch"], steps_per_call: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut an epoch into calls of equal length, the last filled up with inactive steps."""
    for first in range(0, len(order), steps_per_call):
        part = order[first : first + steps_per_call]
        active = np.arange(steps_per_call) < len(part)
        yield (
            np.concatenate([part, np.zeros((steps_per_call - len(part), part.shape[1]), part.dtype)]),
            active,
        )


def diverged(losses: np.ndarray, first_step: int, schedule: optax.Schedule) -> InputError:
    """The error of a run whose losses are no longer finite; `first_step` is the step of the first loss."""
    step = first_step + int(np.flatnonzero(~np.isfinite(losses))[0])
    return InputError(
        f"the loss is not finite at step {step + 1}, with learning rate {float(schedule(step)):.3g}; "
        "lower --learning_rate"
    )


def fit(
    network: Network,
    clips: StoredClips,
    plan: Plan,
    config: TrainingConfig,
    *,
    scaling: Scaling,
    seed: int,
    checkpointer: Checkpointer | None = None,
    monitor: Monitor = Monitor(),  # noqa: B008 (it holds nothing)
) -> FitResult:
    """Train a network on the examples of a plan, going on from the checkpointer's latest epoch if it has one.

    Args:
        seed: of the parameters and of the order of examples.
        checkpointer: keeps the state after every epoch; a run killed at any moment loses at most the running one.
        monitor: told of the losses of every step and of every epoch.

    Raises:
        InputError: the loss became NaN or infinite.
    """
    _, schedule = make_optimizer(config, plan.n_steps)
    train_state = init_train_state(network, config, plan.n_steps, key=jax.random.key(seed))
    train_state, progress, best = restore(train_state, config, checkpointer)
    replicate, split = place(config.mesh, plan.batch_size)
    train_state, frames = replicate((train_state, jnp.asarray(clips.values)))
    steps_per_call = min(STEPS_PER_CALL, plan.steps_per_epoch) if network.config.scan_epoch else 1
    bar = tqdm(
        total=plan.n_steps,
        initial=progress.epoch * plan.steps_per_epoch,
        desc="training",
        unit="step",
        disable=None,
    )
    with bar:
        while progress.epoch < plan.epochs and not out_of_patience(progress, config):
            order = epoch_order(len(plan.starts), plan.batch_size, seed=seed, epoch=progress.epoch)
            total, done = 0.0, 0
            for indices, active in _calls(order, steps_per_call):
                train_state, losses = train_steps(
                    network, config, plan.n_steps, plan.segment_frames,
                    train_state, frames, scaling, split(plan.starts[indices].astype(np.int32)), active,
                )  # fmt: skip
                losses = np.asarray(losses)[active]
                if not np.isfinite(losses).all():
                    raise diverged(losses, progress.epoch * plan.steps_per_epoch + done, schedule)
                monitor.steps(progress.epoch * plan.steps_per_epoch + done, losses)
                total, done = total + float(losses.sum()), done + len(losses)
                bar.update(len(losses))
                bar.set_postfix(epoch=progress.epoch + 1, loss=f"{total / done:.4f}", refresh=False)
            validation_loss = validation_error(network, plan, train_state, frames, scaling)
            measurements = {
                "train_loss": total / done,
                "validation_loss": validation_loss,
                "learning_rate": float(schedule(progress.epoch * plan.steps_per_epoch)),
            }
            progress, better = advance(progress, measurements, config)
            if better and config.patience is not None:
                best = jax.tree.map(jnp.copy, (train_state.params, train_state.model_state))
            if checkpointer:
                checkpointer.save(train_state, progress)
            monitor.epoch(progress, progress.epoch * plan.steps_per_epoch)
    if best is None:
        return FitResult(train_state.params, train_state.model_state, "latest", progress)
    return FitResult(*best, "best", progress)


def restore(
    train_state: TrainState, config: TrainingConfig, checkpointer: Checkpointer | None
) -> tuple[TrainState, Progress, tuple[PyTree, PyTree] | None]:
    """Where the checkpointer's latest epoch left off, or the start: state, progress, best parameters if they count."""
    restored = checkpointer.restore(train_state) if checkpointer else None
    if not restored:
        return train_state, Progress(), None
    latest, progress = restored
    if config.patience is None or not progress.best_epoch:
        return latest, progress, None
    best = checkpointer.restore(train_state, progress.best_epoch)[0]
    return latest, progress, (best.params, best.model_state)


def validation_error(
    network: Network,
    plan: Plan,
    train_state: TrainState,
    frames: Float[Array, "total_frames n_features"],
    scaling: Scaling,
) -> float:
    """Mean squared residual over the validation segments, weighted equally; NaN where there are none."""
    starts = plan.validation_starts.astype(np.int32)
    if len(starts) == 0:
        return math.nan
    batch, total = min(plan.batch_size, len(starts)), 0.0
    for first in range(0, len(starts), batch):
        part = starts[first : first + batch]
        padded = np.concatenate([part, np.zeros(batch - len(part), np.int32)])
        losses = _segment_losses(
            network, plan.segment_frames, train_state.params, train_state.model_state, frames, scaling, padded
        )
        total += float(np.asarray(losses, np.float64)[: len(part)].sum())
    return total / len(starts)


def mean_prediction_error(
    clips: StoredClips,
    train: Int[np.ndarray, " n_train"],
    validation: Int[np.ndarray, " n_validation"],
    scaling: Scaling,
) -> float:
    """Mean squared error of predicting every scaled frame of the validation clips by the training clips' mean frame.

    What a network's validation loss is held against: a ratio of 1 means that it has learned nothing but the mean.
    """
    n_train, n_validation = clips.clip_length[train].sum(), clips.clip_length[validation].sum()
    mean = sum(clips.clip(int(i)).sum(axis=0, dtype=np.float64) for i in train) / n_train
    squares = sum(np.square(clips.clip(int(i)) - mean).sum(axis=0) for i in validation)
    return float(np.mean(squares / n_validation * np.square(np.asarray(scaling.scale, np.float64))))
