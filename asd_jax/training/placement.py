"""Where arrays of a training run lie: on one device, or the batch spread over all of them, on one host or several."""

from collections.abc import Callable

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips
from asd_jax.training import hosts

MESHES = ("none", "data")


def holds(clips: StoredClips) -> bool:
    """Whether device memory is to hold clips: not those in a file, nor what would take more than half of what is free.

    On a CPU that memory is the computer's, which holds the clips already. Several hosts hold them all or none does,
    since they run one program.
    """
    return hosts.everywhere(not clips.on_disk and _is_room_for(clips.n_bytes))


def _is_room_for(n_bytes: int) -> bool:
    statistics = jax.local_devices()[0].memory_stats()
    if not statistics or "bytes_limit" not in statistics:
        return True
    return n_bytes <= (statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)) // 2


def place(mesh: str, batch_size: int) -> tuple[Callable[[PyTree], PyTree], Callable[[PyTree], PyTree]]:
    """Functions that put a tree on every device, and arrays `(steps, batch, ...)` on those that compute their parts.

    Of several hosts each gives the second function either all of the batch, or the rows that are its own
    (`own_rows`).

    Args:
        mesh: `none` for the default device; `data` splits each batch over all devices of all hosts, which compute its
            parts with equal parameters and add up their gradients.
        batch_size: examples a step.

    Raises:
        InputError: the devices do not divide the batch, or several hosts would each train a network of its own.
    """
    if mesh == "none":
        if hosts.several():
            raise InputError("several hosts train one network with `mesh=data`, and not without it")
        return lambda tree: tree, lambda picks: picks
    n_devices = jax.device_count()
    if batch_size % n_devices:
        of_hosts = f" of {jax.process_count()} hosts" if hosts.several() else ""
        raise InputError(
            f"`mesh=data`: {n_devices} devices{of_hosts} do not divide a batch of {batch_size}; change `batch_size`"
        )
    # By host, so that a host's rows are consecutive.
    devices = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    mesh_of_all = Mesh(np.asarray(devices), ("data",), axis_types=(AxisType.Auto,))
    everywhere = NamedSharding(mesh_of_all, PartitionSpec())
    by_example = NamedSharding(mesh_of_all, PartitionSpec(None, "data"))
    if not hosts.several():
        return lambda tree: jax.device_put(tree, everywhere), lambda picks: jax.device_put(picks, by_example)

    def on_all(array: jax.Array | np.ndarray) -> jax.Array:
        copies = [jax.device_put(array, device) for device in jax.local_devices()]
        return jax.make_array_from_single_device_arrays(copies[0].shape, everywhere, copies)

    def of_batch(rows: np.ndarray) -> jax.Array:
        shape = (rows.shape[0], batch_size, *rows.shape[2:])
        return jax.make_array_from_process_local_data(by_example, np.asarray(rows), shape)

    return lambda tree: jax.tree.map(on_all, tree), lambda picks: jax.tree.map(of_batch, picks)


def own_rows(batch_size: int) -> slice:
    """The rows of every batch that this host computes, where a batch is split over all devices."""
    size = batch_size * jax.local_device_count() // jax.device_count()
    before = sum(device.process_index < jax.process_index() for device in jax.devices())
    start = batch_size * before // jax.device_count()
    return slice(start, start + size)


def own(tree: PyTree) -> PyTree:
    """Arrays that every device holds whole, as this host's own, with which it computes alone."""
    return jax.tree.map(lambda array: array if array.is_fully_addressable else array.addressable_data(0), tree)
