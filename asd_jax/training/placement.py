"""Where arrays of a training run lie: on one device, or the batch spread over all of them."""

from collections.abc import Callable

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jaxtyping import Array, Int, PyTree

from asd_jax.errors import InputError

MESHES = ("none", "data")


def place(
    mesh: str, batch_size: int
) -> tuple[Callable[[PyTree], PyTree], Callable[[Int[np.ndarray, "steps batch"]], Int[Array, "steps batch"]]]:
    """Functions that put a tree on every device, and the examples' indices on the device that computes them.

    Args:
        mesh: `none` for the default device; `data` splits each batch over all devices, which compute its parts with
            equal parameters and add up their gradients.
        batch_size: examples a step.

    Raises:
        InputError: the devices do not divide the batch.
    """
    if mesh == "none":
        return lambda tree: tree, lambda starts: starts
    devices = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    if batch_size % jax.device_count():
        raise InputError(
            f"--mesh=data: {jax.device_count()} devices do not divide a batch of {batch_size}; change --batch_size"
        )
    everywhere = NamedSharding(devices, PartitionSpec())
    by_example = NamedSharding(devices, PartitionSpec(None, "data"))
    return lambda tree: jax.device_put(tree, everywhere), lambda starts: jax.device_put(starts, by_example)
