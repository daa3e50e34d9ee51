"""Plots of arrays: what titles claim is checked against hand-computed values; odd data is drawn without complaint."""

import datetime
import io

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from asd_jax.report import plots
from asd_jax.report.drivers import Drivers, top_frames
from asd_jax.report.plots.seeds import spearman


def title(figure):
    return figure.get_suptitle().replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def drawn(figure):
    """The figure is really rendered, and is not blank."""
    image = np.asarray(Image.open(io.BytesIO(plots.png(figure))).convert("L"))
    assert image.std() > 5
    assert image[1, -1] == 255  # white stays white in 256 colours
    return image


SCORES = {"id_00": np.array([1.0, 2.0, 3.0, 4.0]), "id_02": np.array([1.0, 3.0, 2.0, 5.0])}
TRUTH = {name: np.array([False, False, True, True]) for name in SCORES}


def test_score_histograms():
    figure = plots.score_histograms(SCORES, TRUTH, {"id_00": 2.5, "id_02": 1.5}, scorer="mse")
    assert title(figure) == "Above the threshold: 25 % of the normal, 100 % of the anomalous clips"
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["id_00", "id_02"]
    assert figure.axes[-1].get_xlabel() == "anomaly score (mse)" and figure.axes[0].get_ylabel() == "clips"
    drawn(figure)


@pytest.mark.slow
@pytest.mark.parametrize(
    "scores",
    [[1.0], [2.0] * 5, [np.nan, 1.0, 2.0], [np.nan], [-5.0, 0.0, 4.0], [1e-3, 1.0, 50.0], [*[1.0] * 40, 2.0, 900.0]],
    ids=["single clip", "constant", "NaN", "only NaN", "negative", "wide", "far out"],
)
def test_odd_scores_are_drawn(scores):
    scores = {"a": np.asarray(scores)}
    drawn(plots.score_histograms(scores, None, {"a": 1.5}))
    truth = {"a": np.arange(len(scores["a"])) % 2 == 1}
    drawn(plots.score_histograms(scores, truth, {"a": 1.5}))
    drawn(plots.roc(scores, truth))
    drawn(plots.precision_recall(scores, truth))


def test_a_threshold_that_never_alarms_is_not_drawn():
    figure = plots.score_histograms(SCORES, TRUTH, dict.fromkeys(SCORES, np.inf))
    assert title(figure) == "Above the threshold: 0 % of the normal, 0 % of the anomalous clips"
    assert not figure.axes[0].lines
    drawn(figure)


def test_scores_far_out_are_counted():
    scores = np.array([*np.linspace(-1, 1, 40), 800.0, 900.0])
    assert "2 further out →" in texts(plots.score_histograms({"a": scores}, None, {"a": 1.0}))


def test_curves_state_the_mean_over_ids():
    figure = plots.roc(SCORES, TRUTH)  # AUC 1 and 3/4
    assert title(figure) == "In 88 % of pairs an anomaly outscores a normal clip (AUC 0.875, pAUC 0.868)"
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert "id_00: 1.000 / 1.000" in labels and "id_02: 0.750 / 0.737" in labels
    curve = next(line for line in figure.axes[0].lines if line.get_label().startswith("id_02"))
    np.testing.assert_allclose(curve.get_xydata(), [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]])
    drawn(figure)
    figure = plots.precision_recall(SCORES, TRUTH)  # average precision 1 and (1 + 2/3) / 2
    assert title(figure) == "Average precision 0.917, where guessing gives 0.50"


def test_curves_of_one_class_say_so():
    normal = {name: np.zeros(4, bool) for name in SCORES}
    for figure in (plots.roc(SCORES, normal), plots.precision_recall(SCORES, normal)):
        assert title(figure) == "No machine id has both normal and anomalous clips"


def test_confusion_matrix():
    figure = plots.confusion_matrix(np.array([[90, 10], [25, 75]]), rule="gamma_0.9")
    assert title(figure) == "gamma_0.9: 75 % of the anomalies found, 10 % false alarms"
    assert {"90", "10", "25", "75"} <= set(texts(figure))
    assert "no anomalous clips" in title(plots.confusion_matrix(np.array([[3, 1], [0, 0]])))
    drawn(figure)


