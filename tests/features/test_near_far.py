"""The far microphone's part: against NumPy by the formula, and where the answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from asd_jax import features
from asd_jax.features.near_far import likeness, removed_share, subtract_reference


def noise(n, seed):
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


def by_the_formula(near, far, n_fft=1024, hop=512):
    """One frame and one bin after another."""
    window = scipy.signal.get_window("hann", n_fft)
    padded = [np.pad(of.astype(np.float64), (n_fft // 2, n_fft // 2 + hop), mode="reflect") for of in (near, far)]
    starts = range(0, len(near) + hop - (len(near) - 1) % hop, hop)
    close, distant = ([np.fft.rfft(of[s : s + n_fft] * window) for s in starts] for of in padded)
    gain = sum(c * f.conj() for c, f in zip(close, distant, strict=True))
    gain /= sum(np.abs(f) ** 2 for f in distant) + 1e-12
    total, weight = np.zeros(len(near) + 2 * n_fft), np.zeros(len(near) + 2 * n_fft)
    for s, c, f in zip(starts, close, distant, strict=True):
        total[s : s + n_fft] += np.fft.irfft(c - gain * f) * window
        weight[s : s + n_fft] += window**2
    return (total / np.maximum(weight, 1e-12))[n_fft // 2 : n_fft // 2 + len(near)]


@pytest.mark.parametrize("n_samples", [5_120, 8_000, 7_777])
def test_equals_numpy_by_the_formula(n_samples):
    near, far = noise(n_samples, 0), noise(n_samples, 1)
    near = near + 0.7 * far
    expected = by_the_formula(near, far)
    for found in (subtract_reference(near, far, xp=np), jax.jit(subtract_reference)(near, far)):
        np.testing.assert_allclose(found, expected, atol=2e-5)
    batch = subtract_reference(jnp.stack([near, far]), jnp.stack([far, near]))
    np.testing.assert_allclose(batch[0], expected, atol=2e-5)


def test_what_the_answer_is():
    near, far = noise(16_000, 0), noise(16_000, 1)
    gone = subtract_reference(3 * far, far, xp=np)  # explained by a gain of 3 in every bin
    assert np.abs(gone).max() < 1e-4 and removed_share(3 * far, gone) == pytest.approx(1)
    np.testing.assert_array_equal(subtract_reference(near, 0 * far, xp=np), near)  # nothing explains nothing
    left = subtract_reference(near + far, far, xp=np)
    # A gain fitted on 32 frames, half of which overlap, takes a little of what it does not explain.
    assert removed_share(near + far, left) == pytest.approx(0.5, abs=0.05)
    assert np.corrcoef(left, near)[0, 1] > 0.95
    tone = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000).astype(np.float32)
    left = subtract_reference(near + tone, 0.01 * tone, xp=np)
    assert abs(np.dot(left - near, tone)) / np.dot(tone, tone) < 0.05  # the tone is gone, however faint there
    assert removed_share(np.zeros(9), np.zeros(9)) == 0


def test_a_far_microphone_that_hears_the_machine_is_told_apart():
    time = np.arange(64_000) / 16_000
    machine = noise(64_000, 0) * (np.sin(2 * np.pi * 1.5 * time) > 0.4)
    near = machine + noise(64_000, 1)
    hall, both = noise(64_000, 1) + 0.3 * noise(64_000, 2), noise(64_000, 1) + np.roll(machine, 700)
    clean, harmed = (subtract_reference(near, of, xp=np) for of in (hall, both + 0.5 * machine))
    assert likeness(near - harmed, harmed) > 0.3 > 0.15 > abs(likeness(near - clean, clean))
    assert likeness(np.zeros(4_000), clean[:4_000]) == 0


def test_what_cannot_be():
    with pytest.raises(ValueError, match="two microphones of one recording"):
        features.subtract_reference(np.zeros(2_000), np.zeros(1_999), xp=np)
    with pytest.raises(ValueError, match="too short"):
        features.subtract_reference(np.zeros(900), np.zeros(900), xp=np)
    with pytest.raises(ValueError, match="must divide"):
        features.subtract_reference(np.zeros(9_000), np.zeros(9_000), hop_length=400, xp=np)
