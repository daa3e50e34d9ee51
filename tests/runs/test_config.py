"""A run's config reads itself back, for every experiment; flags are laid over it."""

import importlib
import json
import pkgutil

import pytest
from absl import flags
from absl.testing import flagsaver

import experiments
from asd_jax.errors import InputError
from asd_jax.models import ConvAutoencoderConfig
from asd_jax.representations import EfficientATEmbedding, Trained
from asd_jax.runs import DataConfig, RunConfig, network
from asd_jax.training import TrainingConfig

NAMES = [
    name
    for _, name, _ in pkgutil.iter_modules(experiments.__path__)
    if hasattr(importlib.import_module(f"experiments.{name}"), "recipe")
]


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    """Weights are neither fetched nor read."""
    monkeypatch.setattr(EfficientATEmbedding, "load", lambda path, layer: EfficientATEmbedding.random(layer=layer))


def recipe(name):
    with flagsaver.flagsaver():
        if not flags.FLAGS.is_parsed():
            flags.FLAGS.mark_as_parsed()
        if name == "vggish_ocsvm":
            flags.FLAGS.random_weights = True
        if name == "embeddings":
            flags.FLAGS.embeddings = "own.npz"
        return importlib.import_module(f"experiments.{name}").recipe()


def read_back(config):
    return RunConfig.from_dict(json.loads(json.dumps(config.to_dict())))


def test_there_are_experiments():
    assert len(NAMES) >= 14


@pytest.mark.parametrize("name", NAMES)
def test_a_config_reads_itself_back(name):
    config = recipe(name)
    assert read_back(config) == config
    assert config.experiment == name
    hash(config.recipe)  # what compiled programs are kept by


def test_every_field_that_differs_is_read_back():
    model = ConvAutoencoderConfig.uminho()  # tuples in tuples
    recipe = Trained(model, TrainingConfig(patience=3), per_machine_id=True, bottleneck_sizes=(2, 4))
    config = RunConfig("a", recipe, data=DataConfig("fan", "/recordings", machine_ids=("id_00",), clip_seconds=2.5))
    again = read_back(config)
    assert again == config and again.recipe.model.layers == model.layers


def test_where_recordings_are_prepared_is_no_setting():
    plain, prepared = (
        RunConfig("a", Trained(ConvAutoencoderConfig()), data=DataConfig(cache_dir=of)) for of in (None, "x")
    )
    assert plain == prepared and "cache_dir" not in json.dumps(prepared.to_dict())


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda c: [], "not the config of a run"),
        (lambda c: {"experiment": "a"}, "not the config of a run"),
        (lambda c: c | {"settings": {"model": {"name": "lstm_predictor"}}}, "an earlier version made"),
        (lambda c: _set(c, "recipe", "kind", "magic"), "recipe 'magic' is not known; there are trained, clip_summary"),
        (lambda c: _set(c, "recipe", "model", {"name": "transformer"}), "model 'transformer' is not known"),
        (lambda c: _set(c, "data", "colour", "red"), "DataConfig has no setting colour"),
        (lambda c: _set(c, "selection", None, "luck"), "selection 'luck'"),
    ],
)
def test_what_is_refused(harm, says):
    config = network("a", ConvAutoencoderConfig(), TrainingConfig()).to_dict()
    with pytest.raises(InputError, match=says):
        RunConfig.from_dict(harm(json.loads(json.dumps(config))))


def _set(config, part, key, value):
    if key is None:
        config["settings"][part] = value
    else:
        config["settings"][part][key] = value
    return config
