import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest

from asd_jax import features

# Compiled once for each length of clip, of which there are two.
log_mel_spectrogram = jax.jit(features.log_mel_spectrogram)


def librosa_mel(waveform, sample_rate=16_000):
    return librosa.feature.melspectrogram(
        y=waveform, sr=sample_rate, n_fft=1024, hop_length=512, n_mels=128, pad_mode="constant"
    )


def test_real_clips_equal_librosa(real_clip):
    waveform, sample_rate = real_clip
    expected = librosa.power_to_db(librosa_mel(waveform, sample_rate), top_db=None).T
    np.testing.assert_allclose(log_mel_spectrogram(jnp.asarray(waveform)), expected, rtol=0, atol=1e-4)


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
    waveform = edge_cases()[name].astype(np.float32)
    mel = librosa_mel(waveform).T
    expected = librosa.power_to_db(mel, top_db=None)
    actual = np.asarray(features.log_mel_spectrogram(jnp.asarray(waveform)))
    heard = mel >= max(1e-6 * mel.max(), 1e-10)
    np.testing.assert_allclose(actual[heard], expected[heard], rtol=0, atol=1e-3)
    # What is far below the loudest bin must stay there: no reference agrees on rounding noise.
    power = 10.0 ** (actual / 10)
    assert np.all(np.abs(power - np.maximum(mel, 1e-10))[~heard] <= 1e-6 * mel.max() + 1e-14)
