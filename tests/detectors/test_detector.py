import jax
import numpy as np
import pytest
import soxr

from asd_jax import load_detector
from asd_jax.datasets import open_dataset
from asd_jax.datasets.clips import Machine
from asd_jax.datasets.extraction import extract
from asd_jax.detectors.bundle import LOG_MEL_MEAN, Detectors
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import FittedScorer, fit_scorers
from asd_jax.detectors.thresholds import Method, Source, Threshold
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.scaling import standardize
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.representations.residual import Residual

FAN = Machine("fan", "id_00")


@pytest.fixture(scope="module")
def recordings(machine_tree):
    dataset = open_dataset(machine="fan", data_dir=machine_tree)
    test = [dataset.read(clip) for clip in dataset.split("test")]
    return dataset, test, [clip.machine_id for clip in dataset.split("test")]


@pytest.fixture(scope="module")
def detector(recordings):
    """An untrained network with both scorers: what is tested here does not need a good one."""
    dataset = recordings[0]
    train = extract(dataset.split("train"), dataset.read, FrontEnd())
    network = Network(LSTMPredictorConfig(hidden_size=4, context_frames=3), 128)
    params, model_state = network.init(key=jax.random.key(0))
    residual = Residual(network, params, model_state, standardize(train.frames.values))
    machines = [clip.machine for clip in train.clips]
    fitted = fit_scorers(residual(train.frames), machines, held_out=np.arange(24) % 4 == 0)
    return Detector(FrontEnd(), residual, fitted, "mse", min_frames=4)


def test_scores_do_not_depend_on_company_or_order(detector, recordings):
    _, waveforms, ids = recordings
    together = detector.score(waveforms, sample_rate=16_000, machine_id=ids)
    alone = [detector.score(w, sample_rate=16_000, machine_id=i) for w, i in zip(waveforms, ids, strict=True)]
    backwards = detector.score(waveforms[::-1], sample_rate=16_000, machine_id=ids[::-1])
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    np.testing.assert_allclose(together, backwards[::-1], rtol=1e-5)


def test_mse_is_the_mean_squared_residual_over_windows(detector, recordings):
    waveform = recordings[1][0]
    frames = detector.representation.scaling(detector.front_end(jax.numpy.asarray(waveform)))
    residual, _ = detector.representation.network.residual(
        detector.representation.params, detector.representation.model_state, frames[None]
    )
    expected = np.mean(np.square(np.asarray(residual, np.float64)))
    assert detector.score(waveform, sample_rate=16_000, machine_id="id_00") == pytest.approx(expected, rel=1e-5)
    values = detector.representation(
        StoredClips.from_clips([np.asarray(detector.front_end(jax.numpy.asarray(waveform)))])
    )
    np.testing.assert_allclose(values.vector[0], np.asarray(residual).mean(axis=(0, 1, 2)), atol=1e-5)


def test_an_array_of_clips_and_a_single_one(detector, recordings):
    clips = np.stack([w[:16_000] for w in recordings[1][:3]])
    scores = detector.score(clips, sample_rate=16_000, machine_id="id_00")
    assert scores.shape == (3,)
    single = detector.score(clips[1], sample_rate=16_000, machine_id="id_00")
    assert np.shape(single) == () and single == pytest.approx(scores[1], rel=1e-5)
    assert detector.score([], sample_rate=16_000, machine_id="id_00").shape == (0,)


def test_decide_holds_scores_against_the_threshold(detector, recordings):
    _, waveforms, ids = recordings
    scores = detector.score(waveforms, sample_rate=16_000, machine_id=ids)
    limits = [detector.fitted["mse"]["fan", machine_id].threshold.value for machine_id in ids]
    np.testing.assert_array_equal(detector.decide(waveforms, sample_rate=16_000, machine_id=ids), scores > limits)


def test_share_of_normal_clips_above(detector, recordings):
    verdict = detector.judge(recordings[1], sample_rate=16_000, machine_id=recordings[2])
    for score, machine_id, share in zip(verdict.scores, recordings[2], verdict.share_of_normal_above, strict=True):
        assert share == np.mean(detector.fitted["mse"]["fan", machine_id].normal_scores > score)


def test_unknown_machine_id(detector, recordings):
    waveform = recordings[1][0]
    with pytest.raises(InputError, match=r"'id_09' is unknown; this detector knows id_00, id_02"):
        detector.score(waveform, sample_rate=16_000, machine_id="id_09")
    with pytest.raises(InputError, match="no machine id was given"):
        detector.score(waveform, sample_rate=16_000)
    smallest = detector.score(
        waveform, sample_rate=16_000, machine_id="id_09", scorer="mahalanobis", unknown_machine_id="min"
    )
    by_id = [
        detector.score(waveform, sample_rate=16_000, machine_id=i, scorer="mahalanobis") for i in ("id_00", "id_02")
    ]
    assert smallest == pytest.approx(min(by_id), rel=1e-5)


def test_another_rate_is_resampled(detector, recordings):
    waveform = recordings[1][0]
    faster = soxr.resample(waveform, 16_000, 48_000)
    expected = detector.score(soxr.resample(faster, 48_000, 16_000), sample_rate=16_000, machine_id="id_00")
    assert detector.score(faster, sample_rate=48_000, machine_id="id_00") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("waveform", "says"),
    [
        (np.zeros(16_000, np.int16), "int16"),
        (np.full(16_000, np.nan, np.float32), "NaN"),
        (np.zeros(1_000, np.float32), "too short; this detector needs at least 0.10 s"),
        (np.zeros(0, np.float32), "holds no samples"),
    ],
)
def test_bad_waveforms(detector, waveform, says):
    with pytest.raises(InputError, match=says):
        detector.score([waveform], sample_rate=16_000, machine_id="id_00")


