"""What a detector's scores come down to in `metrics.json`: domains, thresholds, clips without labels."""

import dataclasses
import json
import re

import numpy as np
import pytest

from asd_jax.datasets.clips import Clip, Machine
from asd_jax.detectors.bundle import LOG_MEL_MEAN, Detectors
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import FittedScorer, ScorerSpec, fit_scorers
from asd_jax.detectors.recordings import limit
from asd_jax.detectors.thresholds import Method, Source, Threshold
from asd_jax.evaluation.evaluate import evaluate
from asd_jax.evaluation.results import Results
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import to_json
from asd_jax.report.tables import result_tables
from asd_jax.representations.frame_mean import FrameMean

SECTIONS = ["section_00", "section_01"]


def frames_of(vectors):
    return StoredClips.from_clips([np.tile(vector, (3, 1)).astype(np.float32) for vector in vectors])


@pytest.fixture(scope="module")
def detectors():
    rng = np.random.default_rng(0)
    train = FrameMean()(frames_of(rng.standard_normal((60, 3))))
    specs = [ScorerSpec("mahalanobis"), ScorerSpec("knn")]
    machines = [Machine("fan", section) for section in SECTIONS]
    fitted = fit_scorers(train, machines * 30, specs=specs, threshold="conformal_0.8")
    control = Detector(FrontEnd(), FrameMean(), {"mahalanobis": fitted["mahalanobis"]}, "mahalanobis")
    return Detectors(Detector(FrontEnd(), FrameMean(), fitted, "mahalanobis"), {LOG_MEL_MEAN: control})


def printed(evaluation):
    return "\n\n".join(table.text() for table in result_tables(evaluation.results))


def clips_and_frames(labelled=True):
    """Two sections, two domains, normal and anomalous clips: three of each, or without labels."""
    clips, vectors, rng = [], [], np.random.default_rng(1)
    for section in SECTIONS:
        for domain in ("source", "target"):
            for label in (False, True):
                for index in range(3):
                    name = f"fan/test/{section}_{domain}_{label}_{index}.wav"
                    clips.append(Clip(name, section, "test", label if labelled else None, domain, machine_type="fan"))
                    vectors.append(rng.standard_normal(3) + 2 * label)
    return clips, {FrontEnd(): frames_of(vectors)}


def test_report(detectors):
    clips, frames = clips_and_frames()
    found = evaluate(detectors, clips, frames, machine="fan", dataset="dcase2023")
    report = json.loads(json.dumps(to_json(found.results), allow_nan=False))
    assert report["decision_threshold"] == "conformal_0.8"
    by_rule = report["thresholds"]["mahalanobis"]
    assert list(by_rule) == [
        "conformal_0.8",
        "gamma_0.9",
        "percentile_90",
        "conformal",
        "oracle_max_f1",
        "oracle_tpr_0.8",
    ]
    for rule, by_id in by_rule.items():
        assert list(by_id) == SECTIONS
        for at in by_id.values():
            assert at["selection"] == ("oracle" if rule.startswith("oracle") else "label-free")
            parts = np.sum([at["domains"][name]["confusion"] for name in ("source", "target")], axis=0)
            np.testing.assert_array_equal(parts, at["confusion"])
    limits = [by_rule["conformal_0.8"][clip.machine_id]["value"] for clip in clips]
    np.testing.assert_array_equal(found.decisions, found.scores["mahalanobis"] > limits)
    summary = report["scorers"]["mahalanobis"]
    assert set(summary["domains"]) == {"source", "target"} and len(summary["official"]["parts"]) == 6
    assert (summary["role"], report["scorers"]["knn"]["role"]) == ("headline", "exploratory")
    assert report["differences"]["mahalanobis"]["log_mel_mean mahalanobis"]["interval_95"] == [0, 0]


def test_oracle_thresholds_are_printed_as_such(detectors):
    clips, frames = clips_and_frames()
    text = printed(evaluate(detectors, clips, frames, machine="fan", dataset="dcase2023"))
    assert re.search(r"\* conformal_0\.8 +section_00", text) and re.search(
        r"  oracle_max_f1 +mean of 2 +\S+ +labels", text
    )
    assert "oracle rules are set by these labels" in text
    assert re.search(r"source +target +official score", text) and "official score of dcase2023: harmonic mean" in text


