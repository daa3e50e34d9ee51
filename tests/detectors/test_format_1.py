"""Bundles that were written before scorers were kept by machine type and id: they still give the scores they gave."""

import json
from pathlib import Path

import numpy as np
import pytest

from asd_jax import load_detector
from asd_jax.detectors.bundle import Detectors
from asd_jax.detectors.thresholds import Method, Source

FOLDER = Path(__file__).parent / "format_1"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


@pytest.fixture(scope="module")
def probe():
    hum = 0.1 * np.sin(2 * np.pi * 180 * np.arange(20_000) / 16_000)
    return (hum + 0.03 * np.random.default_rng(7).standard_normal(20_000)).astype(np.float32)


@pytest.mark.parametrize("run", EXPECTED)
def test_scores_are_those_of_before(run, probe):
    detectors = Detectors.load(FOLDER / run)
    found = {"detector": detectors.system, **detectors.controls}
    found |= {f"seed_{seed}": of for seed, of in detectors.further_seeds.items()}
    assert set(found) == set(EXPECTED[run])
    for role, by_scorer in EXPECTED[run].items():
        assert set(found[role].fitted) == set(by_scorer)
        for scorer, by_id in by_scorer.items():
            assert found[role].machines == tuple(("fan", machine_id) for machine_id in by_id)
            for machine_id, (score, threshold, share) in by_id.items():
                verdict = found[role].judge(probe, sample_rate=16_000, machine_id=machine_id, scorer=scorer)
                assert verdict.scores == pytest.approx(score, rel=1e-5)
                assert verdict.thresholds == pytest.approx(np.inf if threshold is None else threshold, rel=1e-5)
                assert verdict.share_of_normal_above == share


def test_saved_again_it_is_todays_format(probe, tmp_path):
    old = Detectors.load(FOLDER / "per_machine_id")
    old.save(tmp_path)
    options = {"sample_rate": 16_000, "machine_id": "id_02"}
    assert load_detector(tmp_path).score(probe, **options) == old.system.score(probe, **options)


def test_words_of_thresholds_are_read():
    of_machine = load_detector(FOLDER / "network").fitted["mse"]["fan", "id_00"]
    never = next(of for of in of_machine.other_thresholds if of.name == "conformal")
    assert (never.method, never.n_needed, never.value) == (Method.CONFORMAL, 9, np.inf)
    assert (never.source, never.of_recordings, never.fitted_on) == (Source.VALIDATION, False, "validation clips")
    of_frames = load_detector(FOLDER / "classical").fitted["ocsvm"]["fan", "id_02"]
    assert of_frames.threshold.source is Source.OUT_OF_FOLD
    assert of_frames.window_threshold.fitted_on == "out-of-fold training clips"
