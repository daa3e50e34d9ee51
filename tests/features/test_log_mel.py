import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest
from parity import assert_same_decibels, waveform

from asd_jax import features

# Compiled once for each length of clip, of which there are two.
log_mel_spectrogram = jax.jit(features.log_mel_spectrogram)


def librosa_mel(samples, sample_rate=16_000):
    return librosa.feature.melspectrogram(
        y=samples, sr=sample_rate, n_fft=1024, hop_length=512, n_mels=128, pad_mode="constant"
    )


def test_real_clips_equal_librosa(real_clip):
    samples, sample_rate = real_clip
    expected = librosa.power_to_db(librosa_mel(samples, sample_rate), top_db=None).T
    np.testing.assert_allclose(log_mel_spectrogram(jnp.asarray(samples)), expected, rtol=0, atol=1e-4)


def edge_cases():
    time = np.arange(16_001) / 16_000
    impulse = np.zeros(16_000)
    impulse[7_777] = 1.0
    noise = np.random.default_rng(0).normal(size=4_097) * 0.1
    return {
        "silence": np.zeros(5_000),
        "impulse": impulse,
        "tone": 0.9 * np.sin(2 * np.pi * 440.0 * time),
        "high tone": 0.9 * np.sin(2 * np.pi * 7_900.0 * time),
        "one sample": np.ones(1),
        "shorter than a frame": noise[:1_023],
        "odd length": noise,
        "constant": np.full(3_001, 0.5),
        "loud": noise * 1e4,
    }


@pytest.mark.parametrize("name", edge_cases())
@pytest.mark.filterwarnings("ignore:n_fft=1024 is too large:UserWarning")  # librosa, of short signals
def test_edge_cases_equal_librosa(name):
    samples = edge_cases()[name].astype(np.float32)
    assert_same_decibels(features.log_mel_spectrogram(jnp.asarray(samples)), librosa_mel(samples).T)


@pytest.mark.parametrize(
    "options", [{}, {"ref": 0.5}, {"amin": 1e-3}, {"top_db": 20.0}, {"ref": "max", "top_db": 30.0}]
)
def test_power_to_db_equals_librosa_clip_by_clip(options):
    power = np.random.default_rng(0).exponential(size=(2, 5, 4)).astype(np.float32) ** 4
    actual = features.power_to_db(jnp.asarray(power), **options)
    theirs = {"top_db": None} | options
    if theirs.get("ref") == "max":
        theirs["ref"] = np.max
    for one, expected in zip(actual, power, strict=True):
        np.testing.assert_allclose(one, librosa.power_to_db(expected, **theirs), atol=1e-5)


def test_natural_logarithm_and_lmfe():
    samples = waveform(8_000)
    mel = librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=1024, hop_length=512, n_mels=40).T
    natural = features.log_mel_spectrogram(jnp.asarray(samples), n_mels=40, log="natural")
    np.testing.assert_allclose(natural, np.log(mel), atol=1e-5)
    np.testing.assert_array_equal(features.lmfe(jnp.asarray(samples)), natural)
    offset = features.log_mel_spectrogram(jnp.asarray(samples), n_mels=40, log="natural", offset=0.01)
    np.testing.assert_allclose(offset, np.log(mel + 0.01), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log": "log2"}, "log2"),
        ({"log": "natural", "top_db": 80.0}, "decibels"),
        ({"amin": 0.0}, "amin"),
        ({"top_db": -1.0}, "top_db"),
        ({"ref": "median"}, "median"),
        ({"ref": -1.0}, "ref"),
    ],
)
def test_unsupported_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        features.log_mel_spectrogram(jnp.ones(2_000), **options)
