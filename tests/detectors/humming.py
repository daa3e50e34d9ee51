"""Two humming machines, and what small detectors of them are made of."""

import dataclasses

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.features import FrontEnd

N_SAMPLES = 16_000
MACHINES = [Machine("fan", f"id_0{index % 2}") for index in range(24)]
SMALL = FrontEnd(n_fft=256, hop_length=128, n_mels=16)


def hum(n_clips, *, seed, n_samples=N_SAMPLES):
    """Clips of the two machines in turn; every fourth has a second tone."""
    rng, time = np.random.default_rng(seed), np.arange(n_samples) / 16_000
    number, hertz = np.arange(n_clips)[:, None], np.asarray([180.0, 310.0])
    tones = np.sin(2 * np.pi * hertz[number % 2] * time) + (number % 4 == 3) * np.sin(4e4 * time)
    noise = rng.standard_normal((n_clips, n_samples))
    return (0.1 * tones + rng.uniform(0.01, 0.03, (n_clips, 1)) * noise).astype(np.float32)


def smaller(config):
    """A config of the registry with narrow layers and short windows, where it has such settings."""
    names = {field.name for field in dataclasses.fields(config)}
    given = {"hidden_size": 8, "window_frames": 20, "window_hop": 10}
    return config(**{k: v for k, v in given.items() if k in names and not (k != "hidden_size" and config.name in _OWN)})


_OWN = ("conv_autoencoder", "dense_autoencoder", "interpolation_network")  # windows of their own are short
