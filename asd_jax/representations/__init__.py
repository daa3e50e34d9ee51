"""From a clip's frames to what scorers read: window errors and vectors.

`REGISTRY` holds the kinds of representation by name, as a detector's bundle does.
"""

from asd_jax.representations.clip_summary import ClipSummary
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.representations.overlapping_frames import OverlappingFrames
from asd_jax.representations.per_machine import PerMachine
from asd_jax.representations.representation import ClipRepresentation, Representation
from asd_jax.representations.residual import Residual
from asd_jax.representations.vggish import VGGishEmbedding
from asd_jax.representations.window_vectors import WindowVectors

REGISTRY = {
    kind.kind: kind for kind in (Residual, PerMachine, FrameMean, ClipSummary, OverlappingFrames, VGGishEmbedding)
}

__all__ = [
    "REGISTRY",
    "ClipRepresentation",
    "ClipSummary",
    "FrameMean",
    "OverlappingFrames",
    "PerMachine",
    "Representation",
    "Residual",
    "VGGishEmbedding",
    "WindowVectors",
]
