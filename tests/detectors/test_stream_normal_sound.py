"""What is normal in each band: from the control of a run, as JSON and back."""

import dataclasses
import json

import numpy as np
import pytest
from humming import MACHINES, SMALL, hum

from asd_jax.detectors.bundle import Detectors
from asd_jax.detectors.stream.normal_sound import NormalSound, normal_sounds
from asd_jax.features.extraction import extract_waveforms
from asd_jax.representations.clip_summary import ClipSummary
from asd_jax.representations.frame_mean import FrameMean


@pytest.fixture(scope="module")
def detectors(made):
    return Detectors(made(ClipSummary(), "gmm"), {"log_mel_mean": made(FrameMean(), "mahalanobis")})


def test_it_is_the_mean_and_spread_of_normal_clips(detectors):
    clips = hum(48, seed=0)
    clips = clips[np.arange(48) % 4 < 2]
    of_clips = extract_waveforms(clips, SMALL)
    for number, machine in enumerate(detectors.system.machines):
        sound = NormalSound.of_control(detectors, machine)
        assert MACHINES[number] == machine
        own = [np.asarray(sound.log_mel(clip)).mean(axis=0) for clip in clips[number::2]]
        np.testing.assert_allclose(sound.mean, np.mean(own, axis=0), atol=2e-3)
        np.testing.assert_allclose(sound.spread, np.std(own, axis=0), rtol=0.1)
        deviation = np.stack([sound.deviation(sound.log_mel(clip)) for clip in clips[number::2]])
        np.testing.assert_allclose(deviation.mean(axis=0), 0.0, atol=1e-2)
        np.testing.assert_allclose(sound.log_mel(clips[0]), of_clips.values[: len(sound.log_mel(clips[0]))], atol=2e-3)
        assert sound.hop_seconds == 128 / 16_000
        assert len(sound.frequencies) == 16 and 0 < sound.frequencies[0] < sound.frequencies[-1] < 8_000


def test_round_trip(detectors):
    saved = json.loads(json.dumps(normal_sounds(detectors, detectors.system.machines), allow_nan=False))
    assert [tuple(of[:2]) for of in saved] == [tuple(machine) for machine in detectors.system.machines]
    for (*_, of), machine in zip(saved, detectors.system.machines, strict=True):
        ours, theirs = NormalSound.from_dict(of), NormalSound.of_control(detectors, machine)
        assert ours.settings == theirs.settings
        np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-4)
        np.testing.assert_allclose(ours.spread, theirs.spread, atol=1e-4)
        np.testing.assert_array_equal(ours.frequencies, theirs.frequencies)


def test_it_is_not_known_where_there_is_no_such_control(detectors):
    machine = detectors.system.machines[0]
    alone = Detectors(detectors.system, {})
    assert NormalSound.of_control(alone, machine) is None
    assert normal_sounds(alone, [machine]) == []
    control = detectors.controls["log_mel_mean"]
    other = dataclasses.replace(control, front_end=dataclasses.replace(SMALL, power=1.0))
    assert NormalSound.of_control(Detectors(detectors.system, {"log_mel_mean": other}), machine) is None


def test_bands_alone():
    sound = NormalSound.unknown(16_000)
    log_mel = sound.log_mel(np.zeros(16_000, np.float32))
    assert log_mel.shape[1] == len(sound.frequencies) == 128
    assert sound.deviation(log_mel) is None
    assert NormalSound.from_dict(json.loads(json.dumps(sound.to_dict()))).deviation(log_mel) is None
    assert sound.hop_seconds == 512 / 16_000
