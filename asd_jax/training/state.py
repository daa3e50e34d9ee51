"""What a step of training changes, and how: the state, the optimiser, the state before the first step."""

import dataclasses

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray, PyTree

from asd_jax.models.network import Learner
from asd_jax.training.config import TrainingConfig


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything that a step changes, and the key that the keys of all steps come from."""

    step: Int[Array, ""]
    params: PyTree
    model_state: PyTree
    opt_state: PyTree
    key: Key[Array, ""]

    @property
    def step_key(self) -> PRNGKeyArray:
        """The key of the next step."""
        return jax.random.fold_in(self.key, self.step)


def make_optimizer(
    config: TrainingConfig, n_steps: int | Int[Array, ""]
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """Adam or AdamW, and its learning rate by step; `n_steps` may be traced: runs of any length share a program."""

    def cosine(step: Int[Array, ""] | int) -> Float[Array, ""]:
        done = jnp.minimum(jnp.asarray(step, jnp.float32) / jnp.asarray(n_steps, jnp.float32), 1.0)
        return 0.5 * config.learning_rate * (1 + jnp.cos(jnp.pi * done))

    schedule = cosine if config.schedule == "cosine" else optax.constant_schedule(config.learning_rate)
    if config.weight_decay:
        return optax.adamw(schedule, weight_decay=config.weight_decay), schedule
    return optax.adam(schedule), schedule


def init_train_state(network: Learner, config: TrainingConfig, n_steps: int, *, key: PRNGKeyArray) -> TrainState:
    """State before the first step."""
    init_key, key = jax.random.split(key)
    params, model_state = network.init(key=init_key)
    optimizer, _ = make_optimizer(config, n_steps)
    return TrainState(jnp.zeros((), jnp.int32), params, model_state, optimizer.init(params), key)
