"""Two processes of two emulated devices each are two hosts, and must learn as one process of four devices does."""

import dataclasses
import json
import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from asd_jax.features.scaling import standardize
from asd_jax.features.storage import Storage
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.training import Reconstruction, TrainingConfig, fit, hosts
from asd_jax.training.checkpoints import RunCheckpoints
from asd_jax.training.examples import Listed
from asd_jax.training.hooks import Monitor
from asd_jax.training.state import init_train_state

# What each of the processes does; one of them, or a lone one, writes what it found.
PROGRAM = """
import json, sys
from pathlib import Path
address, count, number, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
from asd_jax.training import hosts
if count > 1:
    hosts.join(address, count, number, join_seconds=60, lost_seconds=10)
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
from asd_jax.errors import InputError
from asd_jax.training.checkpoints import RunCheckpoints
from asd_jax.training.placement import own, own_rows, place
from asd_jax.training.state import init_train_state
from tests.training import test_hosts as shared

network, objective, examples, config = shared.parts()
found = {"devices": jax.device_count()}

replicate, split = place("data", config.batch_size)
state, source = replicate((init_train_state(network, config, 20, key=jax.random.key(3)), examples.source))
picks, _ = next(iter(examples.calls(seed=3, epoch=0, steps_per_call=10)))
placed = split(picks)

@jax.jit
def gradient(state, source, picks):
    batch = source.batch(jax.tree.map(lambda of_steps: of_steps[0], picks), examples.length)
    def loss(params):
        losses, _ = objective.losses(network, params, state.model_state, batch, key=state.step_key, training=True)
        return jnp.mean(losses)
    return jax.grad(loss)(state.params)

gradients = own(gradient(state, source, placed))
found["gradient"] = [np.asarray(leaf).ravel().tolist() for leaf in jax.tree.leaves(gradients)]
rows = own_rows(config.batch_size)
of_own = split(jax.tree.map(lambda array: array[:, rows], picks)) if count > 1 else placed
pairs = zip(placed.starts.addressable_shards, of_own.starts.addressable_shards, strict=True)
assert all(np.array_equal(a.data, b.data) for a, b in pairs)
held = np.concatenate([shard.data for shard in placed.starts.addressable_shards], 1)
assert np.array_equal(held, picks.starts[:, rows])

for name in ("new", "of_one"):
    checkpoints = RunCheckpoints(folder / f"{name}_{count}")
    monitor = shared.Heard()
    result = shared.train(mesh="data", checkpointer=checkpoints, monitor=monitor)
    checkpoints.close()
    found[name] = {
        "losses": monitor.losses,
        "first_step": monitor.first_step,
        "history": result.progress.history,
        "params": [np.asarray(leaf).ravel().tolist() for leaf in jax.tree.leaves(result.params)],
    }
monitor = shared.Heard()  # the first host keeps its clips in a file, so that all read their rows
shared.train(mesh="data", monitor=monitor, in_folder=folder if number == 0 else None)
found["read"] = monitor.losses
found["orders"] = [picks.starts.tolist() for picks, _ in examples.calls(seed=3, epoch=0, steps_per_call=10)]

hosts.check_same({"settings": [1, 2]})
value = {"a": [1.5, float("inf")], "b": "ü"}
assert hosts.told(value if hosts.is_first() else None) == value
if count > 1:
    try:
        hosts.check_same({"settings": 1, "recordings": number})
    except InputError as error:
        found["differs"] = str(error)
    try:
        place("none", 8)
    except InputError as error:
        found["without_mesh"] = str(error)
    try:
        place("data", 6)
    except InputError as error:
        found["undivided"] = str(error)
(folder / f"found_{count}_{number}.json").write_text(json.dumps(found))
hosts.meet("the end")
"""


