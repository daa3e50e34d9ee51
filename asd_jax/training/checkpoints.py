"""Orbax checkpoints: the states of a training run."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from jaxtyping import PyTree
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN

from asd_jax.files import checkpoint_written_below
from asd_jax.training.progress import Progress
from asd_jax.training.state import TrainState


class RunCheckpoints:
    """Training states of a run below `folder`: the latest, and the one with the lowest validation loss.

    A state is committed by a rename, so that a kill at any moment leaves whole states only.
    """

    def __init__(self, folder: str | Path) -> None:
        policies = [LatestN(1), BestN(get_metric_fn=lambda m: m["validation_loss"], reverse=True, n=1)]
        options = ocp.CheckpointManagerOptions(
            preservation_policy=AnyPreservationPolicy(policies), enable_async_checkpointing=False
        )
        self._manager = ocp.CheckpointManager(Path(folder).absolute(), options=options)

    def save(self, train_state: TrainState, progress: Progress) -> None:
        """Keep the state after an epoch."""
        loss = progress.history[-1]["validation_loss"]
        args = ocp.args.Composite(
            train_state=ocp.args.StandardSave(_to_tree(train_state)),
            progress=ocp.args.JsonSave(_progress_to_json(progress)),
        )
        # Without validation clips all are equally good and the latest wins.
        metrics = {"validation_loss": float(loss) if math.isfinite(loss) else -float(progress.epoch)}
        with checkpoint_written_below(Path(self._manager.directory)):
            saved = self._manager.save(progress.epoch, args=args, metrics=metrics)
        if not saved:
            raise RuntimeError(f"Orbax did not save epoch {progress.epoch}")

    def restore(self, template: TrainState, epoch: int | None = None) -> tuple[TrainState, Progress] | None:
        """The latest state, or that of an epoch; None if there is none.

        Args:
            template: a state of the same shapes.
        """
        epoch = self._manager.latest_step() if epoch is None else epoch
        if epoch is None:
            return None
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, _to_tree(template))
        args = ocp.args.Composite(train_state=ocp.args.StandardRestore(abstract), progress=ocp.args.JsonRestore())
        restored = self._manager.restore(epoch, args=args)
        tree = restored.train_state
        tree["key"] = jax.random.wrap_key_data(tree["key"])
        return TrainState(**tree), _progress_from_json(restored.progress)

    def close(self) -> None:
        """Release the manager's threads."""
        self._manager.close()


def _to_tree(state: TrainState) -> dict[str, PyTree]:
    tree = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return tree | {"key": jax.random.key_data(state.key)}


def _progress_to_json(progress: Progress) -> dict[str, Any]:
    """JSON has no NaN; None stands for it."""
    values = dataclasses.asdict(progress)
    values["history"] = [{k: _none_if_nan(v) for k, v in epoch.items()} for epoch in progress.history]
    return {k: _none_if_nan(v) if isinstance(v, float) else v for k, v in values.items()}


def _progress_from_json(values: dict[str, Any]) -> Progress:
    history = tuple({k: _nan_if_none(v) for k, v in epoch.items()} for epoch in values["history"])
    return Progress(**{k: _nan_if_none(v) for k, v in values.items()} | {"history": history})


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value


def _nan_if_none(value: Any) -> Any:
    return math.nan if value is None else value
