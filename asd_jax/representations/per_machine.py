"""One network a machine: each clip is seen by its own machine's."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Array, Float, PyTree

from asd_jax.datasets.clips import Machine
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import ClipArrays, ClipRepresentation
from asd_jax.representations.residual import Residual


@dataclasses.dataclass(frozen=True)
class PerMachine:
    """The residual of each machine's own network."""

    kind = "per_machine"

    parts: dict[Machine, Residual]

    def __call__(self, clips: StoredClips, machines: Sequence[Machine]) -> ClipRepresentation:
        """Represent each clip by its machine's network, which sees no other clips.

        Raises:
            KeyError: a machine without a network.
        """
        found = {}
        for machine in dict.fromkeys(machines):
            mine = np.flatnonzero([machine == of for of in machines])
            values = self.parts[machine](clips.select(mine), [machine] * len(mine))
            found[machine] = mine, values
        widest = max(values.window_error.shape[1] for _, values in found.values())
        errors = np.full((len(clips), widest), np.nan, np.float32)
        vectors = np.empty((len(clips), values.vector.shape[1]), np.float32)
        for mine, values in found.values():
            errors[mine, : values.window_error.shape[1]] = values.window_error
            vectors[mine] = values.vector
        return ClipRepresentation(vectors, errors)

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`."""
        return self.parts[machine].of_frames(frames, machine)

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays, by machine type and id."""
        settings: dict[str, Any] = {}
        arrays: dict[str, Any] = {}
        for machine, part in self.parts.items():
            of_type = settings.setdefault(machine.machine_type, {}), arrays.setdefault(machine.machine_type, {})
            of_type[0][machine.machine_id], of_type[1][machine.machine_id] = part.to_state()
        return {"kind": self.kind, "parts": settings}, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "PerMachine":
        """Rebuild from `to_state`."""
        return cls(
            {
                Machine(of_type, machine_id): Residual.from_state(saved, arrays[of_type][machine_id])
                for of_type, by_id in settings["parts"].items()
                for machine_id, saved in by_id.items()
            }
        )
