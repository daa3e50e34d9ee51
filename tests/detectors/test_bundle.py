"""A bundle that is not as it was saved is noticed, whatever was damaged."""

import dataclasses
import json

import numpy as np
import pytest

from asd_jax import load_detector
from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting
from asd_jax.detectors import Detector, Detectors, bundle, fit_scorers
from asd_jax.detectors.fitted_scorers import ScorerSpec
from asd_jax.detectors.input_health import InputHealth
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.frame_mean import FrameMean

N_FLIPS = 200


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rng = np.random.default_rng(0)
    values = FrameMean()(StoredClips.from_clips(list(rng.standard_normal((20, 4, 128)).astype(np.float32))))
    fitted = fit_scorers(values, [Machine("fan", "id_00")] * 20, specs=[ScorerSpec("kmeans"), ScorerSpec("knn")])
    detector = Detector(FrontEnd(), FrameMean(), fitted, "kmeans", cutting=Cutting(1.0, 0.5), clip_seconds=1.0)
    folder = tmp_path_factory.mktemp("run")
    Detectors(detector).save(folder)
    return folder


def test_single_bits_that_flip_are_noticed_or_harmless(run, capfd):
    probe = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
    expected = load_detector(run).score(probe, sample_rate=16_000)
    files = sorted(
        path for path in (run / "checkpoints" / "bundle").rglob("*") if path.stat().st_size and path.is_file()
    )
    rng, noticed = np.random.default_rng(2), 0
    for _ in range(N_FLIPS):
        path = files[rng.integers(len(files))]
        content = path.read_bytes()
        bit = int(rng.integers(8 * len(content)))
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            np.testing.assert_array_equal(load_detector(run).score(probe, sample_rate=16_000), expected)
        except InputError as error:
            assert "\n" not in str(error) and str(run) in str(error)
            noticed += 1
        finally:
            path.write_bytes(content)
    assert noticed == N_FLIPS  # none is harmless as long as the bytes themselves are compared
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("damage", ["missing", "cut", "added", "digests"])
def test_files_that_are_missing_or_cut(run, damage):
    saved = run / "checkpoints" / "bundle"
    path = saved / "sha256.json" if damage == "digests" else next((saved / "metadata").iterdir())
    path = path.with_name("more") if damage == "added" else path
    content = path.read_bytes() if path.exists() else None
    try:
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes((content or b"something")[:7])
        with pytest.raises(InputError, match="copy the run again"):
            load_detector(run)
    finally:
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)


def test_a_detector_keeps_how_long_its_clips_are(run, tmp_path):
    loaded = load_detector(run)
    assert loaded.clip_seconds == 1.0 and loaded.cutting == Cutting(1.0, 0.5)
    Detectors(dataclasses.replace(loaded, clip_seconds=None)).save(tmp_path)
    assert load_detector(tmp_path).clip_seconds is None


def test_bundles_of_before_there_were_digests_and_lengths(run):
    folder = run / "checkpoints" / "bundle"
    digests, path = folder / "sha256.json", folder / "metadata" / "metadata"
    saved, written = digests.read_bytes(), path.read_bytes()
    metadata = json.loads(written)
    del metadata["detectors"]["system"]["clip_seconds"]
    try:
        digests.unlink()
        path.write_text(json.dumps(metadata))
        assert load_detector(run).clip_seconds is None
    finally:
        digests.write_bytes(saved)
        path.write_bytes(written)


def test_each_machines_input_health_comes_back_and_one_range_of_before_holds_for_all(run, tmp_path):
    detector = load_detector(run)
    assert detector.health == {}
    first, second = Machine("fan", "id_00"), Machine("fan", "id_02")
    health = InputHealth((-30.0, -10.0), 0.001, 0.01, 6_000.0, (5.0, 20.0))
    both = {name: {first: by[first], second: by[first]} for name, by in detector.fitted.items()}
    other = dataclasses.replace(health, level_db=(-60.0, -40.0))
    saved = dataclasses.replace(detector, fitted=both, health={first: health, second: other})
    Detectors(saved).save(tmp_path)
    assert load_detector(tmp_path).health == saved.health
    settings, arrays = bundle._to_state(saved)
    del settings["health_of"]
    settings["health"] = dataclasses.asdict(health)
    assert bundle._from_state(settings, arrays).health == {first: health, second: health}
