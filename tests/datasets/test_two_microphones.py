"""Recordings of a near and a far microphone: what is read by default, what is said, what cannot be."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import soundfile

from asd_jax import load_detector
from asd_jax.datasets import DataConfig, open_dataset
from asd_jax.datasets.audio import read_audio
from asd_jax.datasets.far_microphone import synthesize_pair
from asd_jax.datasets.near_far import Subtraction
from asd_jax.datasets.synthetic import SlideRailConfig, clip_names, synthesize
from asd_jax.errors import InputError
from asd_jax.features import subtract_reference
from asd_jax.runs import evaluate_run, run, statistics


@pytest.fixture(scope="module")
def stereo(tmp_path_factory):
    """DCASE 2026's layout: a machine in noise, and a far microphone of the noise."""
    root, rng = tmp_path_factory.mktemp("stereo"), np.random.default_rng(0)
    time = np.arange(16_000) / 16_000
    for split, label, count in (("train", "normal", 12), ("test", "normal", 3), ("test", "anomaly", 3)):
        for number in range(count):
            machine = 0.05 * rng.standard_normal(16_000) * (np.sin(2 * np.pi * 3 * time + number) > 0.5)
            machine += (label == "anomaly") * 0.02 * np.sin(2 * np.pi * 3_000 * time)
            hall = 0.1 * rng.standard_normal(16_000)
            name = f"section_00_source_{split}_{label}_{number:04d}_noAttribute.wav"
            path = root / "fan" / split / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.stack([machine + hall, 0.5 * hall], axis=1), 16_000, subtype="FLOAT")
    return root


def test_the_far_microphone_is_taken_away_by_default_and_not_where_a_channel_is_named(stereo):
    dataset = open_dataset(data_dir=stereo)
    clip = dataset.split("train")[0]
    both = soundfile.read(stereo / clip.file_name, dtype="float32")[0].T
    near, far = np.ascontiguousarray(both[0]), np.ascontiguousarray(both[1])
    np.testing.assert_array_equal(dataset.read(clip), subtract_reference(near, far, xp=np))
    assert dataset.channel == "0-1"
    assert "channel 0 (near the machine, as DCASE 2026 has it) without" in dataset.description
    assert np.square(dataset.read(clip)).sum() < 0.4 * np.square(near).sum()
    for settings in ({"reference_channel": "none"}, {"channel": "0"}):
        plain = open_dataset(data_dir=stereo, **settings)
        np.testing.assert_array_equal(plain.read(clip), near)
        assert plain.channel == "0" and plain.pair is None
    swapped = open_dataset(data_dir=stereo, channel="1", reference_channel="0")
    np.testing.assert_array_equal(swapped.read(clip), subtract_reference(far, near, xp=np))


def test_what_is_said_of_it(stereo):
    def lines(**settings):
        dataset = open_dataset(data_dir=stereo, **settings)
        return " ".join(Subtraction.of(dataset.split("train"), dataset.pair, sample_rate=16_000).remarks())

    assert "explains 9" in lines() and "hear the machine" not in lines() and "swapped" not in lines()
    assert "dB louder than the near one: are `channel` and `reference_channel` swapped?" in lines(
        channel="1", reference_channel="0"
    )


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"channel": "0", "reference_channel": "0"}, "is the channel that is read; give the far microphone's"),
        ({"channel": "mix", "reference_channel": "1"}, "needs `channel`, the number of the microphone near"),
        ({"reference_channel": "far"}, "give a channel's number, from 0, or none"),
        ({"channel": "0-"}, "give mix or a channel's number"),
    ],
)
def test_settings_that_cannot_be(stereo, settings, line):
    with pytest.raises(InputError, match=line):
        open_dataset(data_dir=stereo, **settings)


def test_a_mono_recording_has_no_far_microphone(machine_tree):
    dataset = open_dataset(data_dir=machine_tree, machine="fan", reference_channel="1")
    with pytest.raises(InputError, match=r"`reference_channel`=1: .*wav has 1 channel"):
        dataset.read(dataset.clips[0])
    path = machine_tree / dataset.clips[0].file_name
    with pytest.raises(InputError, match="choose one of them or `reference_channel=none`"):
        read_audio(path, sample_rate=16_000, channel="0-1")


def test_the_synthetic_far_microphone_hears_the_machine_as_much_as_is_said():
    name = "slide_rail/test/anomaly_id_02_00000001.wav"
    hall = np.square(synthesize_pair(SlideRailConfig(), name)[1]).sum()
    for bleed in (0.0, 0.5):
        near, far = synthesize_pair(SlideRailConfig(far_bleed=bleed), name)
        np.testing.assert_array_equal(near, synthesize(SlideRailConfig(), name))  # to the last bit
        assert (np.square(far).sum() > 1.2 * hall) == bool(bleed)
    clips = [clip for clip in clip_names(SlideRailConfig()) if clip.split == "train"][::20]

    def found(bleed):
        config = SlideRailConfig(far_bleed=bleed)
        return Subtraction.of(clips, lambda clip: synthesize_pair(config, clip.file_name), sample_rate=16_000)

    clean, harmed = found(0.0), found(0.2)
    assert np.median(harmed.removed) > 1.3 * np.median(clean.removed) > 0.1
    assert "hear the machine" in " ".join(harmed.remarks()) and "hear the machine" not in " ".join(clean.remarks())
    with pytest.raises(InputError, match=r"`far_bleed`=2\.0: give a share from 0 to 1"):
        SlideRailConfig(far_bleed=2.0)
    with pytest.raises(InputError, match="give `reference_channel=1` too"):
        DataConfig("slide_rail", far_bleed=0.1).open()
    assert DataConfig("slide_rail", reference_channel="1").open().channel == "0-1"


def test_training_evaluation_and_service_hear_alike(stereo, tmp_path):

    config = dataclasses.replace(statistics("gmm", "gmm"), data=DataConfig("fan", str(stereo), cache_dir=str(tmp_path)))
    results = run(config, tmp_path / "run", say=lambda line: None)
    assert any("the far microphone explains" in line for line in results.notes)
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())
    assert recorded["data"]["channel"] == "0-1"
    again = evaluate_run(tmp_path / "run", say=lambda line: None)
    assert again.headline.mean == results.headline.mean
    dataset = open_dataset(data_dir=stereo)
    waveform = dataset.read(dataset.split("test")[0])
    score = load_detector(tmp_path / "run").score(waveform, sample_rate=16_000, machine_id="section_00")
    with (tmp_path / "run" / "scores.csv").open() as file:
        assert float(next(csv.DictReader(file))["gmm"]) == pytest.approx(float(score), rel=1e-4)
    # A run of before the far microphone was taken away heard channel 0, and still does.
    recorded["data"]["channel"] = "0"
    (tmp_path / "run" / "config.json").write_text(json.dumps(recorded))
    lines = []
    evaluate_run(tmp_path / "run", tmp_path / "before", say=lines.append)
    assert ", channel 0" in lines[0] and "without" not in lines[0]
