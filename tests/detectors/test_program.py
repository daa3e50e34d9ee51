"""What exported programs compute, held against the detectors that they come from."""

import itertools
import re

import numpy as np
import pytest
from humming import MACHINES, SMALL, hum, smaller

from asd_jax import models
from asd_jax.datasets.clips import Machine
from asd_jax.detectors import exported
from asd_jax.detectors.export import FORMATS, Program, contents
from asd_jax.detectors.export.check import compare
from asd_jax.detectors.scorer_spec import ScorerSpec
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.representations.clip_summary import ClipSummary
from asd_jax.representations.overlapping_frames import OverlappingFrames
from asd_jax.representations.per_machine import PerMachine

pytest.importorskip("jax2onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def agree(detector, kind, tmp_path, *, machines=None, scorer=None):
    """Write the file, and hold it against the detector on new clips."""
    program = Program.of(detector, machines=machines or detector.machines, scorer=scorer)
    file = tmp_path / "detector"
    file.write_bytes(contents(program, kind, about={}))
    clips = hum(8, seed=2)
    known = [machine in program.machines for machine in MACHINES[:8]]
    found = compare(
        detector,
        exported.load(file),
        list(clips[known]),
        [machine for machine in MACHINES[:8] if machine in program.machines],
        [f"clip {index}" for index in range(sum(known))],
    )
    assert found.n_clips == sum(known)
    return file


HEARD_BY = dict(zip(sorted(models.REGISTRY), itertools.cycle(["mse", "max", "gwrp", "mahalanobis", "pca+gmm"])))


VECTOR_SCORERS = ("mahalanobis", "selective_mahalanobis", "kmeans", "gmm", "ocsvm", "knn", "knn_rescaled")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(pytest.param(name, "onnx", marks=pytest.mark.slow) for name in sorted(models.REGISTRY)),
        ("lstm_predictor", "stablehlo"),
    ],
)
def test_every_network_under_some_scorer(made, untrained, tmp_path, name, kind):
    agree(made(untrained(smaller(models.REGISTRY[name])), HEARD_BY[name]), kind, tmp_path)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_network_whose_state_is_carried(made, untrained, tmp_path, kind):
    agree(made(untrained(models.LSTMPredictorConfig(hidden_size=8, carry_state=True)), "mse"), kind, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "onnx") for name in VECTOR_SCORERS), ("gmm", "stablehlo"), ("knn", "stablehlo")]
)
def test_scorers_of_all_statistics(made, tmp_path, name, kind):
    agree(made(ClipSummary(("mean", "std", "max", "twfr")), f"pca+{name}"), kind, tmp_path)


@pytest.mark.parametrize("pool", ["mean", "max", "gwrp"])
def test_scorers_of_windows(made, tmp_path, pool):
    agree(made(OverlappingFrames(20, 9), ScorerSpec("ocsvm", pool=pool)), "onnx", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FrontEnd.known(), "vggish", "torchaudio"])
def test_every_feature(made, tmp_path, name):
    if name in FrontEnd.known():
        front_end = FrontEnd(features=(name,), n_mels=16, n_mfcc=8)
    else:
        front_end = FrontEnd.from_names("log_mel", preset=name, n_mels=16)
    agree(made(ClipSummary(), "pca+mahalanobis", front_end=front_end), "onnx", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_a_network_for_each_machine_and_a_file_of_one(made, untrained, tmp_path, kind):
    parts = {Machine("fan", f"id_0{k}"): untrained(models.LSTMPredictorConfig(hidden_size=8), seed=k) for k in (0, 1)}
    detector = made(PerMachine(parts), "mse", "mahalanobis")
    agree(detector, kind, tmp_path)
    alone = exported.load(agree(detector, kind, tmp_path, machines=[MACHINES[1]], scorer="mahalanobis"))
    assert alone.machine_ids == ("id_01",)
    assert alone.score(hum(1, seed=3)[0], sample_rate=16_000).shape == ()


def test_inputs_have_defaults_and_the_batch_is_free(made, tmp_path):
    detector = made(ClipSummary(), "gmm")
    file = agree(detector, "onnx", tmp_path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options)
    assert [of.name for of in session.get_inputs()] == ["waveform"]
    assert [of.name for of in session.get_overridable_initializers()] == ["threshold", "machine"]
    clips = hum(7, seed=4)
    clips[2, 100] = np.nan
    scores, share, is_anomaly = session.run(None, {"waveform": clips})
    expected = detector.judge(clips[[0]], sample_rate=16_000, machine_id="id_00")
    np.testing.assert_allclose(scores[:1], expected.scores, rtol=1e-4)
    np.testing.assert_allclose(share[:1], expected.share_of_normal_above, atol=1e-6)
    limit = detector.fitted["gmm"][MACHINES[0]].threshold.value
    heard = np.isfinite(scores)
    np.testing.assert_array_equal(heard, np.arange(7) != 2)
    np.testing.assert_array_equal(np.isfinite(share), heard)
    np.testing.assert_array_equal(is_anomaly, heard & (scores > limit))
    for given in (np.full(2, -1e9, np.float32), np.full(2, np.inf, np.float32)):
        found = session.run(["is_anomaly"], {"waveform": clips, "threshold": given})[0]
        np.testing.assert_array_equal(found, heard & (given[0] < 0))
    one_by_one = [session.run(["score"], {"waveform": clip[None]})[0][0] for clip in clips]
    np.testing.assert_allclose(scores, one_by_one, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_what_has_no_exported_form_names_what_has(made):
    detector = made(ClipSummary(), "lof", "pca+iforest", "gmm")
    for name in ("lof", "pca+iforest"):
        with pytest.raises(InputError, match=rf"scorer {re.escape(name)} cannot be exported.*mse.*gmm.*`scorer`"):
            Program.of(detector, machines=detector.machines, scorer=name)
    assert Program.of(detector, machines=detector.machines, scorer="gmm").n_samples == 16_000
    with pytest.raises(InputError, match="scorer 'knn' is not in this detector, which has lof"):
        Program.of(detector, machines=detector.machines, scorer="knn")


def test_a_program_that_disagrees_says_where(made, tmp_path):
    detector, other = made(ClipSummary(), "gmm"), made(ClipSummary(("max",)), "gmm")
    file = agree(detector, "stablehlo", tmp_path)
    with pytest.raises(InputError, match=r"not agree .* on 2 of 2 clips, most on clip [ab]: it scores .*nothing was"):
        compare(other, exported.load(file), list(hum(2, seed=5)), MACHINES[:2], ["clip a", "clip b"])


def test_the_same_detector_gives_the_same_bytes(made):
    program = Program.of(made(ClipSummary(), "gmm", front_end=SMALL), machines=MACHINES[:2])
    assert contents(program, "onnx", about={"a": 1}) == contents(program, "onnx", about={"a": 1})