def test_bad_arguments(detector, recordings):
    with pytest.raises(InputError, match="scorer 'svm' is not in this detector, which has mse, mahalanobis"):
        detector.score(recordings[1][0], sample_rate=16_000, machine_id="id_00", scorer="svm")
    with pytest.raises(InputError, match="2 machine ids for 1 waveforms"):
        detector.score(recordings[1][:1], sample_rate=16_000, machine_id=["id_00", "id_02"])


def test_silence_gets_a_finite_score(detector):
    silence = np.zeros(16_000, np.float32)
    for scorer in detector.fitted:
        assert np.isfinite(detector.score(silence, sample_rate=16_000, machine_id="id_00", scorer=scorer))


def test_saved_and_loaded_detectors_score_bit_equal(detector, recordings, tmp_path):
    control = Detector(FrontEnd(), FrameMean(), {"mahalanobis": detector.fitted["mahalanobis"]}, "mahalanobis", 4)
    Detectors(detector, {LOG_MEL_MEAN: control}, {3: control}).save(tmp_path)
    loaded = load_detector(tmp_path)
    assert loaded.machine_ids == ("id_00", "id_02") and loaded.front_end == FrontEnd()
    for scorer in detector.fitted:
        arguments = {"sample_rate": 16_000, "machine_id": recordings[2], "scorer": scorer}
        np.testing.assert_array_equal(
            loaded.score(recordings[1], **arguments), detector.score(recordings[1], **arguments)
        )
        assert loaded.fitted[scorer][FAN].threshold == detector.fitted[scorer][FAN].threshold
    detectors = Detectors.load(tmp_path)
    assert isinstance(detectors.controls[LOG_MEL_MEAN].representation, FrameMean)
    assert set(detectors.further_seeds) == {3}


def test_thresholds_come_from_scores_that_imitate_unseen_clips(detector):
    mse, mahalanobis = (detector.fitted[name][FAN] for name in ("mse", "mahalanobis"))
    for fitted in (mse, mahalanobis):
        assert fitted.threshold.source is Source.ALL_NORMAL and fitted.threshold.n_normal == 12
        assert fitted.threshold.fitted_on == "all normal clips, those the network saw shifted to the others"
    conformal = mse.at("conformal")  # whose promise holds for clips alone that nothing was fitted on
    assert (conformal.source, conformal.n_normal, conformal.value) == (Source.VALIDATION, 3, np.inf)
    assert mse.at("conformal_0.5").value == np.sort(mse.validation_scores)[1]
    assert mahalanobis.validation_scores is None


def test_a_rate_that_cannot_be(detector):
    with pytest.raises(InputError, match="sample_rate=0"):
        detector.prepare(np.zeros(16_000, np.float32), sample_rate=0, name="clip")


class ByMachine:
    """A scorer that gives one number, whatever it hears."""

    name, reads = "by_machine", "vector"

    def __init__(self, score):
        self.value = score

    def score(self, vectors):
        return np.full(len(vectors), self.value)


def made(scores):
    """A detector of machines that each score what they are given to."""
    limit = Threshold("gamma_0.9", 1.5, Method.GAMMA, 3, Source.VALIDATION)
    fitted = {machine: FittedScorer(ByMachine(score), np.arange(3.0), limit) for machine, score in scores.items()}
    return Detector(FrontEnd(), FrameMean(), {"by_machine": fitted}, "by_machine")


def test_machine_types_that_share_an_id():
    fan, pump = Machine("fan", "id_00"), Machine("pump", "id_00")
    both = made({fan: 1.0, pump: 2.0, Machine("pump", "id_01"): 3.0})
    assert both.machine_ids == ("id_00", "id_01") and both.machines[:2] == (fan, pump)
    options = {"sample_rate": 16_000}
    clips = np.zeros((3, 16_000), np.float32)
    assert both.score(clips[0], machine_id="id_01", **options) == 3.0  # of one machine type only
    given = {"machine_id": ["id_00", "id_00", "id_01"], "machine_type": ["fan", "pump", "pump"]}
    verdict = both.judge(clips, **given, **options)
    assert verdict.scores.tolist() == [1.0, 2.0, 3.0] and verdict.machine_types.tolist() == ["fan", "pump", "pump"]
    assert both.decide(clips, **given, **options).tolist() == [False, True, True]
    with pytest.raises(InputError, match="'id_00' belongs to several machine types, fan, pump; give `machine_type`"):
        both.score(clips, machine_id="id_00", **options)
    with pytest.raises(InputError, match="machine type 'valve' is unknown; this detector knows fan, pump"):
        both.score(clips, machine_id="id_00", machine_type="valve", **options)
    assert both.score(clips[0], unknown_machine_id="min", **options) == 1.0
    assert both.score(clips[0], machine_type="pump", unknown_machine_id="min", **options) == 2.0
    assert both.score(clips[0], machine_type="fan", **options) == 1.0  # which has one machine


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_has_no_decision(score):
    detector = made({Machine("fan", "id_00"): score})
    clips = np.zeros((2, 16_000), np.float32)
    assert detector.judge(clips, sample_rate=16_000).is_anomalous.tolist() == [None, None]
    np.testing.assert_array_equal(detector.score(clips, sample_rate=16_000), [score, score])
    with pytest.raises(InputError, match="2 of 2 waveforms have no verdict: the score at 0 s is not finite"):
        detector.decide(clips, sample_rate=16_000)
    with pytest.raises(InputError, match="1 of 1 waveforms have no verdict"):
        detector.decide(clips[0], sample_rate=16_000)
