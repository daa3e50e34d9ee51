"""One network a machine: each clip is seen by its own machine's."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from jaxtyping import PyTree

from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import ClipRepresentation, Representation
from asd_jax.representations.residual import Residual


@dataclasses.dataclass(frozen=True)
class PerMachine:
    """One network a machine id: a clip is represented by its own id's."""

    kind = "per_machine"

    parts: dict[str, Residual]

    def of_machine(self, machine_id: str) -> Residual:
        """The representation of an id."""
        return self.parts[machine_id]

    def __call__(self, clips: StoredClips) -> ClipRepresentation:
        """There is no representation that holds for all ids."""
        raise TypeError("take of_machine(machine_id) of a representation per machine id")

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays."""
        states = {machine_id: part.to_state() for machine_id, part in self.parts.items()}
        settings = {"kind": self.kind, "parts": {machine_id: state[0] for machine_id, state in states.items()}}
        return settings, {machine_id: state[1] for machine_id, state in states.items()}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "PerMachine":
        """Rebuild from `to_state`."""
        parts = settings["parts"]
        return cls({machine_id: Residual.from_state(parts[machine_id], arrays[machine_id]) for machine_id in parts})


def represent(representation: Representation, clips: StoredClips) -> Callable[[str], ClipRepresentation]:
    """Clips as each machine id sees them: the same for all ids, unless the representation is one a machine id.

    Returns:
        from a machine id to the representation of all clips, computed when it is first asked for.
    """
    if isinstance(representation, PerMachine):
        return functools.cache(lambda machine_id: representation.of_machine(machine_id)(clips))
    shared = functools.cache(lambda: representation(clips))
    return lambda machine_id: shared()