def test_clips_without_labels_are_scored_and_decided(detectors):
    clips, frames = clips_and_frames(labelled=False)
    found = evaluate(detectors, clips, frames, machine="fan", dataset="dcase2023")
    labelled = evaluate(detectors, *clips_and_frames(), machine="fan", dataset="dcase2023")
    np.testing.assert_array_equal(found.decisions, labelled.decisions)
    report = json.loads(json.dumps(to_json(found.results), allow_nan=False))
    assert report["scorers"]["mahalanobis"]["machine_ids"]["section_00"]["undefined"] == "no labelled test clips"
    assert not [rule for rule in report["thresholds"]["mahalanobis"] if rule.startswith("oracle")]
    assert report["scorers"]["mahalanobis"]["official"]["score"] is None
    printed(found)


class Broken:
    """A scorer that gives NaN."""

    name, reads = "broken", "vector"

    def score(self, vectors):
        return np.full(len(vectors), np.nan)


def test_scores_that_are_not_finite_are_undefined_everywhere(detectors):
    limit = Threshold("gamma_0.9", 1.0, Method.GAMMA, 5, Source.VALIDATION)
    broken = {Machine("fan", section): FittedScorer(Broken(), np.ones(5), limit) for section in SECTIONS}
    ours = Detector(FrontEnd(), FrameMean(), {"broken": broken}, "broken")
    clips, frames = clips_and_frames()
    found = evaluate(dataclasses.replace(detectors, system=ours), clips, frames)
    assert found.decisions.tolist() == [None] * len(clips)
    report = json.loads(json.dumps(to_json(found.results), allow_nan=False))
    assert "not finite" in report["scorers"]["broken"]["mean"]["undefined"]
    assert report["thresholds"]["broken"]["gamma_0.9"]["section_00"]["f1"] is None
    assert report["differences"]["broken"]["log_mel_mean mahalanobis"]["auc_difference"] is None
    assert "undefined" in printed(found)


def test_thresholds_are_kept_with_the_scorer(detectors):
    fitted = detectors.system.fitted["knn"]["fan", "section_01"]
    again = FittedScorer.from_state(*fitted.to_state())
    assert (again.threshold, again.other_thresholds) == (fitted.threshold, fitted.other_thresholds)
    assert [threshold.name for threshold in fitted.other_thresholds] == ["gamma_0.9", "percentile_90", "conformal"]
    assert again.at("percentile_90") == fitted.other_thresholds[1]
    assert again.at("percentile_50").value == np.median(fitted.normal_scores)
    other = again.deciding_by("conformal")
    assert other.threshold.name == "conformal" and fitted.threshold in other.other_thresholds
    assert len(other.other_thresholds) == 3


def test_recordings_are_decided_by_their_worst_three_clips_and_their_length(detectors):
    knows = Detectors(dataclasses.replace(detectors.system, clip_seconds=1.0))
    clips, rng = [], np.random.default_rng(2)
    lengths = [1, 2, 5, 40] * 3
    for number, length in enumerate(lengths):
        for place in range(length):
            where = {"recording": f"{number}.wav", "start_seconds": float(place), "clip_seconds": 1.0}
            name, label = f"{number}.wav@{place}", number % 2 == 0
            clips.append(Clip(name, SECTIONS[0], "test", label, machine_type="fan", **where))
    frames = {FrontEnd(): frames_of(rng.standard_normal((len(clips), 3)))}
    seconds = [0.4 if clip.recording == "4.wav" else 1.0 for clip in clips]
    found = evaluate(knows, clips, frames, seconds=seconds)
    of_clips = knows.system.score_frames(frames[FrontEnd()], [clip.machine for clip in clips])["mahalanobis"]
    fitted = knows.system.fitted["mahalanobis"]["fan", SECTIONS[0]]
    decisions = []
    for number, length in enumerate(lengths):
        own = of_clips[[clip.recording == f"{number}.wav" for clip in clips]]
        medians = [np.median(own[i : i + 3]) for i in range(length - 2)] or [own.max()]
        assert found.scores["mahalanobis"][number] == max(medians)
        decisions.append(max(medians) > limit(fitted.threshold, fitted.normal_scores, length))
    decisions[4] = None  # far shorter than the clips of training: there is no decision, and no rate counts it
    assert found.decisions.tolist() == decisions
    at = found.results.thresholds["mahalanobis"]["conformal_0.8"][SECTIONS[0]]
    (tn, fp), (fn, tp) = at.confusion
    assert tn + fp + fn + tp == len(lengths) - 1
    assert tp + fp == sum(filter(None, decisions))


