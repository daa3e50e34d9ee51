"""Folds of the supervised reference, and that no clip is scored by what saw its recording."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.svm import SVC

from asd_jax import scorers
from asd_jax.datasets import Clip, Extracted
from asd_jax.errors import InputError
from asd_jax.evaluation import metrics
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import from_json, to_json
from asd_jax.representations import Hooks
from asd_jax.runs import RunConfig, Supervised, statistics
from asd_jax.runs.supervised import cross_validated, folds

CONFIG = dataclasses.replace(statistics("supervised", "labelled_svm"), supervised=Supervised(n_folds=3))


def test_folds_hold_their_share_of_each_stratum_and_recordings_whole():
    clips = [
        Clip(f"{machine}{label}{n}@{part}", machine, "test", label, recording=f"{machine}{label}{n}")
        for machine in ("id_00", "id_02")
        for label in (False, True)
        for n in range(10)
        for part in range(2)
    ]
    fold = folds(clips, 5, seed=0)
    for index in range(0, len(clips), 2):
        assert fold[index] == fold[index + 1]
    shares = Counter((clip.machine_id, clip.is_anomaly, int(k)) for clip, k in zip(clips, fold, strict=True))
    assert set(shares.values()) == {4} and len(shares) == 20
    assert (fold != folds(clips, 5, seed=1)).any()


def test_the_svm_is_that_of_scikit_learn_on_whitened_vectors_and_its_formula():
    rng = np.random.default_rng(0)
    is_anomaly = np.arange(200) % 4 == 0
    mixing = rng.standard_normal((5, 5))
    vectors = (rng.standard_normal((200, 5)) + 3 * is_anomaly[:, None] * np.eye(5)[0]) @ mixing
    fitted = scorers.fit("labelled_svm", vectors, is_anomaly=is_anomaly)
    normal = LedoitWolf().fit((vectors[~is_anomaly] - fitted.mean) * fitted.scale)
    centred = (vectors - fitted.mean) * fitted.scale - normal.location_
    white = centred @ fitted.whitening
    np.testing.assert_allclose((white**2).sum(axis=1), scorers.fit("mahalanobis", vectors[~is_anomaly]).score(vectors))
    reference = SVC(class_weight="balanced").fit(white, is_anomaly)
    np.testing.assert_allclose(fitted.score(vectors), reference.decision_function(white), atol=1e-9)
    again = scorers.from_state("labelled_svm", scorers.to_state(fitted))
    np.testing.assert_array_equal(again.score(vectors), fitted.score(vectors))
    assert metrics.measure(fitted.score(vectors), is_anomaly).auc > 0.95
    with pytest.raises(InputError, match=r"experiments\.supervised"):
        scorers.fit("labelled_svm", vectors)
    with pytest.raises(InputError, match="needs both classes"):
        scorers.fit("labelled_svm", vectors, is_anomaly=np.ones(200, bool))


def test_labels_that_say_nothing_score_as_chance():
    """A clip that its own scorer had seen would be told apart however random its label."""
    rng = np.random.default_rng(0)
    is_anomaly = rng.random(200) < 0.5
    clips = tuple(Clip(str(n), "id_00", "test", bool(label)) for n, label in enumerate(is_anomaly))
    vectors = rng.standard_normal((200, 1, 60)).astype(np.float32)
    heard = Extracted(clips, StoredClips.from_clips(list(vectors)), (), ())
    scores = cross_validated(CONFIG, heard, Hooks(lambda: Path()))
    assert 0.35 < metrics.measure(scores, is_anomaly).auc < 0.65
    seen = scorers.fit("labelled_svm", vectors[:, 0], is_anomaly=is_anomaly).score(vectors[:, 0])
    assert metrics.measure(seen, is_anomaly).auc > 0.75


def test_the_config_reads_itself_back():
    assert from_json(RunConfig, {"experiment": "supervised", **CONFIG.to_dict()["settings"]}) == CONFIG
    assert "supervised" not in to_json(statistics("gmm", "gmm"))
    with pytest.raises(InputError, match="supervised reference, and it alone"):
        dataclasses.replace(CONFIG, supervised=None).check()
