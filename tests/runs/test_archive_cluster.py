"""Archives on a cluster of several nodes on this machine, one of which is lost half way."""

import logging
import shutil

import archives
import pytest

from asd_jax.errors import InputError
from asd_jax.evaluation.heard_files import Listening
from asd_jax.runs.archive.archive import score_archive
from asd_jax.runs.archive.engine import Done
from asd_jax.runs.archive.local_engine import LocalEngine
from asd_jax.runs.archive.scoring import Job

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),  # of JAX, about every subprocess
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files and processes to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def cluster(monkeypatch):
    """Three nodes of one core each, the first of which has the driver."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def test_a_node_that_is_lost_loses_no_row(tmp_path, cluster):
    from asd_jax.runs.archive.ray_engine import RayEngine

    archives.make_recordings(tmp_path)
    archives.train(tmp_path)
    for index in range(500):  # enough to be in the middle
        shutil.copy(tmp_path / "press" / f"{index % 40:03d}.wav", tmp_path / "new" / f"more {index:03d}.wav")
    lost = [cluster.add_node(num_cpus=1) for _ in range(2)]

    class Losing(RayEngine):
        """Loses a node as soon as all three workers have loaded, and none has come back with all its rows."""

        def wait(self, seconds):
            found = super().wait(seconds)
            self.heard = getattr(self, "heard", set()) | {of for of, outcome in found if isinstance(outcome, Done)}
            if len(self.heard) == 3 and len(lost) == 2:
                cluster.remove_node(lost.pop(), allow_graceful=False)
            return found

    archive = archives.archive_of(tmp_path, tmp_path / "ray", shard_size=20)
    engine = Losing(archive.job, address=cluster.address)
    assert engine.n_workers() == 3
    scored = score_archive(archive, lambda: (engine, 3), say=lambda line: None)
    assert len(lost) == 1 and scored.n_replaced >= 1
    local = archives.archive_of(tmp_path, tmp_path / "local", shard_size=20)
    score_archive(local, lambda: (LocalEngine(local.job), 1), say=lambda line: None)
    assert archives.rows(archive.out) == archives.rows(local.out)


def test_no_cluster_at_an_address():
    from asd_jax.runs.archive.ray_engine import RayEngine

    with pytest.raises(InputError, match="no Ray cluster answers there"):
        RayEngine(Job("run", "", Listening()), address="auto")
