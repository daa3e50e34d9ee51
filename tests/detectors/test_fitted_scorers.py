"""Scorers of windows pooled to clips, thresholds on unseen clips, and what is refused."""

import functools

import numpy as np
import pytest

from asd_jax import scorers
from asd_jax.datasets.clips import Machine
from asd_jax.detectors.fitted_scorers import FittedScorer, ScorerSpec, fit_scorers
from asd_jax.errors import InputError
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.representations.representation import ClipRepresentation
from asd_jax.representations.window_vectors import WindowVectors


@pytest.fixture(scope="module")
def clips() -> StoredClips:
    rng = np.random.default_rng(0)
    return StoredClips.from_clips([rng.standard_normal((length, 2)) for length in [12, 9, 15, 12] * 6])


@pytest.fixture(scope="module")
def values(clips: StoredClips) -> ClipRepresentation:
    windows = WindowVectors(clips.values, clips.clip_start, clips.clip_length, window_frames=4, window_hop=2)
    return ClipRepresentation(FrameMean()(clips).vector, window_vector=windows)


FIRST, SECOND = Machine("fan", "id_00"), Machine("fan", "id_02")
MACHINES = [FIRST] * 16 + [SECOND] * 8


def test_windows_are_consecutive_frames_of_one_clip(clips, values):
    windows = values.window_vector
    np.testing.assert_array_equal(windows.n_windows[:4], [5, 3, 6, 5])
    second_of_third_clip = clips.clip(2)[2:6].reshape(-1)
    np.testing.assert_array_equal(windows.take(np.array([9]))[0], second_of_third_clip)
    np.testing.assert_array_equal(windows.of(np.array([2])).take(np.array([1]))[0], second_of_third_clip)
    assert len(windows.sample(7, seed=0)) == 7
    assert windows.sample(None, seed=0).shape == (int(windows.n_windows.sum()), 8)


@pytest.mark.parametrize(("rule", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_window_scores_are_pooled_by_the_rule(values, clips, rule, reduce):
    fitted = fit_scorers(values, MACHINES, specs=[ScorerSpec("kmeans", pool=rule)])["kmeans"][FIRST]
    windows = np.concatenate([values.window_vector.of(np.array([i])).sample(None, seed=0) for i in range(16)])
    plain = scorers.fit("kmeans", windows)
    of_clip_2 = np.stack([clips.clip(2)[i : i + 4].reshape(-1) for i in range(0, 12, 2)])
    expected = reduce(plain.score(of_clip_2))
    np.testing.assert_allclose(fitted.score(values.of(np.array([2]))), [expected])
    assert fitted.window_threshold.n_normal == values.window_vector.n_windows[:16].sum()
    assert fitted.deciding_by("gamma_0.9") == fitted
    assert fitted.deciding_by("percentile_95").window_threshold is None  # of a rule that did not decide


def test_thresholds_rest_on_clips_that_the_scorer_did_not_see(values):
    fitted = fit_scorers(values, MACHINES, specs=[ScorerSpec("knn", settings={"n_neighbors": 1})])["knn"][FIRST]
    assert fitted.threshold.fitted_on == "out-of-fold training clips"
    assert fitted.normal_scores.min() > 0  # a clip's nearest neighbour among clips that hold it is itself, at 0


def test_state_brings_a_pooled_scorer_back(values):
    fitted = fit_scorers(values, MACHINES, specs=[ScorerSpec("pca+kmeans", pool="gwrp")])["pca+kmeans"][SECOND]
    again = FittedScorer.from_state(*fitted.to_state())
    np.testing.assert_array_equal(again.score(values), fitted.score(values))
    assert (again.threshold, again.window_threshold) == (fitted.threshold, fitted.window_threshold)


def test_one_class_svm_says_how_many_windows_it_was_fitted_on(monkeypatch):
    assert scorers.get("ocsvm").max_windows == 10_000
    monkeypatch.setattr(scorers.get("ocsvm"), "max_windows", 100)
    frames = np.random.default_rng(0).standard_normal((150, 1)).astype(np.float32)
    windows = WindowVectors(frames, np.arange(0, 150, 15), np.full(10, 15))
    values = ClipRepresentation(np.zeros((10, 1)), window_vector=windows)
    spec = ScorerSpec("ocsvm", pool="mean", settings={"nu": 0.01})
    fitted = fit_scorers(values, [FIRST] * 10, specs=[spec])["ocsvm"][FIRST]
    assert fitted.note == "fitted on 100 of its 150 windows, drawn with seed 0"


def test_search_settings_are_kept(values):
    fitted = fit_scorers(values, [FIRST] * 24, specs=[ScorerSpec("knn", search=True, label="nearest")])
    settings = fitted["nearest"][FIRST].settings
    assert settings["n_neighbors"] == fitted["nearest"][FIRST].scorer.n_neighbors


def test_what_is_refused(values):
    with pytest.raises(InputError, match="scorer mse reads the window errors of clips, which"):
        fit_scorers(values, MACHINES, specs=[ScorerSpec("mse")])
    with pytest.raises(InputError, match="scores whole clips, not windows"):
        ScorerSpec("lof", pool="mean")
    with pytest.raises(InputError, match="no pooling rule 'median'"):
        ScorerSpec("kmeans", pool="median")
    with pytest.raises(InputError, match="lof needs at least 2 normal training clips of id_02, got 1"):
        fit_scorers(values.of(np.arange(17)), MACHINES[:17], specs=[ScorerSpec("lof")])


def test_clips_of_a_recording_are_scored_without_one_another(values):
    recordings = [f"{index // 4}.wav" for index in range(24)]
    spec = ScorerSpec("knn", settings={"n_neighbors": 1})
    fitted = fit_scorers(values, MACHINES, recordings=recordings, specs=[spec])["knn"][FIRST]
    assert fitted.threshold.fitted_on == "out-of-fold training clips" and fitted.threshold.n_normal == 16
    vectors = values.vector[:16]
    expected = []
    for number in range(4):  # four recordings in as many folds: each is scored by the other three
        mine = np.arange(16) // 4 == number
        scorer = scorers.fit("knn", vectors[~mine], n_neighbors=1)
        expected.extend(scorer.score(vectors[mine]))
    np.testing.assert_allclose(fitted.normal_scores, np.sort(expected))


def test_one_recording_alone_cannot_be_scored_unseen(values):
    fitted = fit_scorers(values, [FIRST] * 24, recordings=["a.wav"] * 24, specs=[ScorerSpec("kmeans")])["kmeans"][FIRST]
    assert fitted.threshold.fitted_on == "the 24 training clip(s) it was fitted on"


def test_scores_of_clips_that_the_network_saw_are_brought_to_those_of_unseen_ones():
    """Two machines, errors by hand: unseen clips score 2 and 1.5 times the seen ones, without any chance in it."""
    errors = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0, 6.0, 6.0])[:, None]
    held_out = np.array([False] * 4 + [True] * 2 + [False] * 4 + [True] * 2)
    values = ClipRepresentation(np.zeros((12, 1)), window_error=errors.astype(np.float32))
    machines = [Machine("fan", "id_00")] * 6 + [Machine("fan", "id_02")] * 6
    by_machine = fit_scorers(values, machines, held_out=held_out, specs=[ScorerSpec("mse")])["mse"]
    first, second = by_machine.values()
    np.testing.assert_allclose(first.normal_scores, [2.0] * 6)
    np.testing.assert_allclose(second.normal_scores, [6.0] * 6)
    np.testing.assert_allclose(second.validation_scores, [6.0, 6.0])
    again = FittedScorer.from_state(*first.to_state())
    np.testing.assert_array_equal(again.validation_scores, first.validation_scores)
    untrained = fit_scorers(values, machines, specs=[ScorerSpec("mse")])["mse"][machines[0]]
    np.testing.assert_allclose(untrained.normal_scores, [1.0] * 4 + [2.0] * 2)  # nothing was trained, nothing is moved


