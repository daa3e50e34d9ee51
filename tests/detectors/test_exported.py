"""Exported files as their users load them: verdicts as the detector gives them, without JAX; files that are none."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from humming import hum

from asd_jax import exported
from asd_jax.detectors import exported_file
from asd_jax.detectors.export import Program, contents
from asd_jax.errors import InputError
from asd_jax.representations.clip_summary import ClipSummary

ABOUT = {"channel": "mix"}


@pytest.fixture(scope="module")
def detector(made):
    return made(ClipSummary(), "knn")


@pytest.fixture(scope="module", params=["onnx", "stablehlo"])
def file(request, detector, tmp_path_factory):
    if request.param == "onnx":
        pytest.importorskip("jax2onnx")
        pytest.importorskip("onnxruntime")
    path = tmp_path_factory.mktemp("exported") / f"detector.{request.param}"
    path.write_bytes(contents(Program.of(detector, machines=detector.machines), request.param, about=ABOUT))
    return path


def test_recordings_of_any_length_are_judged_as_by_the_detector(detector, file):
    recordings = [hum(1, seed=1)[0], hum(2, seed=2, n_samples=16_000 * 5)[1], hum(1, seed=3, n_samples=52_000)[0]]
    options = {"sample_rate": 16_000, "machine_id": ["id_00", "id_01", "id_00"]}
    ours, theirs = exported.load(file).judge(recordings, **options), detector.judge(recordings, **options)
    np.testing.assert_allclose(ours.scores, theirs.scores, rtol=1e-4)
    np.testing.assert_allclose(ours.thresholds, theirs.thresholds)
    np.testing.assert_allclose(ours.share_of_normal_above, theirs.share_of_normal_above, rtol=1e-2, atol=1e-6)
    assert ours.is_anomalous.tolist() == theirs.is_anomalous.tolist()
    assert [len(of.scores) for of in ours.timelines] == [1, 5, 4]
    np.testing.assert_array_equal(ours.worst_start_seconds, theirs.worst_start_seconds)


def test_other_rates_are_resampled_and_short_clips_get_no_verdict(detector, file):
    loaded = exported.load(file)
    fast = hum(1, seed=4, n_samples=44_100)[0]
    options = {"machine_id": "id_00"}
    expected = detector.score(fast, sample_rate=44_100, **options)
    np.testing.assert_allclose(loaded.score(fast, sample_rate=44_100, **options), expected, rtol=1e-4)
    verdict = loaded.judge([fast[:15_900], fast[:15_999]], sample_rate=16_000, **options)
    assert verdict.is_anomalous.mask.tolist() == [True, False]
    assert verdict.reasons[0] == "0.9938 s is shorter than 1 s, the clips that this file scores"
    with pytest.raises(InputError, match="waveform 0 holds NaN"):
        loaded.score([np.full(16_000, np.nan, np.float32)], sample_rate=16_000, **options)
    with pytest.raises(InputError, match="sample_rate=0"):
        loaded.score(fast, sample_rate=0, **options)


def test_a_recording_a_little_longer_is_cut(file):
    verdict = exported.load(file).judge(hum(1, seed=5, n_samples=20_000), sample_rate=16_000, machine_id="id_00")
    np.testing.assert_allclose(verdict.timelines[0].start_seconds, [0, 0.25])


def test_thresholds_can_be_chosen(detector, file):
    loaded, clip = exported.load(file), hum(1, seed=6)[0]
    options = {"sample_rate": 16_000, "machine_id": "id_00"}
    for rule in ("percentile_90", "conformal", "gamma_0.99"):
        ours, theirs = (of.deciding_by(rule).judge(clip, **options) for of in (loaded, detector))
        np.testing.assert_allclose(ours.thresholds, theirs.thresholds)
    score = float(loaded.score(clip, **options))
    assert [bool(loaded.deciding_above(score + off).decide(clip, **options)) for off in (-0.1, 0.1)] == [True, False]


def test_machines_are_told_apart_and_metadata_say_what_is_known(detector, file):
    loaded = exported.load(file)
    assert (loaded.machine_ids, loaded.sample_rate, loaded.n_samples) == (("id_00", "id_01"), 16_000, 16_000)
    first = loaded.metadata["machines"][0]
    fitted = detector.fitted["knn"]["fan", "id_00"]
    assert first["thresholds"]["gamma_0.9"] == fitted.threshold.value
    assert first["quantiles_of_normal"]["0.9"] == np.quantile(fitted.normal_scores, 0.9)
    with pytest.raises(InputError, match="no machine id was given; this detector knows id_00, id_01"):
        loaded.score(hum(1, seed=0)[0], sample_rate=16_000)
    with pytest.raises(InputError, match="scorer 'mse' is not in this detector, which has knn"):
        loaded.score(hum(1, seed=0)[0], sample_rate=16_000, machine_id="id_00", scorer="mse")


def changed(file, tmp_path, **fields):
    """A copy of the file whose metadata have other fields."""
    path = tmp_path / file.name
    if file.suffix == ".onnx":
        onnx = pytest.importorskip("onnx")
        model = onnx.load(file)
        metadata = json.loads(model.metadata_props[0].value) | fields
        onnx.helper.set_model_props(model, {exported_file.PROPERTY: json.dumps(metadata)})
        onnx.save(model, path)
        return path
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(path, "w") as copy:
        metadata = json.loads(archive.read(exported_file.METADATA)) | fields
        copy.writestr(exported_file.METADATA, json.dumps(metadata))
        copy.writestr(exported_file.PROGRAM, archive.read(exported_file.PROGRAM))
    return path


def test_files_that_cannot_be_loaded_say_why(file, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        exported.load(tmp_path / "nothing.onnx")
    with pytest.raises(InputError, match=r"of format 9, written by asd_jax .* reads format 1: export the run again"):
        exported.load(changed(file, tmp_path, format=9))
    with pytest.raises(InputError, match="damaged: its metadata lack 'machine_type'"):
        exported.load(changed(file, tmp_path, machines=[{}]))
    content = file.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        short = tmp_path / "short"
        short.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=r"damaged, cut short, or no|no detector that"):
            exported.load(short)


WITHOUT_JAX = """
import sys
for name in ("jax", "jaxlib", "jaxtyping", "flax", "scipy", "sklearn", "soundfile", "librosa", "absl", "orbax"):
    sys.modules[name] = None  # importing it fails
import numpy as np
from asd_jax import exported
detector = exported.load(sys.argv[1], threads=1)
hum = np.load(sys.argv[2])
verdict = detector.judge([hum, hum[:100]], sample_rate=16_000, machine_id="id_00")
print(verdict.scores[0], verdict.is_anomalous[0], verdict.reasons[1])
loaded = [name for name in sys.modules if name.startswith("jax") and sys.modules[name] is not None]
assert loaded == [], loaded
"""


def test_an_onnx_file_needs_no_jax(detector, file, tmp_path):
    if file.suffix != ".onnx":
        pytest.skip("a StableHLO file needs JAX")
    recording = hum(1, seed=7, n_samples=64_000)[0]
    np.save(tmp_path / "hum.npy", recording)
    command = [sys.executable, "-c", WITHOUT_JAX, str(file), str(tmp_path / "hum.npy")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    verdict = detector.judge(recording, sample_rate=16_000, machine_id="id_00")
    score, decision, reason = done.stdout.split(maxsplit=2)
    assert float(score) == pytest.approx(float(verdict.scores), rel=1e-4)
    assert decision == str(bool(verdict.is_anomalous))
    assert reason.startswith("0.00625 s is shorter")
