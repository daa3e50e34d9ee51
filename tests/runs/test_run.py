"""One run for every kind of system: what ran is what its folder says."""

import dataclasses
import json

import pytest

from asd_jax.detectors import ScorerSpec
from asd_jax.errors import InputError
from asd_jax.evaluation.results import Results, Role
from asd_jax.models import LSTMPredictorConfig
from asd_jax.representations import ClipSummary, Trained
from asd_jax.runs import DataConfig, RunConfig, run, statistics
from asd_jax.training import TrainingConfig

NETWORK = Trained(LSTMPredictorConfig(hidden_size=4, context_frames=3), TrainingConfig(epochs=1, batch_size=16))
KINDS = {
    "trained": RunConfig("lstm_pred", NETWORK, scorers=(ScorerSpec("mahalanobis"),)),
    "clip_summary": RunConfig("gmm", ClipSummary(("mean", "max")), ScorerSpec("gmm", settings={"reg_covar": 1.0})),
    "overlapping_frames": statistics("kmeans", "kmeans", overlapping_frames=True),
}


@pytest.fixture(scope="module", params=list(KINDS))
def finished(request, machine_tree, tmp_path_factory):
    config = dataclasses.replace(KINDS[request.param], data=DataConfig("fan", str(machine_tree)), seed=2)
    workdir = tmp_path_factory.mktemp("runs") / "run"
    return config, workdir, run(config, workdir, say=lambda line: None)


def test_the_folder_says_what_ran(finished):
    config, workdir, results = finished
    assert RunConfig.from_dict(json.loads((workdir / "config.json").read_text())) == config
    assert Results.read(workdir) == results
    assert results.headline.role is Role.HEADLINE and results.headline.mean.auc is not None


def test_a_finished_run_is_resumed_to_the_same_scores(finished):
    config, workdir, results = finished
    before = (workdir / "scores.csv").read_text()
    again = run(config, workdir, resume=True, say=lambda line: None)
    assert (workdir / "scores.csv").read_text() == before
    assert again.scorers == results.scorers


def test_frames_in_a_file_give_the_same_scores(finished, tmp_path):
    config, workdir, results = finished
    said = []
    small = dataclasses.replace(config.data, max_memory_gb=1e-6, cache_dir=str(tmp_path / "cache"))
    again = run(dataclasses.replace(config, data=small), tmp_path / "run", say=said.append)
    assert [line for line in said if "kept in a file" in line and line.startswith(("training", "test"))]
    assert (tmp_path / "run" / "config.json").read_text() == (workdir / "config.json").read_text()
    assert again.headline.mean.auc == pytest.approx(results.headline.mean.auc, abs=1e-3)
    scores = [of.read_text().splitlines()[1:] for of in (workdir / "scores.csv", tmp_path / "run" / "scores.csv")]
    assert scores[0] == scores[1]


def test_another_run_is_not_resumed(finished):
    config, workdir, _ = finished
    other = dataclasses.replace(config, seed=3)
    with pytest.raises(InputError, match=r"`resume`: settings\.seed is 3, but the run in .* was started with 2"):
        run(other, workdir, resume=True, say=lambda line: None)
    with pytest.raises(InputError, match="is not empty"):
        run(config, workdir, say=lambda line: None)
