"""Clips → parameters."""

from asd_jax.training import plan

__all__ = ["plan"]
