"""One network a machine: which clips each hears, and what becomes of their window errors."""

import numpy as np
import pytest

from asd_jax.datasets.clips import Machine
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.per_machine import PerMachine
from asd_jax.representations.representation import ClipRepresentation
from asd_jax.representations.residual import Residual

FAN, PUMP = Machine("fan", "id_00"), Machine("pump", "id_00")


class Part(Residual):
    """In place of a network: window errors are the frames' first values, and it remembers what it heard."""

    def __init__(self, factor):
        self.factor, self.heard = factor, []

    def __call__(self, clips, machines):
        self.heard.append((len(clips), machines))
        errors = np.full((len(clips), int(clips.clip_length.max())), np.nan, np.float32)
        for index in range(len(clips)):
            errors[index, : clips.clip_length[index]] = self.factor * clips.clip(index)[:, 0]
        return ClipRepresentation(self.factor * np.stack([clips.clip(k)[0] for k in range(len(clips))]), errors)


@pytest.fixture
def representation():
    return PerMachine({FAN: Part(1.0), PUMP: Part(10.0), Machine("pump", "id_02"): Part(100.0)})


def test_each_network_hears_its_own_machines_clips_alone(representation):
    clips = StoredClips.from_clips([np.full((length, 2), length, np.float32) for length in (3, 2, 5, 1)])
    values = representation(clips, [PUMP, FAN, PUMP, FAN])
    assert [of.heard for of in representation.parts.values()] == [[(2, [FAN, FAN])], [(2, [PUMP, PUMP])], []]
    np.testing.assert_array_equal(values.vector[:, 0], [30, 2, 50, 1])
    np.testing.assert_array_equal((~np.isnan(values.window_error)).sum(axis=1), [3, 2, 5, 1])
    np.testing.assert_array_equal(np.nanmax(values.window_error, axis=1), [30, 2, 50, 1])


def test_one_machine_alone(representation):
    clips = StoredClips.from_clips([np.ones((3, 2), np.float32)])
    assert representation(clips, [FAN]).window_error.shape == (1, 3)
    with pytest.raises(KeyError):
        representation(clips, [Machine("fan", "id_02")])
