"""Objectives: what training minimises. A new one is a file here and a line in `REGISTRY`."""

from asd_jax.training.objectives.objective import Objective
from asd_jax.training.objectives.reconstruction import Reconstruction

REGISTRY = {objective.name: objective for objective in (Reconstruction,)}

__all__ = ["REGISTRY", "Objective", "Reconstruction"]
