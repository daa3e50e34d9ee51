"""Networks train on any front end, and the control keeps its own."""

import json

import pytest

from asd_jax import load_detector
from asd_jax.features import FrontEnd

# log_mel alone is the default, which every other test runs.
FEATURES = ["log_mel,mfcc,cens", "lmfe,spectrogram,chroma_stft,chroma_cqt"]


def test_every_feature_is_tried():
    assert set(",".join(FEATURES).split(",")) == set(FrontEnd.known())


@pytest.mark.slow
@pytest.mark.parametrize("features", FEATURES)
def test_lstm_predictor_trains_on_every_front_end(features, machine_tree, tmp_path, run_script):
    arguments = ["--machine=fan", "--machine_id=id_00", f"--data_dir={machine_tree}", "--epochs=1", "--hidden_size=4"]
    arguments.append("--context_frames=2")
    status, _, stderr = run_script(
        "lstm_pred", *arguments, f"--features={features}", "--scorers=mahalanobis", f"--workdir={tmp_path / 'run'}"
    )
    assert status == 0, stderr
    detector = load_detector(tmp_path / "run")
    assert detector.front_end == FrontEnd.from_names(features)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["scorers"]["mse"]["mean"]["auc"] is not None
    # The control hears log-mels whatever the network hears, and the second tone is plain in them.
    assert metrics["controls"]["log_mel_mean"]["mahalanobis"]["mean"]["auc"] == 1.0


def test_unknown_features_are_listed(machine_tree, run_script, tmp_path):
    status, _, stderr = run_script(
        "lstm_pred",
        "--machine=fan",
        f"--data_dir={machine_tree}",
        "--features=wavelet",
        f"--workdir={tmp_path / 'run'}",
    )
    assert status == 1 and "--features: unknown feature wavelet" in stderr and "mfcc" in stderr
    assert not (tmp_path / "run").exists()
