"""Plots of arrays: what titles claim is checked against hand-computed values; odd data is drawn without complaint."""

import io

import numpy as np
import pytest
from PIL import Image

from asd_jax.report import plots
from asd_jax.report.drivers import top_frames


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
