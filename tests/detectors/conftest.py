"""Detectors of two humming machines that need no training, to be exported."""

import dataclasses

import jax
import numpy as np
import pytest

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import fit_scorers
from asd_jax.detectors.scorer_spec import ScorerSpec
from asd_jax.features import FrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.scaling import standardize
from asd_jax.models.network import Network
from asd_jax.representations.residual import Residual

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


@pytest.fixture(scope="session")
def made():
    """Calls `made(representation, "gmm", ...)`: a detector with these scorers, fitted on clips of both machines."""
    clips = hum(48, seed=0)
    clips = clips[np.arange(48) % 4 < 2]  # the normal ones

    def make(representation, *specs, front_end=SMALL):
        frames = extract_waveforms(clips, front_end)
        if hasattr(representation, "fit_frames"):
            representation = representation.fit_frames(frames)
        specs = [ScorerSpec(spec) if isinstance(spec, str) else spec for spec in specs]
        fitted = fit_scorers(representation(frames, MACHINES), MACHINES, specs=specs)
        return Detector(front_end, representation, fitted, specs[0].label, clip_seconds=1.0)

    return make


@pytest.fixture(scope="session")
def untrained():
    """Calls `untrained(config)`: the residual of a network before training."""
    frames = extract_waveforms(hum(4, seed=1), SMALL)

    def make(config, *, seed=0):
        network = Network(config, SMALL.n_features)
        params, model_state = network.init(key=jax.random.key(seed))
        return Residual(network, params, model_state, standardize(frames.values))

    return make


def smaller(config):
    """A config of the registry with narrow layers and short windows, where it has such settings."""
    names = {field.name for field in dataclasses.fields(config)}
    given = {"hidden_size": 8, "window_frames": 20, "window_hop": 10}
    return config(**{k: v for k, v in given.items() if k in names and not (k != "hidden_size" and config.name in _OWN)})


_OWN = ("conv_autoencoder", "dense_autoencoder", "interpolation_network")  # windows of their own are short
