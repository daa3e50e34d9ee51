"""Whole clips as examples: tiled, cropped, each once an epoch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax.features.stored_clips import StoredClips
from asd_jax.training import TrainingConfig
from asd_jax.training.batches import Picks
from asd_jax.training.clip_examples import clip_source, whole_clips

CLIPS = [np.arange(1, 5), np.arange(10, 22), np.arange(30, 37)]
PICKS = Picks(jnp.asarray([0, 1, 2]), jnp.asarray([0, 1, 1]))


@pytest.fixture(params=[np.int16, np.float32])
def source(request):
    scale = 1 if request.param == np.int16 else 2**15
    return clip_source(StoredClips.from_clips([(clip / scale).astype(request.param) for clip in CLIPS]))


def test_short_clips_are_tiled_and_long_ones_begin_at_their_start(source):
    batch = source.batch(PICKS, 7)
    wanted = np.stack([np.resize(clip[:7], 7) for clip in CLIPS]) / 2**15
    np.testing.assert_array_equal(batch.values, wanted.astype(np.float32))
    np.testing.assert_array_equal(batch.targets, [0, 1, 1])


def test_in_training_long_clips_are_cropped_anywhere_within(source):
    batches = [np.asarray(source.batch(PICKS, 7, key=jax.random.key(k)).values) * 2**15 for k in range(60)]
    starts = {int(batch[1, 0]) for batch in batches}
    assert starts == set(range(10, 16))  # the last start from which seven samples are left
    for batch in batches:
        np.testing.assert_array_equal(batch[1] - batch[1, 0], np.arange(7))
        np.testing.assert_array_equal(batch[[0, 2]], [np.resize(CLIPS[0], 7), CLIPS[2]])


def test_every_training_clip_comes_once_an_epoch_and_validation_clips_never(source):
    config = TrainingConfig(epochs=2, batch_size=1)
    examples = whole_clips(
        source, np.asarray([0, 2]), np.asarray([1]), length=7, config=config, targets=np.asarray([0, 1, 0])
    )
    calls = list(examples.calls(seed=0, epoch=0, steps_per_call=1))
    assert sorted(int(picks.starts[0, 0]) for picks, _ in calls) == [0, 2]
    assert all(int(picks.targets[0, 0]) == 0 for picks, _ in calls)
    ((held_back, n_real),) = examples.validation()
    assert held_back.starts.tolist() == [1] and n_real == 1
