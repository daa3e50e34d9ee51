"""What a scorer looks at: a clip's window errors and one vector, from a network's residual or from statistics.

A representation is a frozen object called with the clips and their machines. Its `window_error` feeds error scorers
(None where there is no network), its `vector` feeds vector scorers.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from asd_jax.datasets.clips import Machine
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import from_json, to_json
from asd_jax.representations.window_vectors import WindowVectors


@dataclasses.dataclass(frozen=True)
class ClipRepresentation:
    """What a representation says of clips.

    Attributes:
        vector: `(n_clips, dim)`.
        window_error: `(n_clips, max_windows)` mean squared residual of each window, NaN where a clip has no such
            window; None for a representation without a network.
        window_vector: a vector for each window; None for a representation of whole clips.
        is_target: `(n_clips,)` which clips are of the target domain; None where no domains are told apart.
    """

    vector: Float[np.ndarray, "n_clips dim"]
    window_error: Float[np.ndarray, "n_clips max_windows"] | None = None
    window_vector: WindowVectors | None = None
    is_target: Bool[np.ndarray, " n_clips"] | None = None

    def __len__(self) -> int:
        return len(self.vector)

    @property
    def itself(self) -> "ClipRepresentation":
        """All of it, for what reads more than one part."""
        return self

    def of(self, chosen: np.ndarray) -> "ClipRepresentation":
        """The clips that a boolean mask or an index array chooses."""
        errors = None if self.window_error is None else self.window_error[chosen]
        windows = None if self.window_vector is None else self.window_vector.of(chosen)
        domains = None if self.is_target is None else self.is_target[chosen]
        return ClipRepresentation(self.vector[chosen], errors, windows, domains)


class ClipArrays(NamedTuple):
    """`ClipRepresentation` of clips of one length as JAX arrays, on their way through a compiled or exported program.

    Attributes:
        vector: `(n_clips, dim)`.
        window_error: `(n_clips, n_windows)`; None without a network.
        window_vector: `(n_clips, n_windows, dim)`; None for a representation of whole clips.
    """

    vector: Float[Array, "n_clips dim"]
    window_error: Float[Array, "n_clips n_windows"] | None = None
    window_vector: Float[Array, "n_clips n_windows width"] | None = None

    @property
    def itself(self) -> "ClipArrays":
        """All of it, for what reads more than one part."""
        return self


@runtime_checkable
class Representation(Protocol):
    """The contract of this module."""

    def __call__(self, clips: StoredClips, machines: Sequence[Machine]) -> ClipRepresentation:
        """Represent each clip, knowing which machine it is of."""

    def of_frames(self, frames: Float[Array, "n_clips n_frames *n_features"], machine: Machine) -> ClipArrays:
        """The same of clips of one length and machine as a pure function: what is exported."""

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """JSON settings and arrays, from which `from_state` rebuilds it."""


class Plain:
    """What representations share whose fields are all that they are: they are saved without arrays."""

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings; there are no arrays."""
        return {"kind": self.kind, **to_json(self)}, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> Any:
        """Rebuild from `to_state`."""
        return from_json(cls, {name: value for name, value in settings.items() if name != "kind"})
