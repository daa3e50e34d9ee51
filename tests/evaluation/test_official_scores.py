"""Scores of the releases by hand; the rules are those of the task descriptions and the published evaluators."""

import numpy as np
import pytest

from asd_jax.evaluation import metrics, official_scores
from asd_jax.evaluation.metrics import Labels

SOURCE, TARGET = "source", "target"
WORST_PAUC = 0.5 * (1 - 0.005 / 0.095)  # nothing found up to a false-alarm rate of 0.1


def official(dataset, clips):
    """Of clips `(section, domain, is_anomaly, score)`."""
    sections, domains, is_anomaly, scores = zip(*clips, strict=True)
    labels = Labels(
        np.asarray(is_anomaly, bool), np.ones(len(clips), bool), list(sections), list(domains), dataset=dataset
    )
    return metrics.measure_all(np.asarray(scores, float), labels, labels.resamples(n_resamples=20)).summary.official


CLIPS = [
    ("section_00", SOURCE, 0, 1),
    ("section_00", SOURCE, 0, 3),
    ("section_00", TARGET, 0, 2),
    ("section_00", TARGET, 0, 6),
    ("section_00", SOURCE, 1, 4),
    ("section_00", TARGET, 1, 5),
]


@pytest.mark.parametrize("year", [2022, 2023, 2024, 2025, 2026])
def test_2022_and_later_by_hand(year):
    found = official(f"dcase{year}", CLIPS)
    # AUC (source): 1, 3 against 4, 5: 1. AUC (target): 2, 6 against 4, 5: 1/2. pAUC: a normal clip is highest of all.
    assert found.parts == {
        "section_00 source auc": 1.0,
        "section_00 target auc": 0.5,
        "section_00 pauc": pytest.approx(WORST_PAUC),
    }
    assert found.score == pytest.approx(3 / (1 + 2 + 1 / WORST_PAUC))
    low, high = found.interval_95["score"]
    assert 0 <= low <= high <= 1


def test_2021_by_hand():
    found = official("dcase2021", CLIPS)
    # Within the source domain 1, 3 against 4; within the target domain 2, 6 against 5.
    assert found.parts == {
        "section_00 source auc": 1.0,
        "section_00 source pauc": 1.0,
        "section_00 target auc": 0.5,
        "section_00 target pauc": pytest.approx(WORST_PAUC),
    }
    assert found.score == pytest.approx(4 / (1 + 1 + 2 + 1 / WORST_PAUC))


def test_several_sections_by_hand():
    perfect = [("section_01", domain, label, 9 * label) for domain in (SOURCE, TARGET) for label in (0, 1)]
    found = official("dcase2022", CLIPS + perfect)
    assert found.score == pytest.approx(6 / (1 + 2 + 1 / WORST_PAUC + 3))


def test_2020_by_hand():
    clips = [("id_01", "", 0, 1), ("id_01", "", 1, 2), ("id_02", "", 0, 3), ("id_02", "", 0, 1), ("id_02", "", 1, 2)]
    found = official("dcase2020", clips)
    assert found.auc == pytest.approx((1 + 0.5) / 2) and found.pauc == pytest.approx((1 + WORST_PAUC) / 2)
    assert found.score is None and set(found.interval_95) == {"auc", "pauc"}


def test_over_machine_types():
    machines = [{"id_01 auc": 1.0, "id_01 pauc": 0.8}, {"id_00 auc": 0.6, "id_02 auc": 0.8, "id_00 pauc": 0.5}]
    assert official_scores.compute("dcase2020", machines) == {
        "auc": pytest.approx((1 + 0.7) / 2),
        "pauc": pytest.approx((0.8 + 0.5) / 2),
    }
    parts = [{"section_00 source auc": 1.0}, {"section_00 source auc": 0.5, "section_00 pauc": 0.25}]
    assert official_scores.compute("dcase2024", parts)["score"] == pytest.approx(3 / (1 + 2 + 4))


def test_a_missing_class_or_domain_leaves_it_undefined():
    assert official("dcase2023", CLIPS[:4]).score is None
    assert official("dcase2023", [clip for clip in CLIPS if clip[1] == SOURCE]).score is None
    assert official("dcase2020", [("id_01", "", 0, 1)]).undefined


def test_other_recordings_have_no_official_score():
    assert official("folder", CLIPS) is None
    assert official_scores.year("synthetic_slide_rail") is None and official_scores.year("dcase2026_eval") == 2026


def test_a_harmonic_mean_with_zero_is_zero():
    assert official_scores.harmonic_mean([0.0, 1.0]) == 0.0
    np.testing.assert_allclose(official_scores.harmonic_mean([np.array([1.0, 0.5]), np.array([1.0, 1.0])]), [1, 2 / 3])
