"""The synthetic data set: names, streams, the mixture, and how hard it is."""

import dataclasses

import librosa
import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from asd_jax.datasets.slide_rail_faults import FAULT_KINDS, Fault
from asd_jax.datasets.synthetic import (
    MACHINE_IDS,
    SlideRailConfig,
    clip_names,
    fault_of,
    parse_name,
    synthesize,
    synthesize_parts,
)
from asd_jax.errors import InputError

SHORT = SlideRailConfig(clip_seconds=2.5, n_train=3, n_test_normal=2, n_test_anomaly=2)
ANOMALY = "slide_rail/test/anomaly_id_02_00000001.wav"


def rms(sound):
    return np.sqrt(np.mean(np.square(sound, dtype=np.float64)))


def mean_log_mel(waveform):
    mel = librosa.feature.melspectrogram(y=waveform, sr=16_000, n_fft=1024, hop_length=512, pad_mode="constant")
    return librosa.power_to_db(mel, top_db=None).mean(axis=1).astype(np.float64)


def test_names_are_those_of_dcase_2020():
    clips = clip_names(SlideRailConfig())
    assert len(clips) == 4 * (60 + 30 + 30)
    assert len({clip.file_name for clip in clips}) == len(clips)
    assert clips[0].file_name == "slide_rail/train/normal_id_00_00000000.wav"
    assert clips[-1].file_name == "slide_rail/test/anomaly_id_06_00000029.wav"
    assert {clip.machine_id for clip in clips} == set(MACHINE_IDS) == {"id_00", "id_02", "id_04", "id_06"}
    assert not any(clip.is_anomaly for clip in clips if clip.split == "train")
    assert all(parse_name(clip.file_name) == clip for clip in clips)


@pytest.mark.parametrize("seconds, sample_rate", [(10.0, 16_000), (1.0, 16_000), (2.34567, 22_050), (1.5, 48_000)])
def test_waveform_has_the_length_and_range_asked_for(seconds, sample_rate):
    config = SlideRailConfig(clip_seconds=seconds, sample_rate=sample_rate)
    waveform = synthesize(config, ANOMALY)
    assert waveform.shape == (round(seconds * sample_rate),)
    assert waveform.dtype == np.float32
    assert np.all(np.abs(waveform) <= 1.0)


def test_a_clip_does_not_depend_on_what_was_made_before():
    names = [clip.file_name for clip in clip_names(SHORT)]
    forwards = {name: synthesize(SHORT, name) for name in names}
    more_clips = dataclasses.replace(SHORT, n_train=99, n_test_normal=0)
    for name in reversed(names):
        np.testing.assert_array_equal(synthesize(more_clips, name), forwards[name])


def test_clips_differ_from_each_other_and_from_seed_to_seed():
    names = [clip.file_name for clip in clip_names(SHORT)]
    waveforms = [synthesize(dataclasses.replace(SHORT, seed=seed), name) for seed in (0, 1) for name in names]
    correlation = np.corrcoef(waveforms) - np.eye(len(waveforms))
    assert np.max(np.abs(correlation)) < 0.5


@pytest.mark.parametrize("machine_id", MACHINE_IDS)
def test_signal_to_noise_ratio_is_as_stated(machine_id):
    config = dataclasses.replace(SHORT, snr_db=(-3.0, 9.0))
    ratios = []
    for i in range(20):
        name = f"slide_rail/train/normal_{machine_id}_{i:08d}.wav"
        parts = synthesize_parts(config, name, None)
        ratios.append(20.0 * np.log10(rms(parts.machine) / rms(parts.noise)))
        assert ratios[-1] == pytest.approx(parts.snr_db, abs=1e-3)
        assert not parts.fault.any()
        np.testing.assert_array_equal(parts.machine + parts.noise, synthesize(config, name))
    assert -3.0 <= min(ratios) < 0.0 and 6.0 < max(ratios) <= 9.0


def test_levels_are_those_of_a_recording():
    for machine_id in MACHINE_IDS:
        for i in range(3):
            waveform = synthesize(SHORT, f"slide_rail/test/anomaly_{machine_id}_{i:08d}.wav")
            assert -45.0 < 20.0 * np.log10(rms(waveform)) < -20.0
            assert np.max(np.abs(waveform)) < 0.95  # no clipping
            assert abs(waveform.mean()) < 1e-3


