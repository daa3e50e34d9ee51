"""Embeddings as a representation: trained on classes, tiled, saved; what is said of few classes."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from asd_jax.datasets import Clip
from asd_jax.datasets.extraction import Extracted
from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import DenseAutoencoderConfig, MultiBranchConfig
from asd_jax.representations import Embedding, Hooks, Trained
from asd_jax.representations.pseudo_classes import pseudo_classes
from asd_jax.training import TrainingConfig
from asd_jax.training.objectives import AdaProj, SubClusterAdaCos

MODEL = MultiBranchConfig(branches=("spectrum",), width=32)
TRAINING = TrainingConfig(epochs=20, batch_size=8, learning_rate=3e-3, schedule="constant")
RECIPE = Trained(MODEL, TRAINING, SubClusterAdaCos(n_centres=2))


def tone(hertz, n_samples, rng):
    wave = np.sin(2 * np.pi * hertz * np.arange(n_samples) / 16_000) + 0.3 * rng.standard_normal(n_samples)
    return (3_000 * wave).astype(np.int16)


@pytest.fixture(scope="module")
def train() -> Extracted:
    """Twelve clips of a fan and twelve of a pump with the same id, of two lengths."""
    rng = np.random.default_rng(0)
    waveforms = [tone(600 if k < 12 else 3_000, 4_000 + 800 * (k % 2), rng) for k in range(24)]
    types = ["fan"] * 12 + ["pump"] * 12
    clips = tuple(Clip(f"{k}.wav", "id_00", "train", False, machine_type=of) for k, of in enumerate(types))
    return Extracted(clips, StoredClips.from_clips(waveforms), (), ())


def fitted(recipe, train, folder, notes=None):
    notes = [] if notes is None else notes
    return recipe.fit(train, seed=0, hooks=Hooks(lambda: Path(folder), note=notes.append))[0]


@pytest.fixture(scope="module")
def fit(train, tmp_path_factory):
    return fitted(RECIPE, train, tmp_path_factory.mktemp("states"))


@pytest.mark.slow
def test_machines_lie_apart_after_training(fit, train):
    """A clip's nearest neighbour is of its own machine, and farther off are the others than before training."""

    def gap(representation):
        vectors = representation(train.frames).vector
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosine = unit @ unit.T - 2 * np.eye(24)
        nearest = cosine.argmax(axis=1)
        assert representation is fit.at_initialisation or ((nearest < 12) == (np.arange(24) < 12)).all()
        return np.r_[cosine[:12, :12].max(axis=1), cosine[12:, 12:].max(axis=1)].mean() - cosine[:12, 12:].mean()

    assert gap(fit.representation) > gap(fit.at_initialisation) + 0.5
    assert fit.validation_error < 0.9  # of knowing how frequent the two are
    assert fit.held_out.sum() == 2


def test_a_clip_is_embedded_alike_whatever_stands_beside_it_and_however_often_it_is_repeated(fit, train):
    whole = fit.representation(train.frames).vector
    for index in (0, 5, 23):
        alone = fit.representation(train.frames.select(np.asarray([index]))).vector[0]
        np.testing.assert_allclose(alone, whole[index], rtol=0, atol=1e-4 * np.abs(whole).max())
    short = train.frames.clip(0)
    tiled = StoredClips.from_clips([short, np.resize(short, 80_000)])
    np.testing.assert_array_equal(*fit.representation(tiled).vector)


def test_it_reads_itself_back(fit, train):
    settings, arrays = fit.representation.to_state()
    again = Embedding.from_state(settings, arrays)
    np.testing.assert_array_equal(again(train.frames).vector, fit.representation(train.frames).vector)


@pytest.mark.slow
def test_a_resumed_training_is_the_unbroken_one(fit, train, tmp_path):
    half = dataclasses.replace(RECIPE, training=dataclasses.replace(RECIPE.training, epochs=5))
    fitted(half, train, tmp_path)
    resumed = fitted(RECIPE, train, tmp_path)
    jax.tree.map(np.testing.assert_array_equal, resumed.representation.params, fit.representation.params)


def one_class(train):
    clips = tuple(dataclasses.replace(clip, machine_type="fan") for clip in train.clips)
    return dataclasses.replace(train, clips=clips)


def test_a_single_class_is_parted_by_sound_and_that_is_said(train, tmp_path):
    notes = []
    few = dataclasses.replace(RECIPE, training=TrainingConfig(epochs=1, batch_size=8), pseudo_classes=2)
    fit = fitted(few, one_class(train), tmp_path, notes)
    assert any("of one class" in note and "2 groups" in note for note in notes)
    assert np.isfinite(fit.representation(train.frames).vector).all()
    groups = pseudo_classes(train.frames, 2, sample_rate=16_000)
    assert len(set(groups[:12])) == len(set(groups[12:])) == 1 and groups[0] != groups[12]


@pytest.mark.slow
def test_the_user_is_told_of_lone_clips_small_batches_and_lengths(train, tmp_path):
    clips = [dataclasses.replace(clip, attributes=str(k) if k < 3 else "") for k, clip in enumerate(train.clips)]
    notes = []
    training = TrainingConfig(epochs=1, batch_size=2)
    fitted(
        dataclasses.replace(RECIPE, training=training), dataclasses.replace(train, clips=tuple(clips)), tmp_path, notes
    )
    said = "\n".join(notes)
    assert "5 classes of 1 to 12 training clips" in said
    assert "3 of 5 classes have a single training clip" in said
    assert "a batch of 2 is smaller than the 5 classes" in said
    assert "clips of 0.25 to 0.3 s are tiled or cropped to 4.376 s" in said


@pytest.mark.slow
def test_adaproj_learns_two_classes(train, tmp_path):
    fit = fitted(dataclasses.replace(RECIPE, objective=AdaProj(subspace_size=2)), train, tmp_path)
    assert fit.validation_error < 0.9


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        (
            Trained(MODEL),
            "`objective=reconstruction` reads the residual of a network, and multi_branch gives its embedding",
        ),
        (Trained(DenseAutoencoderConfig(), objective=SubClusterAdaCos()), "reads the embedding of a network"),
        (dataclasses.replace(RECIPE, per_machine_id=True), "`per_machine_id`"),
        (dataclasses.replace(RECIPE, pseudo_classes=1), "`pseudo_classes=1`"),
    ],
)
def test_what_does_not_go_together_is_named(recipe, line):
    with pytest.raises(InputError, match=line):
        recipe.check()