def test_machine_id_bars():
    nan = np.nan
    figure = plots.machine_id_bars(
        ["id_00", "id_02", "mean"],
        {"auc": np.array([0.9, nan, 0.9]), "pauc": np.array([0.7, nan, 0.7])},
        intervals={"auc": np.array([[0.8, 0.95], [nan, nan], [nan, nan]])},
        controls={"log_mel_mean": {"auc": np.array([0.95, nan, 0.95])}, "other": {"auc": np.array([0.3, nan, 0.3])}},
        scorer="mse",
    )
    assert title(figure) == "mse AUC 0.900 (mean), 0.050 below the control log_mel_mean"
    axes = figure.axes[0]
    assert axes.get_xlim()[0] < 0.3  # nothing is cut off
    (interval,) = [c.get_segments() for c in axes.collections]
    np.testing.assert_allclose([segment[:, 0] for segment in interval], [[0.8, 0.95]])
    drawn(figure)
    undefined = plots.machine_id_bars(["a", "mean"], {"auc": np.array([nan, nan])}, scorer="mse")
    assert "undefined" in title(undefined)
    drawn(undefined)


def test_training_curves():
    figure = plots.training_curves([np.array([3.0, 2.0, 1.0])], [np.array([2.0, 1.0, 1.5])], [np.full(3, 1e-3)])
    assert title(figure) == "Validation loss went from 2 to 1.5 in 3 epochs, lowest at epoch 2"
    drawn(figure)
    without = plots.training_curves([np.array([3.0, 1.0])] * 2, [np.full(2, np.nan)] * 2, [np.full(2, 1e-3)] * 2)
    assert title(without) == "Training loss went from 3 to 1 in 2 epochs (first of 2 networks)"
    assert "One epoch" in title(plots.training_curves([np.ones(1)], [np.ones(1)], [np.ones(1)]))


