"""The training loop, which every network goes through: one step, several in one compiled call, the epochs."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PyTree
from tqdm import tqdm

from asd_jax.errors import InputError
from asd_jax.models.network import Learner
from asd_jax.training.batches import AnySource, Batch, Picks, Read
from asd_jax.training.config import TrainingConfig
from asd_jax.training.examples import Examples
from asd_jax.training.hooks import Checkpointer, Monitor
from asd_jax.training.hosts import told
from asd_jax.training.objectives import Objective
from asd_jax.training.placement import own, place
from asd_jax.training.progress import Progress, advance, out_of_patience
from asd_jax.training.state import TrainState, init_train_state, make_optimizer

STEPS_PER_CALL = 50  # steps in one compiled call: few enough for a live progress bar, enough to hide dispatch


@dataclasses.dataclass(frozen=True)
class FitResult:
    """What `fit` returns: the chosen parameters (`used` says which: `latest` or `best`) and how it went."""

    params: PyTree
    model_state: PyTree
    used: str
    progress: Progress


def train_step(
    network: Learner,
    objective: Objective,
    optimizer: optax.GradientTransformation,
    train_state: TrainState,
    batch: Batch,
) -> tuple[TrainState, Float[Array, ""]]:
    """One update from a batch; returns the mean loss before it."""

    def loss(params: PyTree) -> tuple[Float[Array, ""], PyTree]:
        losses, model_state = objective.losses(
            network, params, train_state.model_state, batch, key=train_state.step_key, training=True
        )
        return jnp.mean(losses), model_state

    (value, model_state), grads = jax.value_and_grad(loss, has_aux=True)(train_state.params)
    with jax.numpy_dtype_promotion("standard"):  # Adam mixes Python and int32 counts with float32
        updates, opt_state = optimizer.update(grads, train_state.opt_state, train_state.params)
    params = optax.apply_updates(train_state.params, updates)
    return TrainState(train_state.step + 1, params, model_state, opt_state, train_state.key), value


@functools.partial(jax.jit, static_argnames=("network", "objective", "config", "length"), donate_argnames="train_state")
def train_steps(
    network: Learner,
    objective: Objective,
    config: TrainingConfig,
    length: int,
    n_steps: int | Int[Array, ""],
    train_state: TrainState,
    source: AnySource,
    picks: Picks | Read,
    active: Bool[Array, " steps"],
) -> tuple[TrainState, Float[Array, " steps"]]:
    """Several steps in one compiled loop; an inactive step leaves the whole state as it is, and its loss is 0.

    Args:
        network: the model.
        objective: what is minimised.
        config: the optimiser's settings.
        length: rows of an example.
        n_steps: steps of the whole run, for the schedule.
        train_state: before the first step; its memory is taken over.
        source: what examples are cut from.
        picks: the examples of every step.
        active: steps that are real; the rest fill up the loop.
    """
    optimizer, _ = make_optimizer(config, n_steps)

    def body(state: TrainState, step: tuple[Picks | Read, Array]) -> tuple[TrainState, Array]:
        step_picks, is_active = step

        def update(state: TrainState) -> tuple[TrainState, Array]:
            batch = source.batch(step_picks, length, key=jax.random.fold_in(state.step_key, 1))
            return train_step(network, objective, optimizer, state, batch)

        if not network.config.scan_epoch:  # one step a call, always real; a branch would be as slow as a loop
            return update(state)
        return jax.lax.cond(is_active, update, lambda state: (state, jnp.zeros(())), state)

    if network.config.scan_epoch:
        return jax.lax.scan(body, train_state, (picks, active))
    train_state, loss = body(train_state, jax.tree.map(lambda of_steps: of_steps[0], (picks, active)))
    return train_state, loss[None]


@functools.partial(jax.jit, static_argnames=("network", "objective", "length"))
def _validation_losses(
    network: Learner,
    objective: Objective,
    length: int,
    train_state: TrainState,
    source: AnySource,
    picks: Picks | Read,
) -> Float[Array, " batch"]:
    """Loss of each example, with the model in evaluation mode."""
    batch = source.batch(picks, length)
    return objective.losses(
        network, train_state.params, train_state.model_state, batch, key=train_state.key, training=False
    )[0]


def validation_loss(
    network: Learner, objective: Objective, examples: Examples, train_state: TrainState, source: AnySource
) -> float:
    """The objective's mean over the validation examples, weighted equally; NaN where there are none."""
    total, count = 0.0, 0
    for picks, n_real in examples.validation():
        losses = _validation_losses(network, objective, examples.length, train_state, source, picks)
        total, count = total + float(np.asarray(losses, np.float64)[:n_real].sum()), count + n_real
    return total / count if count else math.nan


