"""The networks of a run: each as it would be alone, whatever is trained beside it."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from asd_jax.datasets import Clip, Machine
from asd_jax.datasets.extraction import Extracted
from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import DenseAutoencoderConfig, LSTMPredictorConfig
from asd_jax.representations import Hooks, PerMachine, Trained
from asd_jax.training import TrainingConfig
from asd_jax.training.hooks import Monitor

MODELS = {
    "dense": DenseAutoencoderConfig(hidden_size=8, n_layers=1, bottleneck_size=3),
    "lstm": LSTMPredictorConfig(hidden_size=6, n_layers=1, context_frames=3, segment_frames=8, segment_hop=5),
}
CONFIG = TrainingConfig(epochs=2, batch_size=8)


@pytest.fixture(scope="module")
def train() -> Extracted:
    """Seven clips of one machine and five of another type with the same id."""
    rng = np.random.default_rng(0)
    phase = np.arange(40)[:, None] * np.array([0.3, 0.5, 0.7]) + rng.uniform(0, 6, (12, 1, 3))
    frames = (np.sin(phase) + 0.1 * rng.standard_normal((12, 40, 3))).astype(np.float32)
    types = ["fan"] * 7 + ["pump"] * 5
    clips = tuple(Clip(f"{k}.wav", "id_00", "train", False, machine_type=of) for k, of in enumerate(types))
    return Extracted(clips, StoredClips.from_clips(list(frames)), (), ())


def fitted(recipe, train, folder, *, seed=0, note=lambda line: None):
    return recipe.fit(train, seed=seed, hooks=Hooks(lambda: Path(folder), note=note))


def assert_same(first, second):
    jax.tree.map(np.testing.assert_array_equal, first.params, second.params)


@pytest.fixture(scope="module", params=[pytest.param("dense", marks=pytest.mark.slow), "lstm"])
def recipe(request):
    return Trained(MODELS[request.param], CONFIG, num_seeds=2)


def test_a_seed_beside_others_is_the_seed_alone(recipe, train, tmp_path):
    together = fitted(recipe, train, tmp_path / "a")
    alone = fitted(dataclasses.replace(recipe, num_seeds=1), train, tmp_path / "b", seed=1)
    assert [fit.seed for fit in together] == [0, 1]
    assert_same(together[1].representation, alone[0].representation)
    assert_same(together[1].at_initialisation, alone[0].at_initialisation)
    assert together[1].validation_error == alone[0].validation_error
    np.testing.assert_array_equal(together[1].held_out, alone[0].held_out)
    difference = [np.abs(a - b).max() for a, b in zip(
        *(jax.tree.leaves(fit.representation.params) for fit in together), strict=True)]  # fmt: skip
    assert max(difference) > 1e-3


def test_a_network_per_machine_knows_its_clips_alone(recipe, train, tmp_path):
    own = dataclasses.replace(recipe, num_seeds=1, per_machine_id=True)
    (fit,) = fitted(own, train, tmp_path / "a")
    assert isinstance(fit.representation, PerMachine)
    fan, pump = Machine("fan", "id_00"), Machine("pump", "id_00")
    assert set(fit.representation.parts) == {fan, pump}
    mine = np.arange(7, 12)
    only = Extracted(train.clips[7:], train.frames.select(mine), (), ())
    (alone,) = fitted(dataclasses.replace(own, per_machine_id=False), only, tmp_path / "b")
    assert_same(fit.representation.parts[pump], alone.representation)
    machines = [clip.machine for clip in train.clips]
    values = fit.representation(train.frames, machines)
    expected = alone.representation(only.frames, machines[7:])
    np.testing.assert_allclose(values.window_error[mine], expected.window_error, rtol=1e-6)
    np.testing.assert_allclose(values.vector[mine], expected.vector, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_each_network_stops_when_its_own_patience_ends(train, tmp_path):
    config = TrainingConfig(epochs=6, batch_size=8, learning_rate=0.3, schedule="constant", patience=1)
    recipe = Trained(MODELS["lstm"], config, num_seeds=2)
    together = fitted(recipe, train, tmp_path / "a")
    alone = fitted(dataclasses.replace(recipe, num_seeds=1), train, tmp_path / "b", seed=1)
    assert together[1].history[""].epoch == alone[0].history[""].epoch
    assert together[1].history[""].best_epoch == alone[0].history[""].best_epoch > 0
    assert_same(together[1].representation, alone[0].representation)


def test_a_killed_run_goes_on_with_the_network_that_lags(train, tmp_path, monkeypatch):
    recipe = Trained(MODELS["lstm"], CONFIG, num_seeds=2)

    class Killed(Exception):
        pass

    heard = []

    def kill(self, progress, step):
        heard.append(progress.epoch)
        if len(heard) == 3:
            raise Killed  # the first network is done, the second has saved its first epoch

    unbroken = fitted(recipe, train, tmp_path / "unbroken")
    with monkeypatch.context() as patch:
        patch.setattr(Monitor, "epoch", kill)
        with pytest.raises(Killed):
            fitted(recipe, train, tmp_path / "broken")
    for whole, resumed in zip(unbroken, fitted(recipe, train, tmp_path / "broken"), strict=True):
        assert whole.history == resumed.history
        assert_same(whole.representation, resumed.representation)


def test_a_mistake_is_found_before_the_folder_is_asked_for(train):
    recipe = Trained(MODELS["lstm"], dataclasses.replace(CONFIG, batch_size=10_000, shrink_batch=False))

    def nowhere():
        raise AssertionError("the run's folder was made")

    with pytest.raises(InputError, match="`batch_size=10000` is more than the"):
        recipe.fit(train, seed=0, hooks=Hooks(nowhere))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"training": TrainingConfig(epochs=0)}, "`epochs=0`: give a number above 0"),
        ({"training": TrainingConfig(mesh="ring")}, "`mesh=ring`: give none or data"),
        ({"num_seeds": 0}, "`num_seeds=0`"),
        ({"validation_fraction": 1.0}, r"`validation_fraction=1\.0`: give a share from 0 to below 1"),
        ({"validation_fraction": 0.0, "bottleneck_sizes": (2, 4)}, "choosing a bottleneck needs validation clips"),
        ({"validation_fraction": 0.0, "training": TrainingConfig(patience=1)}, "early stopping needs validation"),
    ],
)
def test_settings_that_cannot_be(settings, says):
    with pytest.raises(InputError, match=says):
        Trained(MODELS["dense"], **settings).check()
