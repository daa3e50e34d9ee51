import jax.numpy as jnp
import librosa
import numpy as np
import pytest
from parity import waveform

from asd_jax import features


@pytest.mark.parametrize(
    ("options", "top_db"), [({}, 80.0), ({"n_mfcc": 13, "lifter": 22.0}, 80.0), ({"n_mfcc": 40}, 30.0)]
)
def test_mfcc_equals_librosa(options, top_db):
    samples = waveform(16_000)
    log_mel = librosa.power_to_db(
        librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=1024, hop_length=512), top_db=top_db
    )
    expected = librosa.feature.mfcc(S=log_mel, **options).T
    actual = features.mfcc(jnp.asarray(samples), top_db=top_db, **options)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.ptp(expected))


def test_real_clips_equal_librosa(real_clip):
    samples, sample_rate = real_clip
    expected = librosa.feature.mfcc(y=samples, sr=sample_rate, n_fft=1024, hop_length=512).T
    actual = features.mfcc(jnp.asarray(samples), top_db=80.0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.ptp(expected))


def test_the_whole_cepstrum_loses_nothing():
    log_mel = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    actual = features.cepstrum(jnp.asarray(log_mel), n_mfcc=16)
    np.testing.assert_allclose(np.square(actual).sum(axis=1), np.square(log_mel).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize(("width", "order"), [(9, 1), (9, 2), (3, 1), (5, 2), (11, 3)])
@pytest.mark.parametrize("n_frames", [11, 40])
def test_delta_equals_librosa(width, order, n_frames):
    frames = np.random.default_rng(0).normal(size=(2, n_frames, 4)).astype(np.float32)
    expected = librosa.feature.delta(frames, width=width, order=order, axis=-2)
    actual = features.delta(jnp.asarray(frames), width=width, order=order)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


def test_delta_of_a_line_is_its_slope():
    line = 3.0 * jnp.arange(9, dtype=jnp.float32)[:, None] + 7.0
    np.testing.assert_allclose(features.delta(line), 3.0, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "8 frames are fewer than width=9"),
        ({"width": 4}, "odd"),
        ({"width": 3, "order": 3}, "order"),
        ({"width": 1}, "width=1"),
    ],
)
def test_delta_errors(options, message):
    with pytest.raises(ValueError, match=message):
        features.delta(jnp.zeros((8, 2)), **options)


@pytest.mark.parametrize("options", [{"n_mfcc": 0}, {"n_mfcc": 129}, {"lifter": -1.0}])
def test_unsupported_cepstra_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        features.mfcc(jnp.ones(2_000), **options)