def test_where_a_detector_does_not_know_its_length_the_worst_clip_counts(detectors):
    whole, frames = clips_and_frames()
    vectors = [frames[FrontEnd()].clip(index)[0] for index in range(len(whole))]
    parts, of_parts = [], []
    for index, clip in enumerate(whole):  # three clips each, of which one is the clip above and the others are calmer
        for place in range(3):
            start = float(place)
            where = {"recording": clip.file_name, "start_seconds": start, "clip_seconds": 1.0}
            parts.append(dataclasses.replace(clip, file_name=f"{clip.file_name}@{start:.3f}s", **where))
            of_parts.append(vectors[index] * (1.0 if place == index % 3 else 0.0))
    calm = evaluate(detectors, whole, {FrontEnd(): frames_of([0.0 * v for v in vectors])}).scores
    plain = evaluate(detectors, whole, frames)
    cut = evaluate(detectors, parts, {FrontEnd(): frames_of(of_parts)})
    assert [clip.file_name for clip in cut.clips] == [clip.file_name for clip in whole]
    for scorer, scores in cut.scores.items():
        np.testing.assert_allclose(scores, np.maximum(plain.scores[scorer], calm[scorer]), rtol=1e-5)
    louder = plain.scores["mahalanobis"] > calm["mahalanobis"]
    assert louder.sum() > 12
    expected = np.arange(len(whole)) * 3 + np.arange(len(whole)) % 3
    np.testing.assert_array_equal(cut.worst[louder], expected[louder])
    np.testing.assert_array_equal(
        np.asarray([clip.start_seconds for clip in cut.clips])[louder], (np.arange(len(whole)) % 3)[louder]
    )
    assert plain.worst is None
    assert cut.results.scorers["mahalanobis"].machine_ids["section_00"].n_anomaly == 6


def test_a_detector_of_several_machine_types_is_tested_on_one(detectors):
    """Both machine types have the same sections; the other's scorers would give other scores."""
    other = np.random.default_rng(5).standard_normal((60, 3)) * 9
    machines = [Machine("pump", section) for section in SECTIONS]
    specs = [ScorerSpec("mahalanobis"), ScorerSpec("knn")]
    pump = fit_scorers(FrameMean()(frames_of(other)), machines * 30, specs=specs)
    fitted = {name: pump[name] | by_machine for name, by_machine in detectors.system.fitted.items()}
    both = Detectors(Detector(FrontEnd(), FrameMean(), fitted, "mahalanobis"), detectors.controls)
    clips, frames = clips_and_frames()
    alone, found = (evaluate(of, clips, frames, machine="fan", dataset="dcase2023") for of in (detectors, both))
    np.testing.assert_array_equal(found.scores["knn"], alone.scores["knn"])
    np.testing.assert_array_equal(found.decisions, alone.decisions)
    assert found.results.thresholds == alone.results.thresholds
    assert found.results.scorer_settings == alone.results.scorer_settings


def test_results_come_back_from_their_file(detectors, tmp_path):
    clips, frames = clips_and_frames()
    found = evaluate(detectors, clips, frames, machine="fan", dataset="dcase2023").results
    found.write(tmp_path)
    assert Results.read(tmp_path) == found
    grown = json.loads((tmp_path / "metrics.json").read_text())
    grown["scorers"]["mahalanobis"]["mean"]["of_next_year"] = grown["of_next_year"] = 1
    (tmp_path / "metrics.json").write_text(json.dumps(grown))
    assert Results.read(tmp_path) == found
