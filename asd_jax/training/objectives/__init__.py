"""Objectives: what training minimises. A new one is a file here and a line in `REGISTRY`."""

from asd_jax.training.objectives.adaproj import AdaProj
from asd_jax.training.objectives.arcface import ArcFace
from asd_jax.training.objectives.classification import Classification, WithHead
from asd_jax.training.objectives.objective import Objective
from asd_jax.training.objectives.reconstruction import Reconstruction
from asd_jax.training.objectives.scadacos import SubClusterAdaCos

REGISTRY = {
    objective.name: objective
    for objective in (
        Reconstruction,
        SubClusterAdaCos,
        AdaProj,
        ArcFace,
    )
}

__all__ = [
    "REGISTRY",
    "AdaProj",
    "ArcFace",
    "Classification",
    "Objective",
    "Reconstruction",
    "SubClusterAdaCos",
    "WithHead",
]
