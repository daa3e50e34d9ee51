import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest
from parity import waveform

from asd_jax import features
from asd_jax.features.constant_q import C1

# Compiled once for each length of clip.
chroma_cqt = jax.jit(features.chroma_cqt)
cens = jax.jit(features.cens)
cqt_magnitude = jax.jit(features.cqt_magnitude, static_argnames=("sample_rate", "hop_length"))


def correlations(actual, expected):
    a = actual - actual.mean(axis=-1, keepdims=True)
    b = expected - expected.mean(axis=-1, keepdims=True)
    return (a * b).sum(axis=-1) / np.sqrt(np.square(a).sum(axis=-1) * np.square(b).sum(axis=-1))


def test_real_clips_are_near_librosa(real_clip):
    samples, sample_rate = real_clip
    magnitudes = np.abs(
        librosa.cqt(samples, sr=sample_rate, fmin=C1, n_bins=252, bins_per_octave=36, tuning=0.0)
    )  # once for both
    x = jnp.asarray(samples)
    for transform, reference in ((chroma_cqt, librosa.feature.chroma_cqt), (cens, librosa.feature.chroma_cens)):
        expected = reference(C=magnitudes, sr=sample_rate, tuning=0.0).T
        actual = np.asarray(transform(x))
        assert np.abs(actual - expected).mean() <= 0.002
        assert correlations(actual, expected).min() >= 0.99


@pytest.mark.parametrize(("n_fft", "n_chroma"), [(1024, 12), (2048, 24)])
def test_chroma_stft_equals_librosa(n_fft, n_chroma):
    samples = waveform(16_000, batch=(2,))
    options = {"n_fft": n_fft, "hop_length": 512, "n_chroma": n_chroma, "tuning": 0.1}
    expected = librosa.feature.chroma_stft(y=samples, sr=16_000, **options)
    actual = features.chroma_stft(jnp.asarray(samples), **options)
    np.testing.assert_allclose(actual, np.swapaxes(expected, -1, -2), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("sample_rate", "hop_length"), [(16_000, 512), (22_050, 512), (44_100, 512), (16_000, 200)])
def test_constant_q_at_other_rates_and_hops(sample_rate, hop_length):
    # Noise through every bin; at hop 200 the rate can be halved three times only.
    samples = np.random.default_rng(0).standard_normal(sample_rate * 3).astype(np.float32)
    expected = np.abs(
        librosa.cqt(samples, sr=sample_rate, hop_length=hop_length, fmin=C1, n_bins=252, bins_per_octave=36, tuning=0.0)
    ).T
    actual = cqt_magnitude(jnp.asarray(samples), sample_rate=sample_rate, hop_length=hop_length)
    for octave in range(7):
        bins = slice(36 * octave, 36 * (octave + 1))
        assert np.abs(actual - expected)[:, bins].mean() <= 0.01 * expected[:, bins].mean()


@pytest.mark.parametrize("midi", [33, 60, 69, 94])
def test_a_tone_lies_in_its_bin(midi):
    time = np.arange(32_000) / 16_000
    tone = jnp.asarray(np.sin(2 * np.pi * librosa.midi_to_hz(midi) * time).astype(np.float32))
    bins = cqt_magnitude(tone)
    assert set(np.argmax(np.asarray(bins)[20:-20], axis=-1)) == {3 * (midi - 24)}  # C1 is note 24


@pytest.mark.slow
def test_decimation_folds_nothing_onto_other_octaves():
    # A loud tone in the top octave must not show below it, whatever its frequency folds to.
    time = np.arange(32_000) / 16_000
    for frequency in (4_100.0, 5_900.0, 7_900.0):
        tone = np.sin(2 * np.pi * frequency * time) * np.hanning(len(time))
        loudest = features.cqt_magnitude(
            jnp.asarray(np.sin(2 * np.pi * 440 * time) * np.hanning(len(time)), jnp.float32)
        )
        folded = features.cqt_magnitude(jnp.asarray(tone, jnp.float32))
        assert np.max(folded[:, : 5 * 36]) <= 1e-3 * np.max(loudest)


def test_silence_is_zero_with_finite_gradients():
    silence = jnp.zeros(3_000)
    for transform in (features.chroma_stft, features.chroma_cqt, features.cens):
        frames, gradient = jax.jit(jax.value_and_grad(lambda x, transform=transform: jnp.sum(transform(x))))(silence)
        assert frames == 0.0
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("transform", "options", "message"),
    [
        ("chroma_cqt", {"sample_rate": 8_000}, "Nyquist"),
        ("chroma_cqt", {"n_chroma": 7}, "n_chroma=7"),
        ("chroma_cqt", {"norm": "l3"}, "l3"),
        ("chroma_cqt", {"n_octaves": 0}, "positive"),
        ("cens", {"win_len_smooth": 40}, "win_len_smooth=40"),
    ],
)
def test_unsupported_options_are_refused(transform, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(features, transform)(jnp.ones(3_000), **options)