def test_scores_that_may_be_negative_are_shifted_by_a_difference():
    """A Gaussian's log-likelihoods: the gap is a difference of means, not a ratio."""
    values = ClipRepresentation(0.01 * np.random.default_rng(0).standard_normal((40, 1)))
    held_out, specs = np.arange(40) % 4 == 0, [ScorerSpec("gmm", settings={"standardize": False})]
    fit = functools.partial(fit_scorers, values, [Machine("", "a")] * 40, specs=specs)
    plain, shifted = fit()["gmm"], fit(held_out=held_out)["gmm"]
    (plain,), (shifted,) = plain.values(), shifted.values()
    assert plain.normal_scores.min() < 0
    moved = np.setdiff1d(shifted.normal_scores, plain.normal_scores)
    assert len(moved) == 30  # those that the network saw
    before = np.setdiff1d(plain.normal_scores, shifted.normal_scores)
    unseen = np.intersect1d(plain.normal_scores, shifted.normal_scores)
    assert moved.mean() == pytest.approx(unseen.mean(), rel=1e-6) != pytest.approx(before.mean())
    stretched = (np.sort(moved) - moved.mean()) / (np.sort(before) - before.mean())
    np.testing.assert_allclose(stretched, stretched[0], rtol=1e-5)


@pytest.mark.parametrize("scorer", ["gmm", "mahalanobis"])
def test_thresholds_hold_where_clips_are_few_more_than_numbers_in_a_vector(scorer):
    """A full covariance of 32 numbers from 40 clips: out-of-fold scores of a refit on four fifths are far too high."""
    rates, medians = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        mixed = rng.standard_normal((32, 32))
        normal, new = (rng.standard_normal((count, 32)) @ mixed for count in (40, 400))
        fitted = fit_scorers(ClipRepresentation(normal), [FIRST] * 40, specs=[ScorerSpec(scorer)])[scorer][FIRST]
        scores = fitted.scorer.score(new)
        rates.append(np.mean(scores > fitted.threshold.value))
        medians.append(np.median(fitted.normal_scores) / np.median(scores))
    assert 0.02 <= np.mean(rates) <= 0.15 and 0.8 < np.median(medians) < 1.3, (rates, medians)  # five folds: 0.000, 2.8
