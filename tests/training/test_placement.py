import json
import os
import subprocess
import sys

import pytest

from asd_jax.errors import InputError
from asd_jax.training.placement import place

# Ten steps of a network with batch normalisation, whose means run over the whole batch, on one device and on four.
PROGRAM = """
import dataclasses, json
import jax, numpy as np
from asd_jax.features.scaling import standardize
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import DenseAutoencoderConfig
from asd_jax.models.network import Network
from asd_jax.training import Reconstruction, TrainingConfig, fit
from asd_jax.training.examples import Listed

rng = np.random.default_rng(0)
clips = StoredClips.from_clips([rng.standard_normal((12, 4)).astype(np.float32) for _ in range(10)])
model = DenseAutoencoderConfig(hidden_size=8, n_layers=1, bottleneck_size=3)
config = TrainingConfig(epochs=10, batch_size=64)
examples = Listed.of(
    clips, np.arange(8), np.arange(8, 10), length=model.segment_frames,
    hop=model.segment_hop, config=config, scaling=standardize(clips.values),
)
losses = {}
for mesh in ("none", "data"):
    result = fit(Network(model, 4), Reconstruction(), examples, dataclasses.replace(config, mesh=mesh), seed=0)
    losses[mesh] = [[e["train_loss"], e["validation_loss"]] for e in result.progress.history]
    n_devices = len(jax.tree.leaves(result.params)[0].sharding.device_set)
print(json.dumps({"losses": losses, "n_devices": n_devices}))
"""


@pytest.mark.slow
def test_four_devices_learn_as_one():
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    assert result["n_devices"] == 4
    assert len(result["losses"]["none"]) == 10  # one step an epoch
    for one, four in zip(result["losses"]["none"], result["losses"]["data"], strict=True):
        assert four == pytest.approx(one, rel=1e-3)


def test_a_batch_that_the_devices_do_not_divide_is_refused(monkeypatch):
    monkeypatch.setattr("jax.device_count", lambda: 3)
    with pytest.raises(InputError, match="3 devices do not divide a batch of 8"):
        place("data", 8)
