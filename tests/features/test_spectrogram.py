import subprocess
import sys

import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest
from jaxtyping import TypeCheckError
from parity import waveform

from asd_jax import features
from asd_jax.features.precise_stft import power_by
from asd_jax.features.waveform import as_waveform


@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
@pytest.mark.parametrize(("n_fft", "hop_length", "win_length"), [(512, 128, None), (1000, 160, 400), (401, 200, 400)])
def test_stft_equals_librosa(n_fft, hop_length, win_length, pad_mode):
    samples = waveform(5_001, batch=(2,))
    options = {"n_fft": n_fft, "hop_length": hop_length, "win_length": win_length, "pad_mode": pad_mode}
    expected = np.swapaxes(librosa.stft(samples, **options), -1, -2)
    actual = features.stft(jnp.asarray(samples), **options)
    np.testing.assert_allclose(actual, expected, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("n_samples", [1, 2, 1_001, 16_000])
def test_spectrum_equals_numpy(n_samples):
    samples = waveform(n_samples, batch=(2,))
    expected = np.abs(np.fft.rfft(samples.astype(np.float64)))
    actual = features.spectrum(jnp.asarray(samples))
    np.testing.assert_allclose(actual, expected, atol=1e-6 * expected.max(), rtol=1e-6)


def test_a_quiet_tone_beside_a_loud_one_keeps_its_level():
    # 100 dB below a hum, near the limit of 16 bits: a transform in float32 is off by 0.1 dB there.
    time = np.arange(16_000) / 16_000
    samples = (np.sin(2 * np.pi * 50 * time) + 1e-5 * np.sin(2 * np.pi * 7_000 * time)).astype(np.float32)
    actual = features.power_spectrogram(jnp.asarray(samples))[5:-5, 448]
    frames = librosa.util.frame(np.pad(samples.astype(np.float64), 512), frame_length=1024, hop_length=512).T
    window = librosa.filters.get_window("hann", 1024)
    expected = np.abs(np.fft.rfft(frames * window)[5:-5, 448]) ** 2
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_every_transformation_reaches_the_float64_inside():
    samples = jnp.asarray(waveform(3_000, batch=(3,)))

    @jax.jit
    def energy(x):
        return jnp.sum(jnp.square(features.mel_spectrogram(x, n_mels=20)))

    plain = features.stft(samples)
    assert plain.dtype == jnp.complex64
    for mapped in (jax.vmap(features.stft)(samples), jax.vmap(features.stft, in_axes=1)(samples.T)):
        np.testing.assert_array_equal(mapped, plain)
    direction = jnp.asarray(waveform(3_000, batch=(3,), seed=1))
    gradient = jax.grad(energy)(samples)
    _, slope = jax.jvp(energy, (samples,), (direction,))
    np.testing.assert_allclose(slope, jnp.vdot(gradient, direction), rtol=1e-5)
    np.testing.assert_allclose(
        slope, (energy(samples + direction / 64) - energy(samples - direction / 64)) * 32, rtol=0.01
    )
    again = jax.jit(jax.vmap(jax.grad(jax.checkpoint(energy))))(samples)
    np.testing.assert_allclose(again, gradient, rtol=1e-5, atol=1e-4)
    twice = jax.jvp(jax.grad(energy), (samples,), (direction,))[1]
    assert np.isfinite(twice).all() and np.abs(twice).max() > 0


def test_adjoint():
    x, y = jnp.asarray(waveform(2_000)), jnp.asarray(waveform(4 * 513).reshape(4, 513))
    transform, transpose = jax.vjp(features.stft, x)
    (back,) = transpose(y.astype(jnp.complex64))
    np.testing.assert_allclose(jnp.vdot(back, x), jnp.sum(y * transform.real), rtol=1e-4)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.ones(2_000, np.int16), r"int16 samples; divide them by full scale"),
        (np.float32(1.0), r"\(\.\.\., n_samples\)"),
        (np.ones((3, 0), np.float32), "at least one sample"),
    ],
)
def test_what_is_no_waveform_is_refused(samples, message):
    with pytest.raises(ValueError, match=message):
        as_waveform(samples)


def test_integers_and_scalars_are_refused_by_every_transform():
    for name in ("log_mel_spectrogram", "mfcc", "spectrum", "chroma_stft", "chroma_cqt", "cens"):
        for samples in (jnp.ones(2_000, jnp.int16), jnp.float32(1.0)):
            with pytest.raises((ValueError, TypeCheckError)):  # the latter from the annotations that tests check
                getattr(features, name)(samples)


def test_without_checked_annotations_the_message_is_one_line():
    code = "import numpy as np; from asd_jax import features; features.log_mel_spectrogram(np.ones(9, int))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stderr.splitlines()[-1].startswith("ValueError: a waveform of int")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"center": False}, "700 samples is shorter than n_fft=1024"),
        ({"n_fft": 2048, "pad_mode": "reflect"}, "too short to reflect"),
        ({"win_length": 1025}, "win_length=1025"),
        ({"hop_length": 0}, "hop_length=0"),
        ({"pad_mode": "wrap"}, "wrap"),
    ],
)
def test_unsupported_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        features.stft(jnp.ones(700), **options)


def test_power_must_be_positive():
    with pytest.raises(ValueError, match="power"):
        features.power_spectrogram(jnp.ones(700), power=0.0)


@pytest.mark.parametrize(("n_fft", "hop_length", "win_length"), [(512, 128, None), (1000, 300, 400), (401, 500, 400)])
def test_power_by_another_transform_sees_the_same_windowed_frames(n_fft, hop_length, win_length):
    samples = jnp.asarray(waveform(5_001, batch=(2,)))
    options = {"n_fft": n_fft, "hop_length": hop_length, "win_length": win_length}
    expected = features.power_spectrogram(samples, **options)
    with power_by(lambda frames: jnp.square(jnp.abs(jnp.fft.rfft(frames)))):
        actual = features.power_spectrogram(samples, **options)
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-6 * float(expected.max()))
    np.testing.assert_array_equal(features.power_spectrogram(samples, **options), expected)  # and no longer
