"""One network a machine: each clip is seen by its own machine's."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import PyTree

from asd_jax.datasets.clips import Machine
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import ClipRepresentation
from asd_jax.representations.residual import Residual


@dataclasses.dataclass(frozen=True)
class PerMachine:
    """One network a machine: a clip is represented by its own machine's, which sees no other clip.

    All networks have one number of features.
    """

    kind = "per_machine"

    parts: dict[Machine, Residual]

    def __call__(self, clips: StoredClips, machines: Sequence[Machine]) -> ClipRepresentation:
        """Represent each clip, all of machines that there is a network for."""
        chosen = {machine: [i for i, of in enumerate(machines) if of == machine] for machine in dict.fromkeys(machines)}
        values = {m: self.parts[m](clips.select(np.asarray(rows)), [m] * len(rows)) for m, rows in chosen.items()}
        n_windows = max(part.window_error.shape[1] for part in values.values())
        errors = np.full((len(clips), n_windows), np.nan, np.float32)
        vectors = np.empty((len(clips), next(iter(values.values())).vector.shape[1]), np.float32)
        for machine, part in values.items():
            vectors[chosen[machine]] = part.vector
            errors[chosen[machine], : part.window_error.shape[1]] = part.window_error
        return ClipRepresentation(vectors, errors)

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays, the parts by machine type and id."""
        settings: dict[str, Any] = {}
        arrays: dict[str, Any] = {}
        for (machine_type, machine_id), part in self.parts.items():
            state = part.to_state()
            settings.setdefault(machine_type, {})[machine_id], arrays.setdefault(machine_type, {})[machine_id] = state
        return {"kind": self.kind, "parts": settings}, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "PerMachine":
        """Rebuild from `to_state`."""
        return cls(
            {
                Machine(machine_type, machine_id): Residual.from_state(saved, arrays[machine_type][machine_id])
                for machine_type, by_id in settings["parts"].items()
                for machine_id, saved in by_id.items()
            }
        )
