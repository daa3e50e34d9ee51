"""From a clip's frames to what scorers read: window errors and vectors; each kind knows how it is fitted.

`RECIPES` holds what a run can be told to fit, `REGISTRY` what a detector's bundle holds, by name.
"""

from asd_jax.representations.clip_summary import ClipSummary
from asd_jax.representations.efficientat import EfficientATEmbedding
from asd_jax.representations.embedding import Embedding
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.representations.overlapping_frames import OverlappingFrames
from asd_jax.representations.per_machine import PerMachine
from asd_jax.representations.recipe import Fit, Hooks, Recipe
from asd_jax.representations.representation import ClipRepresentation, Representation
from asd_jax.representations.residual import Residual
from asd_jax.representations.trained import Trained
from asd_jax.representations.vggish import VGGishEmbedding
from asd_jax.representations.window_vectors import WindowVectors

REGISTRY = {
    kind.kind: kind
    for kind in (
        Residual,
        PerMachine,
        Embedding,
        FrameMean,
        ClipSummary,
        OverlappingFrames,
        VGGishEmbedding,
        EfficientATEmbedding,
    )
}
RECIPES = {kind.kind: kind for kind in (Trained, ClipSummary, OverlappingFrames, VGGishEmbedding, EfficientATEmbedding)}

__all__ = [
    "RECIPES",
    "REGISTRY",
    "ClipRepresentation",
    "ClipSummary",
    "EfficientATEmbedding",
    "Embedding",
    "Fit",
    "FrameMean",
    "Hooks",
    "OverlappingFrames",
    "PerMachine",
    "Recipe",
    "Representation",
    "Residual",
    "Trained",
    "VGGishEmbedding",
    "WindowVectors",
]
