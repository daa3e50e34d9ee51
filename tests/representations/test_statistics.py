"""Representations without a network, against the feature functions on single clips."""

import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax import features
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations import REGISTRY
from asd_jax.representations.clip_summary import ClipSummary
from asd_jax.representations.overlapping_frames import OverlappingFrames


@pytest.fixture(scope="module")
def clips() -> StoredClips:
    rng = np.random.default_rng(0)
    return StoredClips.from_clips([rng.standard_normal((n, 3)).astype(np.float32) for n in (40, 31, 40, 57)])


def test_clip_summary_is_the_statistics_of_each_clip_side_by_side(clips):
    vectors = ClipSummary(("mean", "std", "max", "twfr"), decay=0.9)(clips).vector
    for index in range(4):
        frames = clips.clip(index)
        twfr = features.twfr(jnp.asarray(frames), r=0.9)
        expected = np.concatenate([frames.mean(axis=0), frames.std(axis=0), frames.max(axis=0), twfr])
        np.testing.assert_allclose(vectors[index], expected, rtol=1e-5, atol=1e-6)


def test_overlapping_frames_are_the_slices_of_the_scaled_spectrogram(clips):
    front_end = FrontEnd()
    representation = OverlappingFrames.of_seconds(front_end, frame_seconds=0.6, overlap=0.5).fit_frames(clips)
    windows = representation(clips).window_vector
    low, high = clips.values.min(), clips.values.max()
    for index in range(4):
        scaled = (clips.clip(index) - low) / (high - low)
        slices = np.asarray(features.frames(jnp.asarray(scaled), frame_seconds=0.6, overlap=0.5))
        own = windows.of(np.array([index])).sample(None, seed=0)
        np.testing.assert_allclose(own, slices.reshape(len(slices), -1), atol=1e-6)
    assert windows.take(np.arange(int(windows.n_windows.sum()))).min() >= 0


@pytest.mark.parametrize(
    "representation", [ClipSummary(("std", "twfr"), decay=0.5), OverlappingFrames(window_frames=7, window_hop=3)]
)
def test_state_brings_a_representation_back(representation, clips):
    fitted = representation.fit_frames(clips)
    settings, arrays = fitted.to_state()
    again = REGISTRY[settings["kind"]].from_state(settings, arrays)
    np.testing.assert_array_equal(again(clips).vector, fitted(clips).vector)


def test_what_is_refused():
    with pytest.raises(InputError, match="`summary=median"):
        ClipSummary(("median",))
    with pytest.raises(InputError, match="`overlap=1"):
        OverlappingFrames.of_seconds(FrontEnd(), overlap=1.0)
