"""What is said of recordings that were not made as those in training, on real recordings."""

import re

import numpy as np
import pytest
import soxr

from asd_jax.datasets import open_dataset
from asd_jax.datasets.clips import Machine
from asd_jax.datasets.sound import Sound, measure
from asd_jax.detectors.input_health import InputHealth, mixed

CAR, OTHER = Machine("toy_car", "id_01"), Machine("toy_car", "id_02")


@pytest.fixture(scope="module")
def clips(real_data):
    dataset = open_dataset(machine="toy_car", data_dir=real_data / "toycar_resynthesized", machine_ids=("id_01",))
    return [dataset.read(clip) for clip in dataset.split("train")[:40]]


def sounds(waveforms):
    return [measure(waveform, sample_rate=16_000) for waveform in waveforms]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda clip: clip * 0.1, r"^\d+ dB quieter than in training$"),
        (lambda clip: soxr.resample(soxr.resample(clip, 16_000, 8_000), 8_000, 16_000), r"^nothing above [34].\d kHz"),
        (lambda clip: clip + np.float32(0.1), r"^constant offset of 10"),
        (lambda clip: np.clip(clip * 60, -1, 1), "clipped"),
        (lambda clip: clip * 0, "^silent"),
        (lambda clip: clip[:32_000], "^2.0 s long, in training 6.4 to 6.4 s"),
    ],
)
def test_what_is_unlike_training(clips, change, says):
    health = InputHealth.fit(sounds(clips[:30]))
    for clip in clips[30:]:
        (before,) = sounds([clip])
        assert health.remarks(before) == ()
        (after,) = sounds([change(clip).astype(np.float32)])
        remarks = "; ".join(health.remarks(after))
        assert re.search(says, remarks), remarks


def test_mixed_training_folders(clips):
    assert mixed(sounds(clips), [CAR] * 40) is None
    low = [soxr.resample(soxr.resample(clip, 16_000, 8_000), 8_000, 16_000) for clip in clips[:20]]
    assert "20 have a lower bandwidth" in mixed(sounds([*low, *clips[20:]]), [CAR] * 40)
    assert "5 are more than 20 dB quieter or louder" in mixed(
        sounds([*clips[5:], *(0.01 * c for c in clips[:5])]), [CAR] * 40
    )


def sound(level_db):
    return Sound(level_db, 0.0, 0.0, 8_000.0, 10.0)


def test_each_machine_has_its_own_range(tmp_path):
    quiet, loud = [sound(-50.0)] * 5, [sound(-20.0)] * 5
    machines = [CAR] * 5 + [OTHER] * 5
    health = InputHealth.of_machines([*quiet, *loud], machines)
    assert health[CAR].remarks(sound(-20.0)) == ("30 dB louder than in training",)
    assert health[OTHER].remarks(sound(-50.0)) == ("30 dB quieter than in training",)
    assert health[CAR].remarks(sound(-50.0)) == health[OTHER].remarks(sound(-20.0)) == ()
    assert mixed([*quiet, *loud], machines) is None
    assert "5 are more than 20 dB quieter" in mixed([*quiet, *loud, *loud], [CAR] * 5 + [CAR] * 10)
    assert InputHealth.of_machines([sound(-np.inf), *loud], [CAR, *[OTHER] * 5]).keys() == {OTHER}


def test_all_silent():
    assert InputHealth.fit([Sound(-np.inf, 0, 0, 0, 1)]) is None
