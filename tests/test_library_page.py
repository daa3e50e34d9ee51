"""The blocks of docs/library.md, run one after another as its reader would; what `ClipDetector` and own data refuse."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import asd_jax
from asd_jax import ClipDetector, datasets, runs
from asd_jax.datasets import Clip
from asd_jax.errors import InputError

PAGE = (Path(__file__).parents[1] / "docs" / "library.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    namespace = {"__name__": "page"}
    for number, block in enumerate(blocks):
        line = PAGE[: PAGE.index(block)].count("\n")
        exec(compile("\n" * line + block, f"docs/library.md, block {number + 1}", "exec"), namespace)
    assert namespace["narrow"].shape == (28, 8) and (tmp_path / "runs" / "own_loop" / "checkpoints").is_dir()
    config = runs.folder.read_config(tmp_path / "runs" / "own_loop")
    assert config["settings"]["recipe"]["kind"] == "own_loop"
    with pytest.raises(InputError, match="heard waveforms that a program gave it; give recordings by `data_dir`"):
        runs.evaluate_run(tmp_path / "runs" / "press", say=print)


@pytest.fixture(scope="module")
def waveforms():
    return 0.1 * np.random.default_rng(0).standard_normal((12, 8_000)).astype(np.float32)


def test_clip_detectors_keep_scikit_learns_protocol(waveforms):
    detector = ClipDetector(scorer="gmm", scorer_settings={"n_components": 2}, random_state=3)
    assert clone(detector).get_params() == detector.get_params()
    with pytest.raises(NotFittedError):
        detector.score_samples(waveforms)
    assert detector.fit(waveforms, y=np.ones(12)) is detector
    scores = detector.score_samples(waveforms)
    np.testing.assert_allclose(scores, -detector.detector_.score(list(waveforms), sample_rate=16_000))
    np.testing.assert_allclose(detector.decision_function(waveforms), scores - detector.offset_)
    np.testing.assert_array_equal(detector.predict(waveforms), np.where(scores < detector.offset_, -1, 1))
    decided = detector.detector_.decide(list(waveforms), sample_rate=16_000)
    np.testing.assert_array_equal(detector.predict(waveforms) == -1, decided)
    again = clone(detector).fit(waveforms).score_samples(waveforms)
    np.testing.assert_array_equal(again, scores)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"scorer": "svm"}, "svm"),
        ({"threshold": "oracle"}, "threshold=oracle"),
        ({"sample_rate": 8_000, "front_end": asd_jax.features.FrontEnd()}, "the front end hears 16000 Hz"),
    ],
)
def test_settings_that_cannot_be(waveforms, settings, says):
    with warnings.catch_warnings(), pytest.raises(InputError, match=says):
        ClipDetector(**settings).fit(waveforms)


def test_own_clips_that_cannot_be(waveforms):
    clips = [Clip(f"{number}", "id_00", "train", False, machine_type="press") for number in range(2)]
    dataset = datasets.from_waveforms(clips, waveforms[:2])
    assert dataset.machine == "press" and dataset.read(clips[1]).tolist() == waveforms[1].tolist()
    for given, arrays, says in (
        (clips, waveforms[:1], "2 clips and 1 waveforms"),
        ([clips[0], clips[0]], waveforms[:2], "two clips are called 0"),
        (clips, waveforms[:2, None], r"of shape \(1, 8000\); give mono floats"),
        (clips, (waveforms[:2] * 100).astype(np.int16), "is int16"),
        (clips, np.full((2, 100), np.nan), "holds NaN"),
        ([clips[0], Clip("b", "id_00", "train", machine_type="fan")], waveforms[:2], "several machine types"),
    ):
        with pytest.raises(InputError, match=says):
            datasets.from_waveforms(given, arrays)
    with pytest.raises(InputError, match="at 8000 Hz, and the front end hears 16000"):
        at_8k = datasets.from_waveforms(clips, waveforms[:2], sample_rate=8_000)
        runs.run(runs.statistics("gmm", "gmm"), "runs/nowhere", dataset=at_8k)
    assert not Path("runs/nowhere").exists()
