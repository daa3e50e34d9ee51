"""Joining a cluster by Ray: what archives and sweeps share."""

import logging
import os
import socket
import warnings
from typing import Any

from asd_jax.errors import InputError


def join(address: str | None) -> Any:
    """Join a cluster, or start Ray on this machine.

    Args:
        address: of the cluster, `auto` for the one that this machine belongs to; None for this machine alone.

    Returns:
        the module `ray`.

    Raises:
        InputError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError("`engine=ray` needs Ray; pip install 'asd_jax[cluster]', or take `engine=local`") from error
    if ray.is_initialized():
        return ray
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray's own default of later versions
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        _check_answers(address)
        with warnings.catch_warnings():
            # JAX warns of every fork; Ray's are followed by exec at once, which is harmless.
            warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise InputError(
            f"`ray_address`={address}: no Ray cluster answers there; start one (ray start --head), set "
            "RAY_AUTH_MODE=token where it asks for a token, or leave it out"
        ) from error
    return ray


def _check_answers(address: str | None) -> None:
    """Raise OSError where nothing listens, for which Ray would wait a minute and more."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def has_room(ray: Any, *, cpus: float, gpus: float) -> bool:
    """Whether a node of the cluster has so much, be it busy now or not."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return any(node.get("CPU", 0.0) >= cpus and node.get("GPU", 0.0) >= gpus for node in nodes)
