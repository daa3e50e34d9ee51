"""Scorers of embeddings that know domains, against scores of the published code and values worked out by hand."""

import numpy as np
import pytest

from asd_jax import scorers
from asd_jax.errors import InputError
from asd_jax.scorers import domains

SETTINGS = {"standardize": False}


@pytest.mark.parametrize(
    ("name", "settings", "column"),
    [
        ("knn", {"n_neighbors": 1, "metric": "cosine"}, "knn_source_target_cosine"),
        ("knn", {"n_neighbors": 2}, "knn2_source_target_euclidean"),
        ("knn_rescaled", {"metric": "cosine"}, "knn_rescaled_k4_cosine"),
        ("knn_rescaled", {"n_neighbors": 16}, "knn_rescaled_k16_euclidean"),
    ],
)
def test_scores_of_the_published_code(name, settings, column, real_data):
    golden = np.load(real_data / "discriminative_golden" / "nearest_neighbours.npz")
    if name == "knn":
        settings = settings | {"is_target": golden["is_target"].astype(bool)}
    found = scorers.fit(name, golden["train"], **SETTINGS, **settings).score(golden["test"])
    np.testing.assert_allclose(found, golden[column], rtol=1e-5)


@pytest.fixture
def two_domains():
    rng = np.random.default_rng(0)
    source, target = rng.standard_normal((80, 5)), 6 + 3 * rng.standard_normal((6, 5))
    return np.concatenate([source, target]), np.arange(86) >= 80


@pytest.mark.parametrize("name", [name for name, of in scorers.REGISTRY.items() if getattr(of, "knows_domains", False)])
def test_one_domain_is_the_plain_thing_and_two_bring_the_target_closer(name, two_domains):
    vectors, is_target = two_domains
    plain, probes = scorers.fit(name, vectors), np.full((1, 5), 6.0)
    for none in (None, np.zeros(86, bool), np.ones(86, bool)):
        np.testing.assert_allclose(scorers.fit(name, vectors, is_target=none).score(probes), plain.score(probes))
    told = scorers.fit(name, vectors, is_target=is_target)
    assert told.score(probes)[0] <= plain.score(probes)[0] + 1e-12
    again = scorers.from_state(name, scorers.to_state(told))
    np.testing.assert_array_equal(again.score(vectors[:4] + 0.1), told.score(vectors[:4] + 0.1))


def test_selective_mahalanobis_is_the_smaller_of_two():
    rng = np.random.default_rng(1)
    vectors, is_target = rng.standard_normal((60, 3)), np.arange(60) >= 40
    vectors[is_target] = 4 * vectors[is_target] + 9
    found = scorers.fit("selective_mahalanobis", vectors, is_target=is_target)
    probes = rng.standard_normal((10, 3)) * 5
    scaled = (probes - found.mean) * found.scale - found.locations[:, None]
    each = np.einsum("knd,kde,kne->kn", scaled, found.precisions, scaled)
    np.testing.assert_allclose(found.score(probes), each.min(axis=0))
    plain = scorers.fit("selective_mahalanobis", vectors)
    np.testing.assert_allclose(plain.score(probes), scorers.fit("mahalanobis", vectors).score(probes))


def test_a_single_target_clip_takes_the_spread_of_all(two_domains):
    vectors, _ = two_domains
    scores = scorers.fit("selective_mahalanobis", vectors, is_target=np.arange(86) == 85).score(vectors)
    assert np.isfinite(scores).all() and scores[85] == pytest.approx(0, abs=1e-9)


def test_every_target_clip_is_a_centre_of_kmeans(two_domains):
    vectors, is_target = two_domains
    found = scorers.fit("kmeans", vectors, n_clusters=3, is_target=is_target)
    assert found.centres.shape == (9, 5)
    np.testing.assert_allclose(found.score(vectors[is_target]), 0, atol=1e-6)


def test_smote_fills_up_the_target_between_its_neighbours(two_domains):
    vectors, is_target = two_domains
    more, told = domains.smote(vectors, is_target, 0.2, seed=3)
    assert told.sum() == 16 and (~told).sum() == 80
    np.testing.assert_array_equal(more[:86], vectors)
    target = vectors[is_target]
    distances = np.linalg.norm(target[:, None] - target[None], axis=2)
    for made in more[86:]:
        between = []
        for first in range(6):
            for other in np.argsort(distances[first])[1:3]:
                along = target[other] - target[first]
                share = (made - target[first]) @ along / (along @ along)
                off = np.linalg.norm(target[first] + share * along - made)
                between.append(0 <= share <= 1 and off < 1e-9)
        assert any(between)
    for ratio, mask in ((0.0, is_target), (0.05, is_target), (0.2, None), (0.2, np.arange(86) == 0)):
        assert domains.smote(vectors, mask, ratio)[0] is vectors


def test_leaving_one_out_is_scoring_it_by_the_others(two_domains):
    vectors, is_target = two_domains
    left_out = scorers.fit("knn", vectors, is_target=is_target, **SETTINGS).leave_one_out()
    for index in (0, 40, 83):
        others = np.arange(86) != index
        refitted = scorers.fit("knn", vectors[others], is_target=is_target[others], **SETTINGS)
        assert left_out[index] == pytest.approx(refitted.score(vectors[index : index + 1])[0])


def test_copies_of_one_clip_have_no_infinite_scores():
    vectors = np.concatenate([np.zeros((6, 3)), np.eye(3)])
    assert np.isfinite(scorers.fit("knn_rescaled", vectors, **SETTINGS).score(vectors + 0.5)).all()


@pytest.mark.parametrize("name", ["knn", "knn_rescaled"])
def test_an_unknown_metric_is_named(name):
    with pytest.raises(InputError, match="`metric=manhattan`: give euclidean or cosine"):
        scorers.fit(name, np.eye(4), metric="manhattan")
