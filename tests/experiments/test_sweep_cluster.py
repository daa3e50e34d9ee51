"""Sweeps on a cluster of several nodes on this machine, one of which is lost half way."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
import swept
from simulated_cluster import MARKS, cluster_of

ROOT = Path(__file__).parents[2]
pytest.importorskip("ray")
pytestmark = MARKS


def benchmark(*arguments):
    """A process of its own, since a driver joins one cluster in its life."""
    command = [sys.executable, "-m", "experiments.benchmark", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def parent_of(process: str) -> str:
    status = Path(f"/proc/{process}/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:"))


def node_of(base: Path, nodes):
    """The node that is at the network's run: its raylet is the parent of the worker that started it."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if f"--workdir={base / swept.NETWORK}".encode() in path.read_bytes():
                raylet = parent_of(parent_of(path.parent.name))
                return next(node for node in nodes if str(node.all_processes["raylet"][0].process.pid) == raylet)
    raise AssertionError("nobody is at it")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes")
def test_a_node_that_is_lost_costs_no_run(machine_tree, tmp_path):
    arguments = swept.arguments(machine_tree)
    local, lost = tmp_path / "local", tmp_path / "lost"
    driver = benchmark(*arguments, "--cpus_per_run=1", f"--workdir={local}")
    assert driver.wait() == 0, driver.stdout.read()
    with cluster_of(0, 1, 1) as (cluster, nodes):
        on_ray = ("--engine=ray", f"--ray_address={cluster.address}")
        driver = benchmark(*arguments, *on_ray, f"--workdir={lost}")
        swept.wait_until(lambda: driver.poll() is not None or swept.is_in_the_middle(lost / swept.NETWORK))
        cluster.remove_node(node_of(lost, nodes), allow_graceful=False)
        said, _ = driver.communicate()
    assert driver.returncode == 0 and "3 of 3 runs" in said, said
    begun, again = swept.commands(lost / f"{swept.NETWORK}.log")
    assert again == [*begun, "--resume"]
    swept.assert_same(lost, local)


def test_no_room_and_no_cluster(tmp_path):
    for arguments, message in (
        (["--cpus_per_run=4096"], "--cpus_per_run=4096, --gpus_per_run=0: no node has so much; ask for less"),
        (["--ray_address=127.0.0.1:1"], "--ray_address=127.0.0.1:1: no Ray cluster answers there"),
    ):
        driver = benchmark("--experiments=gmm", "--engine=ray", *arguments, f"--workdir={tmp_path / 'x'}")
        said, _ = driver.communicate()
        assert driver.returncode == 1 and message in said and said.count("\n") == 1, said
        assert not (tmp_path / "x").exists()
