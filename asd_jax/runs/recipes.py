"""The kinds of run that most experiments are: residuals of a network, its embeddings, statistics without one."""

from typing import Any

from asd_jax import scorers
from asd_jax.detectors.fitted_scorers import ScorerSpec
from asd_jax.features import AnyFrontEnd, FrontEnd, Samples, Vectors
from asd_jax.representations import ClipSummary, OverlappingFrames, Trained
from asd_jax.runs.config import RunConfig, exploratory
from asd_jax.training import TrainingConfig
from asd_jax.training.objectives import SubClusterAdaCos

# Isolation forests take longer than all the others together, and are there when asked for.
REPORTED = tuple(name for name in scorers.REGISTRY if name not in ("iforest", "knn_rescaled", "selective_mahalanobis"))
_BY_ANGLE = {"metric": "cosine", "standardize": False}
_NEAREST = {"n_neighbors": 1, "smote": 0.2, **_BY_ANGLE}  # of embeddings, as published systems have it
VECTORS_REPORTED = ("knn", "mahalanobis", "kmeans", "ocsvm", "lof")
EMBEDDING_REPORTED = ("mahalanobis", "selective_mahalanobis", "kmeans", "ocsvm")


def network(experiment: str, model: Any, training: TrainingConfig, *, scorer: str = "mse") -> RunConfig:
    """A network trained to reconstruct or predict log-mels.

    Args:
        experiment: its name.
        model: a config from `models.REGISTRY`.
        training: how it is trained.
        scorer: the headline scorer; nearly all others are reported beside it.
    """
    headline = ScorerSpec(scorer)
    beside = exploratory([name for name in REPORTED if name != scorer], headline)
    return RunConfig(experiment, Trained(model, training), headline, beside)


def statistics(
    experiment: str,
    scorer: str,
    *,
    features: str = "log_mel",
    summary: tuple[str, ...] = ("mean",),
    overlapping_frames: bool = False,
) -> RunConfig:
    """A scorer on statistics of a clip's frames, or on overlapping mel frames.

    Args:
        experiment: its name, and the headline scorer's in the results.
        scorer: name of the scorer.
        features: of a frame, as `FrontEnd.from_names` takes them.
        summary: statistics of a clip's frames.
        overlapping_frames: score overlapping frames of 0.6 s, scaled to [0, 1], and take the mean over a clip.
    """
    front_end = FrontEnd.from_names(features)
    if overlapping_frames:  # the frames' own scale takes the place of the scorer's standardisation
        spec = ScorerSpec(scorer, experiment, {"standardize": False}, "mean")
        return RunConfig(experiment, OverlappingFrames.of_seconds(front_end), spec, front_end=front_end)
    return RunConfig(experiment, ClipSummary(summary), ScorerSpec(scorer, experiment), front_end=front_end)


def pretrained(experiment: str, recipe: Any, scorer: str, *, front_end: AnyFrontEnd) -> RunConfig:
    """A scorer on the vectors of a published network, one a clip.

    Args:
        experiment: its name.
        recipe: the network, of `representations.RECIPES`.
        scorer: name of the headline scorer; further ones are reported beside it.
        front_end: what the network reads.
    """
    headline = ScorerSpec(scorer, settings=_NEAREST if scorer == "knn" else {})
    beside = exploratory([name for name in VECTORS_REPORTED if name != scorer], headline)
    return RunConfig(experiment, recipe, headline, beside, front_end=front_end)


def vectors(experiment: str, scorer: str, *, sample_rate: int = 16_000) -> RunConfig:
    """A scorer on vectors that were computed elsewhere, one a clip: `data.embeddings` names their file.

    Args:
        experiment: its name.
        scorer: name of the headline scorer; further ones are reported beside it.
        sample_rate: in Hz, of the recordings beside them, which the control hears.
    """
    return pretrained(experiment, ClipSummary(), scorer, front_end=Vectors(sample_rate))


def embedding(experiment: str, model: Any, training: TrainingConfig) -> RunConfig:
    """A network that tells normal clips apart, scored by the distance to the nearest normal embedding.

    Args:
        experiment: its name.
        model: a config from `models.EMBEDDINGS`.
        training: how it is trained.
    """
    headline = ScorerSpec("knn", settings=_NEAREST)
    beside = (ScorerSpec("knn_rescaled", settings=_BY_ANGLE), *exploratory(EMBEDDING_REPORTED, headline))
    recipe = Trained(model, training, SubClusterAdaCos())
    return RunConfig(experiment, recipe, headline, beside, front_end=Samples(model.sample_rate))