def parts(in_folder=None):
    """A tiny LSTM predictor, what it minimises, its examples and how it is trained: ten steps an epoch.

    The clips lie in memory, or in a file of a folder.
    """
    rng = np.random.default_rng(0)
    phase = np.arange(60)[:, None] * np.array([0.3, 0.5, 0.7]) + rng.uniform(0, 6, (20, 1, 3))
    clips = StoredClips.from_clips(list((np.sin(phase) + 0.1 * rng.standard_normal((20, 60, 3))).astype(np.float32)))
    if in_folder is not None:
        clips = StoredClips.joined([clips], storage=Storage(0, in_folder))
    model = LSTMPredictorConfig(hidden_size=8, context_frames=3, segment_frames=12, segment_hop=9)
    config = TrainingConfig(epochs=2, batch_size=8, learning_rate=1e-2)
    examples = Listed.of(
        clips, np.arange(14), np.arange(14, 20), length=model.segment_frames, hop=model.segment_hop,
        config=config, scaling=standardize(clips),
    )  # fmt: skip
    return Network(model, 3), Reconstruction(), examples, config


class Heard(Monitor):
    """A monitor that keeps the losses of steps."""

    def __init__(self):
        self.losses, self.first_step = [], None

    def steps(self, first_step, losses):
        self.first_step = first_step if self.first_step is None else self.first_step
        self.losses += losses.tolist()


class Stop(Exception):
    pass


class StopAfterFirst(Heard):
    def epoch(self, progress, step):
        raise Stop


def train(*, mesh, checkpointer=None, monitor, in_folder=None):
    network, objective, examples, config = parts(in_folder)
    config = dataclasses.replace(config, mesh=mesh)
    return fit(network, objective, examples, config, seed=3, checkpointer=checkpointer, monitor=monitor)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(n_devices):
    return os.environ | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={n_devices}",
        "PYTHONPATH": os.pathsep.join(["."] + ([os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else [])),
    }


def run_on(count, folder):
    """What `count` processes, of four devices in all, find."""
    address = f"127.0.0.1:{free_port()}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, address, str(count), str(number), str(folder)],
            env=environment(4 // count), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for number in range(count)
    ]  # fmt: skip
    for process in processes:
        output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output[-3000:]
    return [json.loads((folder / f"found_{count}_{number}.json").read_text()) for number in range(count)]


@pytest.mark.service
def test_two_hosts_learn_as_one_process_of_as_many_devices(tmp_path):
    for count in (1, 2):  # a run of one device that ended after its first epoch, for both to go on with
        with pytest.raises(Stop):
            train(mesh="none", checkpointer=RunCheckpoints(tmp_path / f"of_one_{count}"), monitor=StopAfterFirst())
    (one,), two = run_on(1, tmp_path), run_on(2, tmp_path)
    first, second = two
    assert one["devices"] == first["devices"] == second["devices"] == 4
    assert one["orders"] == first["orders"] == second["orders"]
    for ours, theirs in zip(first["gradient"], one["gradient"], strict=True):
        assert np.linalg.norm(np.subtract(ours, theirs)) <= 1e-5 * np.linalg.norm(theirs)
    for name in ("new", "of_one"):
        assert first[name] == second[name]  # to the last bit
        assert first[name]["losses"] == pytest.approx(one[name]["losses"], rel=1e-3)
        assert len(first[name]["history"]) == 2
    assert first["read"] == second["read"] == pytest.approx(first["new"]["losses"], rel=1e-6)
    assert (first["new"]["first_step"], len(first["new"]["losses"])) == (0, 2 * len(first["of_one"]["losses"]))
    assert first["of_one"]["first_step"] == len(first["of_one"]["losses"]) >= 10
    assert first["differs"] == second["differs"] == "host 1 has other recordings than host 0; all need the same"
    assert "`mesh=data`" in first["without_mesh"]
    assert "4 devices of 2 hosts do not divide a batch of 6" in first["undivided"]

    network, _, _, config = parts()
    template = init_train_state(network, config, 20, key=jax.random.key(0))
    state, progress = RunCheckpoints(tmp_path / "new_2").restore(template)
    assert list(progress.history) == first["new"]["history"]
    kept = [np.asarray(leaf).ravel().tolist() for leaf in jax.tree.leaves(state.params)]
    assert kept == first["new"]["params"]


def test_a_lone_host_is_the_first_and_tells_itself():
    assert hosts.is_first() and not hosts.several()
    value = {"a": (1, 2)}
    assert hosts.told(value) is value and hosts.told_arrays(value) is value
    hosts.check_same(value)
    hosts.meet("here")
