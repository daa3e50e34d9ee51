import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asd_jax.datasets.clips import recording_index
from asd_jax.detectors.recording_scores import of_recordings, worst_clip


def test_by_hand():
    recording = recording_index(["b", "a", "b", "a", "c"])
    np.testing.assert_array_equal(recording, [0, 1, 0, 1, 2])
    scores = np.array([1.0, 5.0, 3.0, 5.0, -2.0])
    np.testing.assert_array_equal(worst_clip(scores, recording), [2, 1, 4])  # of equals the first
    np.testing.assert_array_equal(of_recordings(scores, recording), [3.0, 5.0, -2.0])


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-1e6, 1e6)), min_size=1, max_size=40))
def test_a_recording_scores_as_its_worst_clip(clips):
    names, scores = [name for name, _ in clips], np.asarray([score for _, score in clips])
    found = of_recordings(scores, recording_index(names))
    expected = [max(score for other, score in clips if other == name) for name in dict.fromkeys(names)]
    np.testing.assert_array_equal(found, expected)


def test_clips_that_are_their_own_recordings_stay_as_they_are():
    scores = np.array([3.0, 1.0, 2.0])
    np.testing.assert_array_equal(of_recordings(scores, recording_index(["x", "a", "m"])), scores)
