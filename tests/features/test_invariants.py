"""Properties that hold for any waveform. Shapes are fixed, so that each transform is compiled once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asd_jax import features

HOP = 128
N_SAMPLES = 16 * HOP
TRANSFORMS = {
    "spectrogram": lambda x: features.power_spectrogram(x, n_fft=256, hop_length=HOP),
    "log_mel": lambda x: features.log_mel_spectrogram(x, n_fft=256, hop_length=HOP, n_mels=16),
    "mfcc": lambda x: features.mfcc(x, n_fft=256, hop_length=HOP, n_mels=16, n_mfcc=8),
    "chroma_stft": lambda x: features.chroma_stft(x, n_fft=256, hop_length=HOP),
}
COMPILED = {name: jax.jit(transform) for name, transform in TRANSFORMS.items()}


@st.composite
def clips(draw):
    """Noise of any level, partly silent."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    samples = rng.standard_normal(N_SAMPLES) * 10.0 ** draw(st.floats(-3, 0))
    samples[draw(st.integers(0, N_SAMPLES)) :] *= draw(st.sampled_from([0.0, 1e-3, 1.0]))
    return samples.astype(np.float32)


@pytest.mark.parametrize("name", TRANSFORMS)
@settings(max_examples=15, deadline=None)
@given(clip=clips(), hops=st.integers(1, 4))
def test_a_shift_by_hops_shifts_frames(name, clip, hops):
    # Zeros at both ends, so that nothing but zeros is shifted out and no frame sees the waveform's end.
    clip[: 2 * HOP] = 0.0
    clip[-6 * HOP :] = 0.0
    shifted = np.roll(clip, hops * HOP)
    frames, moved = COMPILED[name](clip), COMPILED[name](shifted)
    np.testing.assert_allclose(moved[hops:], frames[:-hops], rtol=1e-5, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(clip=clips(), gain_db=st.floats(-20, 20))
def test_gain_shifts_decibels(clip, gain_db):
    frames = np.asarray(COMPILED["log_mel"](clip))
    louder = np.asarray(COMPILED["log_mel"](clip * np.float32(10 ** (gain_db / 20))))
    above_floor = (frames > -79.0) & (frames > frames.max() - 80)  # 20 dB above the floor, and above rounding
    np.testing.assert_allclose((louder - frames)[above_floor], gain_db, atol=2e-3)
    # The floor stays where it is.
    assert louder.min() >= -100.0001


@settings(max_examples=15, deadline=None)
@given(clip=clips(), gain=st.floats(0.01, 100.0))
def test_gain_leaves_chroma(clip, gain):
    chroma = COMPILED["chroma_stft"](clip)
    np.testing.assert_allclose(COMPILED["chroma_stft"](clip * np.float32(gain)), chroma, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", TRANSFORMS)
@settings(max_examples=10, deadline=None)
@given(clip=clips(), other=clips())
def test_a_clip_is_the_same_in_a_batch(name, clip, other):
    alone = COMPILED[name](clip)
    batch = COMPILED[name](np.stack([other, clip]))
    assert alone.dtype == batch.dtype == jnp.float32
    np.testing.assert_allclose(batch[1], alone, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_gradients_are_finite_and_not_zero(name):
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(jnp.sin(TRANSFORMS[name](x)))))
    rng = np.random.default_rng(0)
    partly_silent = (rng.standard_normal(N_SAMPLES) * (np.arange(N_SAMPLES) < N_SAMPLES // 2)).astype(np.float32)
    slope = gradient(partly_silent)
    assert slope.dtype == jnp.float32
    assert np.isfinite(slope).all() and np.abs(slope).max() > 0
    assert np.isfinite(gradient(np.zeros(N_SAMPLES, np.float32))).all()
