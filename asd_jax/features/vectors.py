"""A front end for vectors that were computed elsewhere: a clip comes as one, and nothing is heard."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from asd_jax.features.stored_clips import StoredClips


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Vectors of any network, one a clip, in the place of frames.

    Attributes:
        sample_rate: in Hz, of the recordings beside them, which the control without a network hears.
    """

    kind: ClassVar[str] = "vectors"
    features: ClassVar[tuple[str, ...]] = ("vectors",)
    hop_length: ClassVar[int] = 1

    sample_rate: int = 16_000

    def n_frames(self, n_samples: int) -> int:
        """One a clip."""
        return 1

    def store(self, vectors: Float[np.ndarray, "n_clips dim"]) -> StoredClips:
        """Vectors as clips of one frame each."""
        start = np.arange(len(vectors), dtype=np.int64)
        return StoredClips(np.ascontiguousarray(vectors, np.float32), start, np.ones_like(start))

    def to_dict(self) -> dict[str, Any]:
        """Settings as plain JSON values."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "Vectors":
        """The front end that `to_dict` described."""
        return cls(**settings)
