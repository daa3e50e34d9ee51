"""Archives on a cluster of several nodes on this machine, one of which is lost half way."""

import shutil

import archives
import pytest
from simulated_cluster import MARKS, cluster_of

from asd_jax.errors import InputError
from asd_jax.evaluation.heard_files import Listening
from asd_jax.runs.archive.archive import score_archive
from asd_jax.runs.archive.engine import Done
from asd_jax.runs.archive.local_engine import LocalEngine
from asd_jax.runs.archive.scoring import Job

pytest.importorskip("ray")
pytestmark = MARKS


def test_a_node_that_is_lost_loses_no_row(tmp_path):
    archives.make_recordings(tmp_path)
    archives.train(tmp_path)
    for index in range(500):  # enough to be in the middle
        shutil.copy(tmp_path / "press" / f"{index % 40:03d}.wav", tmp_path / "new" / f"more {index:03d}.wav")
    with cluster_of(1, 1, 1) as (cluster, lost):
        _score_and_lose_one(tmp_path, cluster, lost)
    local = archives.archive_of(tmp_path, tmp_path / "local", shard_size=20)
    score_archive(local, lambda: (LocalEngine(local.job), 1), say=lambda line: None)
    assert archives.rows(tmp_path / "ray") == archives.rows(local.out)


def _score_and_lose_one(tmp_path, cluster, lost):
    from asd_jax.runs.archive.ray_engine import RayEngine

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


def test_no_cluster_at_an_address():
    from asd_jax.runs.archive.ray_engine import RayEngine

    with pytest.raises(InputError, match="no Ray cluster answers there"):
        RayEngine(Job("run", "", Listening()), address="127.0.0.1:1")
