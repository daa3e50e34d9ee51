import jax.numpy as jnp
import numpy as np
import pytest

from asd_jax import features
from asd_jax.features.plain_log_mel import plain_log_mel


@pytest.mark.parametrize("settings", [{}, {"sample_rate": 44_100, "n_fft": 2048, "hop_length": 700, "fmin": 50.0}])
def test_it_is_the_log_mel_of_the_detectors(settings):
    rng = np.random.default_rng(0)
    waveform = (rng.standard_normal(30_001) * np.linspace(1e-3, 0.3, 30_001)).astype(np.float32)
    expected = np.asarray(features.log_mel_spectrogram(jnp.asarray(waveform), **settings))
    found = plain_log_mel(waveform, **settings)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4)
