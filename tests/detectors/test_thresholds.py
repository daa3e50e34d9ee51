import json

import numpy as np
import pytest
import scipy.stats

from asd_jax import scorers
from asd_jax.detectors import thresholds
from asd_jax.detectors.thresholds import Method, Source, decide
from asd_jax.errors import InputError

SOURCE = Source.OUT_OF_FOLD


def out_of_fold(fit, vectors):
    """Scores by the folds that a run takes."""
    folds = thresholds.folds(len(vectors), seed=0)
    return thresholds.out_of_fold_scores(lambda others, own: fit(vectors[others]).score(vectors[own]), folds)


def test_gamma_quantile_of_gamma_scores():
    scores = scipy.stats.gamma.rvs(3.0, scale=2.0, size=4000, random_state=0)
    threshold = thresholds.fit("gamma_0.9", scores, source=SOURCE)
    assert threshold.method == "gamma" and threshold.location == 0.0
    assert threshold.value == pytest.approx(scipy.stats.gamma.ppf(0.9, 3.0, scale=2.0), rel=0.03)


def test_negative_scores_are_shifted_and_the_shift_is_stated():
    scores = scipy.stats.norm.rvs(-50, 3, size=2000, random_state=0)
    threshold = thresholds.fit("gamma_0.9", scores, source=SOURCE)
    assert threshold.location < scores.min()
    assert np.mean(scores > threshold.value) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    "scores",
    [np.r_[np.full(50, 1.0), np.full(50, 1000.0)], np.full(20, 3.0), np.array([1.0])],
    ids=["two lumps", "constant", "one"],
)
def test_falls_back_to_the_empirical_quantile(scores):
    threshold = thresholds.fit("gamma_0.9", scores, source=SOURCE)
    assert threshold.method == "empirical_quantile"
    assert threshold.value == np.quantile(scores, 0.9)


def test_a_stricter_rule_has_no_lower_threshold():
    """Where two points are more than the nominal share, a gamma below the scores' own tail would be taken."""
    scores = np.random.default_rng(26).lognormal(0, 1.1, 100)
    rules = ("gamma_0.9", "gamma_0.95", "gamma_0.98", "gamma_0.99", "gamma_0.999")
    values = [thresholds.fit(rule, scores, source=SOURCE).value for rule in rules]
    assert values == sorted(values), values


def test_few_scores_keep_the_gamma_and_its_false_alarm_rate():
    """Six clips cannot show 10 %; the gamma's rate on new clips stays nearer to it than the empirical quantile's."""
    rng = np.random.default_rng(0)
    rates = {"fitted": [], "quantile": []}
    methods = []
    for _ in range(200):
        scores = rng.gamma(50.0, 1.0, 6)
        threshold = thresholds.fit("gamma_0.9", scores, source=SOURCE)
        methods.append(threshold.method)
        rates["fitted"].append(scipy.stats.gamma.sf(threshold.value, 50.0))
        rates["quantile"].append(scipy.stats.gamma.sf(np.quantile(scores, 0.9), 50.0))
    assert methods.count("gamma") > 150
    assert np.mean(rates["fitted"]) < 0.17 < 0.19 < np.mean(rates["quantile"])


@pytest.mark.parametrize(
    "name",
    ["gamma", "gamma_1.0", "gamma_0", "median", "gamma_0.0", "gamma_90", "percentile", "percentile_100", "conformal_1"],
)
def test_unknown_rule(name):
    with pytest.raises(InputError, match="`threshold="):
        thresholds.parse(name)


def test_an_oracle_rule_makes_no_decisions():
    with pytest.raises(InputError, match="`threshold=oracle_max_f1`: looks at labels and makes no decisions"):
        thresholds.parse("oracle_max_f1")


def test_names_of_rules():
    assert thresholds.parse("gamma_0.95") == ("gamma", 0.95)
    assert thresholds.parse("percentile_95") == thresholds.parse("percentile_0.95") == ("percentile", 0.95)
    assert thresholds.parse("percentile_99.5") == ("percentile", 0.995)
    assert thresholds.parse("conformal") == thresholds.parse("conformal_0.9") == ("conformal", 0.9)


def test_percentile_is_the_empirical_one():
    threshold = thresholds.fit("percentile_75", np.arange(9.0), source=SOURCE)
    assert (threshold.value, threshold.method) == (6.0, "empirical_quantile")


@pytest.mark.parametrize(("n_clips", "rank"), [(9, 9), (10, 10), (18, 18), (19, 18), (29, 27), (99, 90)])
def test_conformal_takes_the_order_statistic(n_clips, rank):
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n_clips + 1))
    threshold = thresholds.fit("conformal", scores, source=SOURCE)
    assert (threshold.value, threshold.method) == (rank, "conformal")


