"""Where arrays of a training run lie: on one device, or the batch spread over all of them."""

from collections.abc import Callable

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips

MESHES = ("none", "data")


def holds(clips: StoredClips) -> bool:
    """Whether device memory is to hold clips: not those in a file, nor what would take more than half of what is free.

    On a CPU that memory is the computer's, which holds the clips already.
    """
    if clips.on_disk:
        return False
    statistics = jax.local_devices()[0].memory_stats()
    if not statistics or "bytes_limit" not in statistics:
        return True
    return clips.n_bytes <= (statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)) // 2


def place(mesh: str, batch_size: int) -> tuple[Callable[[PyTree], PyTree], Callable[[PyTree], PyTree]]:
    """Functions that put a tree on every device, and arrays `(steps, batch)` on the devices that compute their parts.

    Args:
        mesh: `none` for the default device; `data` splits each batch over all devices, which compute its parts with
            equal parameters and add up their gradients.
        batch_size: examples a step.

    Raises:
        InputError: the devices do not divide the batch.
    """
    if mesh == "none":
        return lambda tree: tree, lambda picks: picks
    devices = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    if batch_size % jax.device_count():
        raise InputError(
            f"`mesh=data`: {jax.device_count()} devices do not divide a batch of {batch_size}; change `batch_size`"
        )
    everywhere = NamedSharding(devices, PartitionSpec())
    by_example = NamedSharding(devices, PartitionSpec(None, "data"))
    return lambda tree: jax.device_put(tree, everywhere), lambda picks: jax.device_put(picks, by_example)