def fit(
    network: Learner,
    objective: Objective,
    examples: Examples,
    config: TrainingConfig,
    *,
    seed: int,
    checkpointer: Checkpointer | None = None,
    monitor: Monitor = Monitor(),  # noqa: B008 (it holds nothing)
    name: str = "training",
) -> FitResult:
    """Train a network, going on from the checkpointer's latest epoch if it has one.

    Args:
        network: the model.
        objective: what is minimised.
        examples: what it is trained on, and for how many epochs.
        config: how.
        seed: of the parameters, of the order of examples and of what the objective draws.
        checkpointer: keeps the state after every epoch; a run killed at any moment loses at most the running one.
        monitor: told of the losses of every step and of every epoch.
        name: what the progress bar says.

    Raises:
        InputError: the loss became NaN or infinite.
    """
    n_epochs, steps_per_epoch = examples.epochs, examples.steps_per_epoch
    n_steps = n_epochs * steps_per_epoch
    _, schedule = make_optimizer(config, n_steps)
    train_state = init_train_state(network, config, n_steps, key=jax.random.key(seed))
    train_state, progress, best = restore(train_state, config, checkpointer)
    replicate, split = place(config.mesh, examples.batch_size)
    train_state, source = replicate((train_state, examples.source))
    per_call = min(STEPS_PER_CALL, steps_per_epoch) if network.config.scan_epoch else 1
    bar = tqdm(total=n_steps, initial=progress.epoch * steps_per_epoch, desc=name, unit="step", disable=None)
    with bar:
        while progress.epoch < n_epochs and not out_of_patience(progress, config):
            begin = step = progress.epoch * steps_per_epoch
            total = 0.0
            for picks, active in examples.calls(seed=seed, epoch=progress.epoch, steps_per_call=per_call):
                train_state, losses = train_steps(
                    network, objective, config, examples.length, n_steps, train_state, source, split(picks), active
                )
                losses = np.asarray(losses)[active]
                if not np.isfinite(losses).all():
                    raise diverged(losses, step, schedule)
                monitor.steps(step, losses)
                step, total = step + len(losses), total + float(losses.sum())
                bar.update(len(losses))
                bar.set_postfix(epoch=progress.epoch + 1, loss=f"{total / (step - begin):.4f}", refresh=False)
            measurements = {
                "train_loss": total / steps_per_epoch,
                "validation_loss": validation_loss(network, objective, examples, train_state, source),
                "learning_rate": float(schedule(begin)),
            }
            progress, better = advance(progress, told(measurements), config)
            if better and config.patience is not None:
                best = jax.tree.map(jnp.copy, (train_state.params, train_state.model_state))
            if checkpointer:
                checkpointer.save(train_state, progress)
            monitor.epoch(progress, step)
    used = "best"
    if best is None:
        best, used = (train_state.params, train_state.model_state), "latest"
    return FitResult(*own(best), used, progress)


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


def diverged(losses: np.ndarray, first_step: int, schedule: optax.Schedule) -> InputError:
    """The error of a run whose losses are no longer finite; `first_step` is the step of the first loss."""
    step = first_step + int(np.flatnonzero(~np.isfinite(losses))[0])
    return InputError(
        f"the loss is not finite at step {step + 1}, with learning rate {float(schedule(step)):.3g}; "
        "lower `learning_rate`"
    )
