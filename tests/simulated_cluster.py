"""A cluster of several nodes on this machine: what tests of archives and of sweeps share."""

import contextlib
import logging

import pytest

MARKS = [
    pytest.mark.service,
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),  # of JAX, about every subprocess
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files and processes to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@contextlib.contextmanager
def cluster_of(*cpus: int):
    """A cluster and those of its nodes that can be lost.

    Args:
        cpus: of each node; the first has the driver.
    """
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        logging.getLogger("ray").setLevel(logging.ERROR)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cpus[0]})
        try:
            yield cluster, [cluster.add_node(num_cpus=number) for number in cpus[1:]]
        finally:
            ray.shutdown()
            cluster.shutdown()