def test_top_frames_are_those_with_the_largest_errors():
    errors = np.array([np.nan, 1, 9, 2, 8, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(np.flatnonzero(top_frames(errors)), [2, 4])
    assert not top_frames(np.full(3, np.nan)).any()
    np.testing.assert_array_equal(top_frames(np.array([1.0])), [True])


def clip_picture(n_frames=40, **options):
    rng = np.random.default_rng(0)
    frames, squared = rng.normal(-30, 5, (n_frames, 8)), np.ones((n_frames, 8))
    squared[:4], squared[20:24] = np.nan, 10.0
    settings = {"sample_rate": 16_000, "hop_length": 512, "frequencies": np.geomspace(100, 7000, 8)}
    return plots.clip_picture(rng.normal(0, 0.1, n_frames * 512), frames, squared, **settings | options)


def test_clip_picture_marks_the_frames_that_drive_the_score():
    figure = clip_picture(title="Missed (a$b$): score 1", expected=np.full((40, 8), -30.0))
    names = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert names[:3] == ["Waveform (amplitude, 1 is full scale)", "Log-mel (dB)", "Prediction (dB)"]
    # 4 of 36 frames with an error of 10 among ones: 40 of 72
    assert names[4].replace("\N{NO-BREAK SPACE}", " ") == "Mean of each frame: the top tenth (shaded) holds 56 %"
    marks = [
        c for axes in figure.axes for c in axes.collections if len(c.get_paths()) == 1 and c.get_linewidth()[0] == 0
    ]
    times = [np.unique(mark.get_paths()[0].vertices[:, 0]) for mark in marks]
    np.testing.assert_allclose(times, [[19.5 * 0.032, 23.5 * 0.032]] * 2)
    drawn(figure)


def test_clip_picture_without_a_network():
    figure = clip_picture(deviation=np.array([0, 0, 0, -4.0, 1, 0, 0, 0]))
    assert "-4.0 sd" in figure.axes[4].get_title(loc="left")
    drawn(figure)
    drawn(clip_picture(frequencies=None, deviation=np.ones(8)))


def test_a_picture_leaves_nothing_of_pyplot_behind():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    clip_picture()
    assert dict(mpl.rcParams) == before


def test_systems_stand_best_first():
    values = {"fan": {"gmm": (0.9, (0.85, 0.94)), "knn": (0.95, None)}, "pump": {"gmm": (0.42, (0.3, 0.5))}}
    figure = plots.systems(values, controls={"fan": {"log_mel_mean": 0.8}})
    drawn(figure)
    assert title(figure) == "Highest AUC: knn on fan (0.950), gmm on pump (0.420)"
    fan, pump = figure.axes
    assert [label.get_text() for label in fan.get_yticklabels()] == ["knn", "gmm"] and fan.yaxis_inverted()
    assert fan.get_xlim()[0] < 0.3 and [patch.get_width() for patch in pump.patches] == [pytest.approx(-0.08)]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["control: log_mel_mean"]


def test_clip_picture_outlines_bands_and_times():
    found = Drivers(bands=(5, 6), spans=((20, 23), (30, 30)), n_spans=2, share=0.5, far="")
    figure = clip_picture(drivers=found)
    outlined = [c for axes in figure.axes for c in axes.collections if c.get_path_effects()]
    assert len(outlined) == 2  # on the log-mel and on the map
    first, second = (path.vertices for path in outlined[0].get_paths())
    np.testing.assert_allclose([first[:, 0].min(), first[:, 0].max()], [19.5 * 0.032, 23.5 * 0.032])
    assert 4 < first[:, 1].min() < 5 and 6 < first[:, 1].max() < 7 and second[:, 0].mean() > first[:, 0].max()
    drawn(figure)
    drawn(clip_picture(drivers=Drivers(bands=(0, 7), spans=(), n_spans=0, share=0.1, far="")))


def test_scores_over_time():
    day = [datetime.datetime(2026, 11, 24, 10) + datetime.timedelta(hours=k) for k in range(5)]
    times = {"id_00": day[::-1], "id_02": day}
    scores = {"id_00": np.array([9.0, 1, 1, 1, np.nan]), "id_02": np.ones(5)}
    alarm = {"id_00": np.array([True, False, False, False, False]), "id_02": np.zeros(5, bool)}
    limits = {"id_00": np.full(5, 5.0), "id_02": np.full(5, np.inf)}
    figure = plots.over_time(times, scores, alarm, limits)
    assert title(figure) == "1 of 10 recordings called anomalous, at 2026-11-24 14:00"
    marks = next(line for line in figure.axes[0].lines if line.get_label() == "called anomalous")
    assert list(marks.get_xdata()) == [day[4]] and list(marks.get_ydata()) == [9.0]
    drawn(figure)
    drawn(plots.over_time(times, scores, alarm, limits, is_anomaly=alarm, what="clips"))
    none = {name: np.zeros(5, bool) for name in times}
    assert title(plots.over_time(times, scores, none, limits)) == "None of 10 recordings called anomalous"


@pytest.mark.parametrize("ties", [False, True])
def test_spearman_is_scipys(ties):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40))
    second += first
    if ties:
        first, second = np.round(first), np.round(second)
    assert spearman(first, second) == pytest.approx(scipy.stats.spearmanr(first, second).statistic, abs=1e-12)
    assert np.isnan(spearman(np.ones(3), np.arange(3.0))) and np.isnan(spearman(np.ones(1), np.ones(1)))


def test_agreement_of_seeds():
    rng = np.random.default_rng(0)
    common = rng.normal(size=30)
    scores = {
        "id_00": np.stack([common, 3 * common + 1, common + rng.normal(size=30)]),
        "id_02": np.tile(common, (3, 1)),
    }
    decisions = {name: of > 1.0 for name, of in scores.items()}
    figure = plots.seed_agreement(scores, decisions, {name: common > 0 for name in scores})
    pairs = [
        scipy.stats.spearmanr(of[a], of[b]).statistic for of in scores.values() for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    alike = sum(int((of == of[0]).all(axis=0).sum()) for of in decisions.values())
    assert title(figure) == (
        f"3 seeds decide alike on {alike} of 60 clips (Spearman correlation of scores {np.mean(pairs):.3f}, at least "
        f"{min(pairs):.3f})"
    )
    (crosses,) = [line for line in figure.axes[0].lines if line.get_label() == "decided differently"]
    assert len(crosses.get_xdata()) == 60 - alike > 0
    drawn(figure)
    drawn(plots.seed_agreement({"a": np.full((2, 3), np.nan)}, {"a": np.zeros((2, 3), bool)}))
    drawn(plots.seed_agreement({"a": np.ones((2, 1))}, {"a": np.zeros((2, 1), bool)}))
