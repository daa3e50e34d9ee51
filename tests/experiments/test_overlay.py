"""What each flag changes in a run's config."""

import pytest

from asd_jax.errors import InputError
from asd_jax.models import GRUAutoencoderConfig, LSTMPredictorConfig
from asd_jax.representations import ClipSummary, OverlappingFrames
from asd_jax.runs import Selection, network, statistics
from asd_jax.training import TrainingConfig
from experiments.overlay import lay_over

LSTM = network("lstm_pred", LSTMPredictorConfig(), TrainingConfig(epochs=6, min_steps=500))
OCSVM = statistics("ocsvm", "ocsvm", overlapping_frames=True)


def test_nothing_given_changes_nothing():
    assert lay_over(LSTM, {}) == LSTM and lay_over(OCSVM, {"debug": True, "report": False}) == OCSVM


def test_settings_at_any_depth():
    given = {"machine": "fan", "machine_id": ["id_00", "id_02"], "seed": 3, "num_seeds": 2, "learning_rate": 0.1}
    config = lay_over(LSTM, given | {"hidden_size": 7, "objective": "reconstruction"})
    assert (config.data.machine, config.data.machine_ids, config.seed) == ("fan", ("id_00", "id_02"), 3)
    assert (config.recipe.num_seeds, config.recipe.training.learning_rate) == (2, 0.1)
    assert config.recipe.model == LSTMPredictorConfig(hidden_size=7)


def test_what_goes_with_a_flag():
    training = lay_over(LSTM, {"epochs": 2, "batch_size": 9}).recipe.training
    assert (training.epochs, training.min_steps, training.batch_size, training.shrink_batch) == (2, 0, 9, False)
    assert lay_over(LSTM, {"context_frames": 3}).recipe.model.segment_frames == 23
    gru = network("gru_ae", GRUAutoencoderConfig(), TrainingConfig())
    model = lay_over(gru, {"window_frames": 32}).recipe.model
    assert (model.window_frames, model.window_hop) == (32, 16)


def test_scorers():
    config = lay_over(LSTM, {"scorer": "max", "scorers": ["mse", "max", "mahalanobis"]})
    assert config.scorer.name == "max" and [spec.name for spec in config.scorers] == ["mse", "mahalanobis"]
    vectors = [spec.name for spec in lay_over(OCSVM, {"scorers": ["all"]}).scorers]
    assert "mahalanobis" in vectors and "ocsvm" not in vectors and "mse" not in vectors
    with pytest.raises(InputError, match="`scorers`: no scorer named 'svm'"):
        lay_over(LSTM, {"scorers": ["svm"]})


def test_frames_or_statistics():
    assert isinstance(OCSVM.recipe, OverlappingFrames)
    assert OCSVM.scorer.pool == "mean" and OCSVM.scorer.settings == {"standardize": False}
    pooled = lay_over(OCSVM, {"pool": "max", "nu": 0.2})
    assert (pooled.scorer.pool, pooled.recipe) == ("max", OCSVM.recipe)
    assert pooled.scorer.settings == {"standardize": False, "nu": 0.2}
    other = lay_over(OCSVM, {"overlap": 0.0})
    assert (other.recipe.window_frames, other.recipe.window_hop) == (OCSVM.recipe.window_frames,) * 2
    summary = lay_over(OCSVM, {"summary": ["mean", "max"]})
    assert summary.recipe == ClipSummary(("mean", "max"))
    assert (summary.scorer.pool, summary.scorer.settings) == (None, {})
    features = lay_over(OCSVM, {"features": "mfcc,cens"})
    assert features.recipe == ClipSummary() and features.front_end.features == ("mfcc", "cens")
    assert isinstance(lay_over(OCSVM, {"features": "mfcc", "frames": True}).recipe, OverlappingFrames)
    gmm = lay_over(statistics("gmm", "gmm"), {"pca": 4.0, "frames": True})
    assert (gmm.scorer.name, gmm.scorer.pool, gmm.scorer.settings) == ("pca+gmm", "mean", {"pca_components": 4.0})


def test_selection():
    assert lay_over(OCSVM, {"search": True}).selection is Selection.SEARCH
    assert lay_over(OCSVM, {"oracle_search": True}).selection is Selection.ORACLE_SEARCH
    searched = lay_over(OCSVM, {"search": True})
    assert lay_over(searched, {"search": False}).selection is Selection.FIXED
    with pytest.raises(InputError, match="exclude one another"):
        lay_over(OCSVM, {"search": True, "oracle_search": True})


def test_bottleneck_sizes():
    config = network("lstm_pred", GRUAutoencoderConfig(), TrainingConfig())
    with pytest.raises(InputError, match="`bottleneck_size=2,x`: give numbers from 1"):
        lay_over(config, {"bottleneck_size": ["2", "x"]})


@pytest.mark.parametrize(
    ("config", "given", "says"),
    [
        ("gmm", {"pool": "max"}, "`pool` has no effect here: it is for overlapping frames, pass `frames`"),
        ("gmm", {"overlap": 0.2}, "`overlap` has no effect"),
        ("gmm", {"frame_seconds": 0.2, "features": "mfcc"}, "`frame_seconds` has no effect"),
        ("gmm", {"twfr_decay": 0.9}, "`twfr_decay` has no effect here: it is for `summary=twfr`"),
        ("ocsvm", {"twfr_decay": 0.9}, "`twfr_decay` has no effect"),
        ("ocsvm", {"summary": ["mean"], "frames": True}, "`summary` has no effect here: overlapping frames have none"),
        ("ocsvm", {"features": "mfcc", "pool": "max"}, "`pool` has no effect"),
    ],
)
def test_a_flag_that_nothing_reads_is_refused(config, given, says):
    config = OCSVM if config == "ocsvm" else statistics("gmm", "gmm")
    with pytest.raises(InputError, match=says):
        lay_over(config, given)


def test_a_flag_that_something_reads_is_taken():
    twfr = lay_over(statistics("gmm", "gmm"), {"summary": ["twfr", "max"], "twfr_decay": 0.9})
    assert twfr.recipe == ClipSummary(("twfr", "max"), 0.9)
    frames = lay_over(statistics("gmm", "gmm"), {"frames": True, "pool": "max", "overlap": 0.0})
    assert frames.scorer.pool == "max" and frames.recipe.window_hop == frames.recipe.window_frames
