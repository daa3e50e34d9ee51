import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asd_jax.datasets.clips import recording_index
from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import LSTMPredictorConfig
from asd_jax.training import TrainingConfig
from asd_jax.training.examples import Listed, epoch_order, segment_starts, split_validation


def clips_of(lengths):
    return StoredClips.from_clips([np.full((length, 2), index, np.float32) for index, length in enumerate(lengths)])


@given(st.lists(st.integers(5, 60), min_size=1, max_size=8), st.integers(1, 5), st.integers(1, 9))
def test_segments_stay_in_their_clip_and_reach_its_end(lengths, segment_frames, segment_hop):
    clips = clips_of(lengths)
    starts = segment_starts(clips, np.arange(len(lengths)), length=segment_frames, hop=segment_hop)
    clip_of_start = clips.values[starts, 0]
    np.testing.assert_array_equal(clip_of_start, clips.values[starts + segment_frames - 1, 0])
    for index in range(len(lengths)):
        of_clip = starts[clip_of_start == index] - clips.clip_start[index]
        assert of_clip.max() + segment_frames == lengths[index]
        assert np.diff(of_clip).max(initial=0) <= segment_hop


def test_epoch_order_depends_on_seed_and_epoch_alone():
    order = epoch_order(103, 10, seed=1, epoch=4)
    assert order.shape == (10, 10) and len(set(order.ravel())) == 100
    np.testing.assert_array_equal(order, epoch_order(103, 10, seed=1, epoch=4))
    assert (order != epoch_order(103, 10, seed=1, epoch=5)).any()
    assert (order != epoch_order(103, 10, seed=2, epoch=4)).any()


def test_validation_takes_its_share_of_every_machine_id():
    ids = ["a"] * 20 + ["b"] * 40 + ["c"]
    train, validation = split_validation(ids, fraction=0.1, seed=0)
    assert sorted([*train, *validation]) == list(range(61))
    assert [np.asarray(ids)[validation].tolist().count(x) for x in "abc"] == [2, 4, 0]  # c keeps its only clip
    assert len(split_validation(ids, fraction=0.0, seed=0)[1]) == 0


def examples_of(lengths, *, targets=None, **training):
    n, clips, model = len(lengths), clips_of(lengths), LSTMPredictorConfig()
    return Listed.of(
        clips, np.arange(n), np.zeros(0, int), length=model.segment_frames,
        hop=model.segment_hop, config=TrainingConfig(**training), targets=targets,
    )  # fmt: skip


def test_a_recipes_batch_shrinks_to_the_data_and_says_so():
    examples = examples_of([50, 50], batch_size=32)
    assert examples.batch_size == len(examples.train.starts) == 4
    assert "batch size 4 instead of 32" in examples.notes[0]


def test_a_batch_that_was_asked_for_does_not_shrink():
    with pytest.raises(InputError, match="`batch_size=32` is more than the 4 training examples"):
        examples_of([50, 50], batch_size=32, shrink_batch=False)


def test_segments_shorten_to_the_shortest_clip():
    examples = examples_of([15, 100], batch_size=4)
    assert examples.length == 15 and "15 instead of 30 frames" in examples.notes[0]
    assert (np.diff(np.sort(examples.train.starts)) <= 15).all()


@pytest.mark.parametrize(("min_steps", "epochs"), [(0, 2), (7, 2), (9, 3), (100, 25)])
def test_epochs_are_added_to_reach_the_least_number_of_steps(min_steps, epochs):
    examples = examples_of([70] * 4, batch_size=3, epochs=2, min_steps=min_steps)  # 12 examples: 4 steps an epoch
    assert examples.epochs == epochs and examples.steps_per_epoch == 4


def test_an_example_has_the_target_of_its_clip():
    examples = examples_of([50, 33, 70], targets=np.array([7, 5, 3]), batch_size=2)
    for picks, active in examples.calls(seed=0, epoch=1, steps_per_call=4):
        of_clip = np.asarray(examples.source.values)[picks.starts, 0].astype(int)
        np.testing.assert_array_equal(picks.targets[active], np.array([7, 5, 3])[of_clip][active])
        assert picks.starts.shape == picks.targets.shape == (4, 2)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.floats(0.05, 0.6), st.integers(0, 3))
def test_validation_never_parts_a_recording(n_clips, fraction, seed):
    recordings = [f"{number}.wav" for number, count in enumerate(n_clips) for _ in range(count)]
    ids = ["a"] * len(recordings)
    numbers = recording_index(recordings)
    train, validation = split_validation(ids, fraction=fraction, seed=seed, recordings=numbers)
    heard, kept = ({recordings[i] for i in part} for part in (train, validation))
    assert not heard & kept and len(train) + len(validation) == len(recordings)
    expected = max(round(fraction * len(n_clips)), int(len(n_clips) > 2))
    assert len(kept) == min(expected, len(n_clips) - 1)


def test_validation_of_whole_clips_does_not_depend_on_their_names():
    ids = ["a"] * 20 + ["b"] * 10
    named = split_validation(
        ids, fraction=0.2, seed=1, recordings=recording_index([f"{i * 7 % 30}.wav" for i in range(30)])
    )
    for part, same in zip(named, split_validation(ids, fraction=0.2, seed=1), strict=True):
        np.testing.assert_array_equal(part, same)
