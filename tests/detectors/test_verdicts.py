"""Verdicts on waveforms of any length and shape, by a detector that knows how long its clips are."""

import dataclasses

import numpy as np
import pytest
import soundfile

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting
from asd_jax.detectors import Detector, fit_scorers
from asd_jax.detectors.fitted_scorers import ScorerSpec
from asd_jax.detectors.thresholds import Method, Source, Threshold
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.representations.frame_mean import FrameMean

RATE, SECONDS = 16_000, 1
FAN = Machine("fan", "id_00")
HUM, WHISTLE = 180.0, 3_000.0


def sound(n_clips, seed, faulty=()):
    """Seconds of a humming machine that whistles in some of them."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_clips * RATE) / RATE
    whistles = np.isin(time.astype(int), list(faulty))
    tones = np.sin(2 * np.pi * HUM * time) + 0.5 * whistles * np.sin(2 * np.pi * WHISTLE * time)
    return (0.1 * tones + 0.02 * rng.standard_normal(len(time))).astype(np.float32)


@pytest.fixture(scope="module")
def detector():
    clips = sound(40, 0).reshape(40, RATE)
    values = FrameMean()(extract_waveforms(iter(clips), FrontEnd(), n_clips=40))
    fitted = fit_scorers(values, [FAN] * 40, specs=[ScorerSpec("kmeans")])
    return Detector(FrontEnd(), FrameMean(), fitted, "kmeans", clip_seconds=float(SECONDS))


def test_a_fault_is_found_in_a_long_recording_at_its_time(detector):
    found = detector.judge([sound(60, 1), sound(60, 1, faulty=(30, 31, 32, 33, 34))], sample_rate=RATE)
    assert found.is_anomalous.tolist() == [False, True] and 29 < found.worst_start_seconds[1] <= 32
    timeline = found.timelines[1]
    assert timeline.start_seconds.tolist() == list(range(60))
    assert (timeline.above[30:35] > 0).all() and timeline.threshold == detector.fitted["kmeans"][FAN].threshold.value
    assert found.thresholds[1] > timeline.threshold and found.share_of_normal_above[1] < 0.1
    assert found.remarks == () and found.reasons.tolist() == ["", ""]


def test_a_fault_within_one_clip_is_shown_and_raises_no_alarm(detector):
    found = detector.judge(sound(60, 1, faulty=(30,)), sample_rate=RATE)
    assert not found.is_anomalous and np.argmax(found.timelines.item().above) == 30
    assert found.timelines.item().above[30] > 0


def test_a_clip_is_judged_as_ever(detector):
    clips = [sound(1, seed) for seed in range(5)]
    threshold = detector.fitted["kmeans"][FAN].threshold.value
    for seconds in (0.6, 1.0, 1.4):  # no cut up to 1.5 times the length of training clips
        found = detector.judge([clip[: int(seconds * RATE)] for clip in clips], sample_rate=RATE)
        assert (found.thresholds == threshold).all() and all(len(of.scores) == 1 for of in found.timelines)
    whole = dataclasses.replace(detector, clip_seconds=None)
    np.testing.assert_array_equal(detector.score(clips, sample_rate=RATE), whole.score(clips, sample_rate=RATE))


@pytest.mark.parametrize("n_samples", [2, 100, RATE // 2 - 1])
def test_what_is_too_short_gets_no_verdict(detector, n_samples):
    found = detector.judge([sound(1, 0)[:n_samples], sound(1, 1)], sample_rate=RATE)
    assert found.is_anomalous.tolist() == [None, False] and np.isnan(found.scores[0])
    assert "is shorter than half of 1 s" in found.reasons[0] and found.reasons[1] == ""
    with pytest.raises(InputError, match=r"1 of 2 waveforms have no verdict: .* shorter than half of 1 s"):
        detector.decide([sound(1, 0)[:n_samples], sound(1, 1)], sample_rate=RATE)


def test_a_file_of_two_channels_as_it_is_read(detector, tmp_path):
    soundfile.write(tmp_path / "stereo.wav", np.stack([sound(3, 0)] * 2, axis=-1), RATE)
    stereo = soundfile.read(tmp_path / "stereo.wav")[0]
    for given in (stereo, [stereo]):
        with pytest.raises(InputError, match=r"\(n_samples, n_channels\), as soundfile.read .*mean\(axis=1\)"):
            detector.judge(given, sample_rate=RATE)
    with pytest.raises(InputError, match=r"shape \(1, 2, 3\)"):
        detector.judge(np.zeros((1, 2, 3)), sample_rate=RATE)
    with pytest.raises(InputError, match=r"shape \(\)"):
        detector.judge(np.array(1.0), sample_rate=RATE)
    assert len(detector.score(stereo.T, sample_rate=RATE)) == 2
    assert detector.score(stereo.mean(axis=1), sample_rate=RATE).shape == ()


def test_a_clip_without_a_finite_score_leaves_no_verdict(detector):
    class Broken:
        name, reads = "broken", "vector"

        def score(self, vectors):
            scores = np.arange(float(len(vectors)))
            scores[3] = np.nan
            return scores

    fitted = dataclasses.replace(detector.fitted["kmeans"][FAN], scorer=Broken())
    broken = dataclasses.replace(detector, fitted={"kmeans": {FAN: fitted}})
    found = broken.judge([sound(6, 0)], sample_rate=RATE)
    assert found.is_anomalous.tolist() == [None] and found.reasons.tolist() == ["the score at 3 s is not finite"]


def test_a_rule_that_cannot_alarm_says_so_whenever_it_is_used(detector):
    never = detector.deciding_by("conformal_0.99")
    found = never.judge(sound(9, 0, faulty=range(9)), sample_rate=RATE)
    assert not found.is_anomalous and np.isinf(found.thresholds)
    assert "id_00: conformal_0.99 has 40 unseen normal clips" in found.remarks[0] and "never alarms" in found.remarks[0]


@pytest.mark.parametrize("cutting", [None, Cutting(1.0, 1.0)])
def test_detectors_that_do_not_know_their_length_do_as_before(detector, cutting):
    old = dataclasses.replace(detector, clip_seconds=None, cutting=cutting)
    waveform = sound(9, 1, faulty=(4,))
    found = old.judge(waveform, sample_rate=RATE)
    assert found.thresholds == detector.fitted["kmeans"][FAN].threshold.value
    if cutting is not None:
        assert found.worst_start_seconds == 4.0 and found.is_anomalous
    assert len(found.timelines.item().scores) == (1 if cutting is None else 9)
    assert len(found.remarks) == 1 and "before detectors knew how long their clips are" in found.remarks[0]


def test_the_threshold_of_clips_decides_on_one(detector):
    limit = Threshold("gamma_0.9", -1.0, Method.GAMMA, 40, Source.OUT_OF_FOLD)
    fitted = dataclasses.replace(detector.fitted["kmeans"][FAN], threshold=limit)
    low = dataclasses.replace(detector, fitted={"kmeans": {FAN: fitted}})
    assert low.judge(sound(1, 1), sample_rate=RATE).is_anomalous
    assert not low.judge(sound(9, 1), sample_rate=RATE).is_anomalous
