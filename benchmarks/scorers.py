"""Scorers and VGGish: `python -m benchmarks.scorers`.

Clips a second of each scorer on 10,000 clips of 128 values, fitted on 1,000, beside scikit-learn's estimator called
directly (where ours is a formula of our own). Embeddings a second of VGGish beside its PyTorch port on the same cores,
both with the same random weights and batch; needs torch and torchvggish.
"""

import argparse
from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM

from asd_jax import scorers
from asd_jax.models import vggish_weights
from asd_jax.representations import vggish as vggish_embedding
from benchmarks import harness

N_TRAIN, N_CLIPS, DIM = 1_000, 10_000, 128


def peers(train: np.ndarray, clips: np.ndarray) -> dict[str, Callable[[], object]]:
    """What scikit-learn offers for the same scores, on vectors that need no standardisation."""
    kmeans = KMeans(1, n_init=1).fit(train)
    gmm = GaussianMixture(1, reg_covar=1e-3).fit(train)
    ocsvm = OneClassSVM(nu=0.1, gamma="scale").fit(train)
    iforest = IsolationForest(n_estimators=200, random_state=0).fit(train)
    lof = LocalOutlierFactor(10, novelty=True).fit(train)
    knn = NearestNeighbors(n_neighbors=2).fit(train)
    return {
        "kmeans": lambda: kmeans.transform(clips),
        "gmm": lambda: gmm.score_samples(clips),
        "ocsvm": lambda: ocsvm.decision_function(clips),
        "iforest": lambda: iforest.score_samples(clips),
        "lof": lambda: lof.score_samples(clips),
        "knn": lambda: knn.kneighbors(clips),
    }


def score_table(repeats: int) -> None:
    rng = np.random.default_rng(0)
    train, clips = rng.standard_normal((N_TRAIN, DIM)), rng.standard_normal((N_CLIPS, DIM))
    others = peers(train, clips)
    print(f"\n{'scorer':<14}{'clips/s':>12}{'scikit-learn':>14}{'ratio':>8}")
    for name in [*scorers.REGISTRY, "pca+lof"]:
        reads_errors = name in scorers.REGISTRY and scorers.REGISTRY[name].reads == "window_error"
        values = np.abs(rng.standard_normal((N_CLIPS, 300))) if reads_errors else clips
        scorer = scorers.fit(name, values[:N_TRAIN] if reads_errors else train)
        candidates = {"ours": lambda scorer=scorer, values=values: scorer.score(values)}
        if name in others:
            candidates["scikit-learn"] = others[name]
        taken = harness.seconds(candidates, repeats=repeats)
        row = f"{name:<14}{N_CLIPS / taken['ours']:>12,.0f}"
        if name in others:
            row += f"{N_CLIPS / taken['scikit-learn']:>14,.0f}{taken['scikit-learn'] / taken['ours']:>8.2f}"
        print(row)


def vggish_table(repeats: int, batch: int) -> None:
    try:
        import torch
        from torchvggish.torchvggish import _vgg
    except ImportError as error:
        print(f"\nVGGish: left out, {error}")
        return
    torch.manual_seed(0)
    port = _vgg().eval()
    weights = vggish_weights.from_torch({name: value.numpy() for name, value in port.state_dict().items()})
    params = vggish_embedding.to_params(weights)
    patches = np.random.default_rng(0).standard_normal((batch, 96, 64)).astype(np.float32)
    tensor = torch.tensor(patches)[:, None]

    def theirs() -> object:
        with torch.inference_mode():
            return port(tensor).numpy()

    taken = harness.seconds({"ours": lambda: vggish_embedding.embed(params, patches), "torch": theirs}, repeats=repeats)
    ours, torchs = batch / taken["ours"], batch / taken["torch"]
    print(f"\nVGGish, batches of {batch}, torch with {torch.get_num_threads()} threads")
    print(f"{'':<14}{'embeddings/s':>14}\n{'asd_jax':<14}{ours:>14.1f}\n{'torchvggish':<14}{torchs:>14.1f}")
    print(f"{'ratio':<14}{ours / torchs:>14.2f}   (floor 0.8, goal 1.2)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--force", action="store_true", help="measure on a busy machine; not to be recorded")
    arguments = parser.parse_args()
    harness.describe_machine("scikit-learn", force=arguments.force)
    score_table(arguments.repeats)
    vggish_table(arguments.repeats, arguments.batch)


if __name__ == "__main__":
    main()
