"""Detectors of two humming machines that need no training, to be exported."""

import jax
import numpy as np
import pytest
from humming import MACHINES, SMALL, hum

from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import fit_scorers
from asd_jax.detectors.scorer_spec import ScorerSpec
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.scaling import standardize
from asd_jax.models.network import Network
from asd_jax.representations.residual import Residual


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
