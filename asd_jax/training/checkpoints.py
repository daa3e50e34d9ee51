"""Orbax checkpoints: the states of a training run."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN

from asd_jax.files import checkpoint_written_below
from asd_jax.training import hosts
from asd_jax.training.progress import Progress
from asd_jax.training.state import TrainState


class RunCheckpoints:
    """Training states of a run below `folder`: the latest, and the one with the lowest validation loss.

    A state is committed by a rename, so that a kill at any moment leaves whole states only. Of several hosts, which all
    hold the whole state, the first alone reads and writes, and tells the others: they need no folder that all share,
    and a run goes on with any number of them.
    """

    def __init__(self, folder: str | Path) -> None:
        self._manager = _manager(Path(folder).absolute()) if hosts.is_first() else None

    def save(self, train_state: TrainState, progress: Progress) -> None:
        """Keep the state after an epoch."""
        if self._manager is None:
            return
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
        tree, progress = _to_tree(template), None
        if self._manager is not None:
            epoch = self._manager.latest_step() if epoch is None else epoch
            if epoch is not None:
                tree, progress = self._read(epoch, tree)
        progress = hosts.told(progress)
        if progress is None:
            return None
        tree = jax.tree.map(jnp.asarray, hosts.told_arrays(tree))
        tree["key"] = jax.random.wrap_key_data(tree["key"])
        return TrainState(**tree), _progress_from_json(progress)

    def _read(self, epoch: int, template: dict[str, PyTree]) -> tuple[dict[str, PyTree], dict[str, Any]]:
        here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])  # wherever they were when they were saved
        abstract = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=here), template)
        args = ocp.args.Composite(train_state=ocp.args.StandardRestore(abstract), progress=ocp.args.JsonRestore())
        restored = self._manager.restore(epoch, args=args)
        return jax.device_get(restored.train_state), restored.progress

    def close(self) -> None:
        """Release the manager's threads."""
        if self._manager is not None:
            self._manager.close()


class _Manager(ocp.CheckpointManager):
    """Orbax's, of a host that saves alone."""

    def reached_preemption(self, step: int) -> bool:
        """Never: hosts would have to agree on it, and others do not ask."""
        return False


def alone() -> ocp.options.MultiprocessingOptions:
    """What keeps Orbax from waiting for other hosts."""
    own = jax.process_index()
    return ocp.options.MultiprocessingOptions(primary_host=own, active_processes={own})


def _manager(folder: Path) -> ocp.CheckpointManager:
    policies = [LatestN(1), BestN(get_metric_fn=lambda m: m["validation_loss"], reverse=True, n=1)]
    folder.mkdir(parents=True, exist_ok=True)  # Orbax makes none for one host of several
    options = ocp.CheckpointManagerOptions(
        preservation_policy=AnyPreservationPolicy(policies),
        enable_async_checkpointing=False,
        create=False,
        multiprocessing_options=alone(),
    )
    return _Manager(folder, options=options)


def _to_tree(state: TrainState) -> dict[str, PyTree]:
    """Its arrays, as NumPy's: Orbax refuses those of devices of one host, where there are others."""
    tree = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return jax.tree.map(np.asarray, tree | {"key": jax.random.key_data(state.key)})


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
