"""The same command on several hosts, processes of two emulated devices each here: joined, one killed, resumed."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from asd_jax import load_detector
from experiments import hosts

ABORTED = "F0101 client.h:80] Terminating process because the JAX distributed service detected fatal errors. "
SILENT = "The following tasks are unhealthy (stopped sending heartbeats):\n3\nThe tasks have crashed."
LEADER = "Failed to send RPC to coordination service. Either the leader task was preempted/died/restarted unexpectedly"
LOST = (
    "ended or cannot be reached; what it said last may say why. --resume --workdir=RUN goes on, on any number of hosts"
)


def start(number, port, *flags):
    """The command on one of two hosts."""
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    command = [
        *(sys.executable, "-m", "experiments.lstm_pred", *map(str, flags), "--noreport", "--notensorboard"),
        *(f"--coordinator_address=127.0.0.1:{port}", "--num_processes=2", f"--process_id={number}"),
        "--lost_seconds=6",
    ]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def losses(run):
    with open(run / "training.csv", newline="") as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


@pytest.mark.service
def test_a_run_outlives_a_killed_host(machine_tree, tmp_path, run_script):
    run, again, port = tmp_path / "run", tmp_path / "again", free_port()
    flags = ["--machine=fan", f"--data_dir={machine_tree}", "--mesh=data", "--hidden_size=8", "--epochs=5"]
    flags += ["--batch_size=8", "--scorers="]
    two = [start(number, port, *flags, f"--workdir={folder}") for number, folder in enumerate((run, tmp_path / "none"))]
    deadline = time.monotonic() + 120
    while not (run / "checkpoints" / "training" / "1").exists():
        assert time.monotonic() < deadline and two[0].poll() is None, two[0].communicate()
        time.sleep(0.02)
    two[1].send_signal(signal.SIGKILL)
    out, error = two[0].communicate(timeout=60)
    assert two[0].returncode == 1
    assert "host 0 of 2 joined: 2 of 4 cpu devices" in out and "24 to train" in out
    said = [line for line in error.splitlines() if "_CHECKPOINT_METADATA" not in line]
    assert said == [f"error: host 1 {LOST}"]
    two[1].communicate()
    assert not (tmp_path / "none").exists() and not (run / "metrics.json").exists()

    shutil.copytree(run, again)
    status, _, error = run_script("lstm_pred", "--resume", f"--workdir={run}")  # on one device
    assert status == 0, error
    port = free_port()
    two = [start(number, port, "--resume", f"--workdir={folder}") for number, folder in enumerate((again, tmp_path))]
    (_, error), (others_out, others_error) = (host.communicate(timeout=200) for host in two)
    assert [host.returncode for host in two] == [0, 0], error + others_error
    assert others_out == "host 1 of 2 joined: 2 of 4 cpu devices\n" and others_error == ""
    assert len(losses(run)) == 5 and losses(again) == pytest.approx(losses(run), rel=1e-3)

    with open(again / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    detector = load_detector(again)  # what two hosts trained scores the same here
    scores = []
    for row in rows:
        waveform, rate = soundfile.read(machine_tree / row["file_name"], dtype="float32")
        scores.append(detector.score(waveform, sample_rate=rate, machine_id=row["machine_id"]))
    np.testing.assert_allclose(np.ravel(scores), [float(row["mse"]) for row in rows], rtol=1e-5)


def test_what_ended_a_host_is_one_line():
    joined = hosts._JOINED.decode()
    assert hosts.reason(joined + ABORTED + SILENT, signal.SIGABRT) == f"host 3 {LOST}"
    assert hosts.reason(joined + ABORTED + LEADER, signal.SIGABRT) == f"the first host {LOST}"
    assert hosts.reason(joined + ABORTED, signal.SIGABRT) == f"another host {LOST}"
    assert "SIGKILL" in hosts.reason(joined, signal.SIGKILL)


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--num_processes=2"], "--coordinator_address is missing"),
        (["--coordinator_address=node1:1", "--num_processes=2"], "--process_id is missing"),
        (["--coordinator_address=node1", "--num_processes=2", "--process_id=0"], "give HOST:PORT"),
        (["--coordinator_address=node1:1", "--num_processes=2", "--process_id=2"], "numbered from 0 to 1"),
        (["--distributed", "--process_id=0"], "--distributed finds the hosts by itself"),
        (["--join_seconds=3"], "--join_seconds has no effect here"),
    ],
)
def test_flags_that_do_not_go_together(run_script, flags, error):
    status, out, said = run_script("lstm_pred", "--machine=slide_rail", *flags)
    assert (status, out) == (1, "") and error in said and len(said.splitlines()) == 1


@pytest.mark.service
def test_hosts_that_do_not_come_are_one_line(tmp_path):
    flags = ["--machine=slide_rail", "--mesh=data", f"--workdir={tmp_path / 'run'}", "--join_seconds=2"]
    host = start(1, free_port(), *flags)
    out, error = host.communicate(timeout=60)
    assert (host.returncode, out) == (1, "") and len(error.splitlines()) == 1
    assert "the hosts did not all come together within --join_seconds=2" in error
    assert not (tmp_path / "run").exists()
