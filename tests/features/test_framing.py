import jax.numpy as jnp
import librosa
import numpy as np
import pytest

from asd_jax import features


@pytest.mark.parametrize(("frame_length", "hop_length"), [(8, 4), (8, 3), (8, 8), (5, 9), (1, 1), (40, 1)])
def test_frame_equals_librosa(frame_length, hop_length):
    samples = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32)
    expected = librosa.util.frame(samples, frame_length=frame_length, hop_length=hop_length)
    actual = features.frame(jnp.asarray(samples), frame_length=frame_length, hop_length=hop_length)
    np.testing.assert_array_equal(actual, np.swapaxes(expected, -1, -2))


def test_frame_errors():
    with pytest.raises(ValueError, match="40 samples is shorter than one frame of 41"):
        features.frame(jnp.ones(40), frame_length=41, hop_length=1)
    with pytest.raises(ValueError, match="must be positive"):
        features.frame(jnp.ones(40), frame_length=4, hop_length=0)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n_fft", [8, 9])
def test_n_frames_is_what_the_stft_makes(center, n_fft):
    for n_samples in (9, 12, 13, 15, 16):
        made = features.stft(jnp.ones(n_samples), n_fft=n_fft, hop_length=4, center=center).shape[0]
        assert features.n_frames(n_samples, n_fft=n_fft, hop_length=4, center=center) == made
    assert features.n_frames(3, n_fft=8, hop_length=4, center=False) == 0


def numbered(n_frames):
    return jnp.arange(n_frames, dtype=jnp.float32)[:, None]


def test_slices_of_the_default_duration():
    # 0.6 s at 512 / 16000 s a frame are 18.75 frames: 19; half of them, rounded to even, are 10.
    slices = features.frames(numbered(313))
    assert slices.shape == (30, 19, 1)
    np.testing.assert_array_equal(slices[:, 0, 0], 10 * np.arange(30))
    np.testing.assert_array_equal(slices[:, -1, 0], 10 * np.arange(30) + 18)


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("drop", [[0, 1, 2, 3], [2, 3, 4, 5]]),
        ("align", [[0, 1, 2, 3], [2, 3, 4, 5], [3, 4, 5, 6]]),
        ("pad", [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 6]]),
    ],
)
def test_tail_policies(tail, expected):
    slices = features.frames(numbered(7), frame_seconds=4.0, sample_rate=1, hop_length=1, tail=tail)
    np.testing.assert_array_equal(slices[..., 0], expected)


@pytest.mark.parametrize("tail", ["drop", "align", "pad"])
def test_no_tail_needs_no_policy(tail):
    slices = features.frames(jnp.stack([numbered(6)] * 3), frame_seconds=4.0, sample_rate=1, hop_length=1, tail=tail)
    np.testing.assert_array_equal(slices[1, ..., 0], [[0, 1, 2, 3], [2, 3, 4, 5]])


def test_only_pad_takes_a_clip_shorter_than_a_slice():
    options = {"frame_seconds": 4.0, "sample_rate": 1, "hop_length": 1}
    np.testing.assert_array_equal(features.frames(numbered(3), tail="pad", **options)[..., 0], [[0, 1, 2, 2]])
    for tail in ("drop", "align"):
        with pytest.raises(ValueError, match="3 frames is shorter than one slice of 4"):
            features.frames(numbered(3), tail=tail, **options)


@pytest.mark.parametrize("options", [{"overlap": 1.0}, {"overlap": -0.1}, {"tail": "wrap"}, {"frame_seconds": 0.001}])
def test_unsupported_slices_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        features.frames(numbered(40), **options)