def test_conformal_never_alarms_where_it_cannot_keep_its_promise():
    threshold = thresholds.fit("conformal", np.arange(8.0), source=SOURCE)
    assert threshold.value == np.inf and (threshold.method, threshold.n_needed) == (Method.CONFORMAL, 9)
    assert thresholds.fit("conformal_0.95", np.arange(18.0), source=SOURCE).value == np.inf
    saved = json.loads(json.dumps(threshold.to_dict(), allow_nan=False))
    assert saved["value"] is None and thresholds.Threshold.from_dict(saved) == threshold


@pytest.mark.slow
@pytest.mark.parametrize("n_clips", [9, 12, 19, 60])
@pytest.mark.parametrize("draw", ["gamma", "normal", "ties"])
def test_conformal_bounds_the_false_alarm_rate_at_any_number_of_clips(n_clips, draw):
    """Over many calibration sets: at most 0.1, and with distinct scores exactly (n + 1 - k) / (n + 1)."""
    rng = np.random.default_rng(n_clips)
    sample = {
        "gamma": lambda shape: rng.gamma(0.3, size=shape),
        "normal": lambda shape: rng.standard_normal(shape),
        "ties": lambda shape: rng.integers(0, 4, shape).astype(float),
    }[draw]
    n_trials = 4000
    calibration, new = sample((n_trials, n_clips)), sample((n_trials, 20))
    limits = np.array([thresholds.fit("conformal", scores, source=SOURCE).value for scores in calibration])
    rate = np.mean(new > limits[:, None])
    # A trial's rate has a standard deviation of up to 0.13 (nine clips).
    assert rate <= 0.1 + 4 * 0.13 / np.sqrt(n_trials)
    if draw != "ties":
        expected = (n_clips + 1 - np.ceil((n_clips + 1) * 0.9)) / (n_clips + 1)
        assert rate == pytest.approx(expected, abs=4 * 0.13 / np.sqrt(n_trials))


def test_not_finite_scores_are_refused():
    with pytest.raises(InputError, match="1 of 2 are not finite"):
        thresholds.fit("gamma_0.9", np.array([1.0, np.nan]), source=SOURCE)
    with pytest.raises(InputError, match="there are none"):
        thresholds.fit("conformal", np.array([]), source=SOURCE)


def test_out_of_fold_scores_are_higher_than_in_sample_ones():
    vectors = np.random.default_rng(0).standard_normal((60, 30))
    fit = scorers.get("mahalanobis").fit
    unseen = out_of_fold(fit, vectors)
    assert np.isfinite(unseen).all()
    assert unseen.mean() > fit(vectors).score(vectors).mean()


def test_out_of_fold_scores_of_windows_are_filled_up():
    fold = np.array([0, 1, 0])
    widths = {1: 2, 2: 3}  # of one clip in fold 1, of two in fold 0
    scores = thresholds.out_of_fold_scores(lambda others, own: np.ones((own.sum(), widths[own.sum()])), fold)
    np.testing.assert_array_equal(np.isnan(scores).sum(axis=1), [0, 1, 0])


def test_a_decision_needs_a_finite_score():
    decisions = decide(np.array([2.0, 1.0, 0.5, np.nan, np.inf, -np.inf]), 1.0)
    assert decisions.tolist() == [True, False, False, None, None, None]
    assert decide(np.array([1e300, np.nan]), np.array([np.inf, np.inf])).tolist() == [False, None]


@pytest.mark.parametrize("source", Source)
def test_words_of_where_scores_come_from(source):
    clips, recordings = (source.words(n_normal=7, of_recordings=cut) for cut in (False, True))
    assert "clip" in clips and (source is Source.LABELLED_TEST or "recording" in recordings)


@pytest.mark.parametrize("rule", ["gamma_0.9", "conformal"])
def test_false_alarm_rate_on_real_slide_rails(rule, real_data):
    """Nominal 0.1 on clips that neither scorer nor threshold saw; within 0.03 to 0.20 on 7 of the 8 sets at least."""
    rates = []
    for snr in ("6dB", "0dB"):
        data = np.load(real_data / "mimii_slider" / f"slider_{snr}.npz")
        vectors, is_anomaly, machine_id = data["mean_log_mel"], data["is_anomaly"], data["machine_id"]
        for chosen in np.unique(machine_id):
            normal = vectors[(machine_id == chosen) & ~is_anomaly]
            n_test = int(((machine_id == chosen) & is_anomaly).sum())
            train, test = normal[:-n_test], normal[-n_test:]
            fit = scorers.get("mahalanobis").fit
            unseen = out_of_fold(fit, train)
            threshold = thresholds.fit(rule, unseen, source=SOURCE)
            rates.append(np.mean(fit(train).score(test) > threshold.value))
    assert sum(0.03 <= rate <= 0.20 for rate in rates) >= 7, rates