def test_machines_sound_different():
    spectra = {
        machine_id: np.array(
            [mean_log_mel(synthesize(SHORT, f"slide_rail/train/normal_{machine_id}_{i:08d}.wav")) for i in range(5)]
        )
        for machine_id in MACHINE_IDS
    }
    centres = {machine_id: np.mean(s - s.mean(axis=1, keepdims=True), axis=0) for machine_id, s in spectra.items()}
    for machine_id, clips in spectra.items():
        for clip in clips - clips.mean(axis=1, keepdims=True):  # the level aside
            distances = {other: np.linalg.norm(clip - centre) for other, centre in centres.items()}
            assert min(distances, key=distances.get) == machine_id


def test_faults_are_of_every_kind_and_severity():
    config = SlideRailConfig(n_test_anomaly=100)
    faults = [fault_of(config, clip.file_name) for clip in clip_names(config) if clip.is_anomaly]
    for kind in FAULT_KINDS:
        assert sum(fault.kind == kind for fault in faults) > len(faults) / 4
    severity = np.array([fault.severity for fault in faults])
    assert 0.0 < severity.min() < 0.05 and 0.95 < severity.max() <= 1.0
    assert severity.mean() == pytest.approx(1.5 / 2.5, abs=0.04)  # of Beta(1.5, 1)
    assert fault_of(config, "slide_rail/test/normal_id_00_00000000.wav") is None


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_fault_vanishes_with_its_severity(kind):
    healthy = synthesize_parts(SHORT, ANOMALY, None)
    none = synthesize_parts(SHORT, ANOMALY, Fault(kind, 0.0))
    np.testing.assert_array_equal(none.machine, healthy.machine)
    np.testing.assert_array_equal(none.noise, healthy.noise)
    assert not none.fault.any()

    levels = []
    for severity in (0.001, 0.1, 1.0):
        parts = synthesize_parts(SHORT, ANOMALY, Fault(kind, severity))
        levels.append(rms(parts.fault) / rms(healthy.machine))
        if kind != "loose_belt":  # the only fault that changes the motion
            np.testing.assert_array_equal(parts.machine, healthy.machine)
    assert levels[0] < 0.002 and levels[0] < levels[1] < levels[2]
    assert levels[2] > 0.1


def test_simple_detectors_are_neither_perfect_nor_blind():
    """On two machines and fewer clips; the module's docstring has the whole set."""
    config = SlideRailConfig(n_train=30, n_test_normal=15, n_test_anomaly=15)
    aucs = {"kmeans": [], "mahalanobis": []}
    for machine_id in ("id_00", "id_04"):
        clips = [clip for clip in clip_names(config) if clip.machine_id == machine_id]
        vectors = np.array([mean_log_mel(synthesize(config, clip.file_name)) for clip in clips])
        is_train = np.array([clip.split == "train" for clip in clips])
        is_anomaly = np.array([clip.is_anomaly for clip in clips])[~is_train]
        vectors = (vectors - vectors[is_train].mean(axis=0)) / vectors[is_train].std(axis=0)
        train, test = vectors[is_train], vectors[~is_train]
        aucs["kmeans"].append(roc_auc_score(is_anomaly, np.linalg.norm(test, axis=1)))
        aucs["mahalanobis"].append(roc_auc_score(is_anomaly, LedoitWolf().fit(train).mahalanobis(test)))
    assert 0.55 < np.mean(aucs["kmeans"]) < 0.9, aucs
    assert 0.75 < np.mean(aucs["mahalanobis"]) < 0.99, aucs
    assert np.mean(aucs["mahalanobis"]) > np.mean(aucs["kmeans"]), aucs


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"seed": -1}, "seed=-1"),
        ({"n_train": -2}, "n_train=-2"),
        ({"sample_rate": 8000}, "sample_rate=8000"),
        ({"clip_seconds": 0.0}, "clip_seconds=0.0"),
        ({"severity_shape": 0.0}, "severity_shape=0.0"),
        ({"snr_db": (6.0, 0.0)}, "snr_db="),
    ],
)
def test_settings_that_make_no_clips_are_errors(settings, said):
    with pytest.raises(InputError, match=said):
        SlideRailConfig(**settings)


@pytest.mark.parametrize(
    "name",
    [
        "slide_rail/test/anomaly_id_01_00000000.wav",
        "slide_rail/train/anomaly_id_00_00000000.wav",
        "fan/test/normal_id_00_00000000.wav",
        "slide_rail/test/normal_id_00_0.wav",
    ],
)
def test_names_that_no_clip_has_are_errors(name):
    with pytest.raises(InputError, match="not a clip of the synthetic slide rail"):
        synthesize(SlideRailConfig(), name)
