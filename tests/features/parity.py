"""What `equal to librosa` means, shared by the parity tests."""

import random
from itertools import combinations

import numpy as np


def assert_same_decibels(actual, expected_power, *, amin=1e-10, atol=1e-3):
    """`actual` dB against a reference power: `atol` dB where it is at least 1e-6 of the largest, and nowhere loud.

    What lies further below is mostly rounding, on which no two programs agree; it must stay within 1e-6 of the largest.
    """
    actual = np.asarray(actual, np.float64)
    expected_power = np.maximum(np.asarray(expected_power, np.float64), amin)
    largest = expected_power.max()
    heard = expected_power >= 1e-6 * largest
    np.testing.assert_allclose(actual[heard], 10 * np.log10(expected_power[heard]), rtol=0, atol=atol)
    # 1e-5: amin in decibels and back is off by a rounding.
    below = np.abs(10 ** (actual / 10) - expected_power)[~heard]
    assert np.all(below <= 1e-6 * largest + 1e-5 * amin)


def pairwise(**options):
    """Combinations of options in which every two values of two options meet; far fewer than all combinations."""
    rng = random.Random(0)
    names = list(options)
    missing = {((a, x), (b, y)) for a, b in combinations(names, 2) for x in options[a] for y in options[b]}
    rows = []
    while missing:
        seed = dict(next(iter(sorted(missing, key=repr))))
        candidates = [{name: seed.get(name, rng.choice(options[name])) for name in names} for _ in range(100)]
        best = max(candidates, key=lambda row: len(missing & set(combinations(row.items(), 2))))
        missing -= set(combinations(best.items(), 2))
        rows.append(best)
    return rows


def waveform(n_samples, *, batch=(), seed=0):
    """A hum with a chirp in noise, float32: something at all frequencies, 60 dB apart."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_samples) / 16_000
    phase = rng.uniform(0, 2 * np.pi, (*batch, 1))
    hum = 0.3 * np.sin(2 * np.pi * 180 * time + phase) + 0.05 * np.sin(2 * np.pi * (1000 + 300 * time) * time + phase)
    return (hum + 3e-3 * rng.standard_normal((*batch, n_samples))).astype(np.float32)
