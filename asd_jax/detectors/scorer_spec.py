"""Which scorer a run fits, with which settings, and on which part of a representation."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from asd_jax import scorers
from asd_jax.errors import InputError
from asd_jax.representations.representation import ClipRepresentation
from asd_jax.representations.window_vectors import WindowVectors

DEFAULT = ("mse", "mahalanobis")
_N_FOLDS, _N_FOLDS_OF_WINDOWS = 20, 5
_MAX_WINDOWS = 20_000  # of a machine, unless the scorer says otherwise


@dataclasses.dataclass(frozen=True)
class ScorerSpec:
    """A scorer that a run is to fit.

    Attributes:
        name: of the scorer, such as `gmm` or `pca+lof`.
        label: its name in the results; the scorer's by default.
        settings: of the scorer; what is left out keeps its default.
        pool: rule by which scores of windows become a clip's (`mean`, `max`, `gwrp`); None reads one vector a clip.
        search: choose further settings on the training clips, per machine (see `scorers.search`).
    """

    name: str
    label: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pool: str | None = None
    search: bool = False

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.name)
        scorer = scorers.get(self.name)
        if self.pool is None:
            return
        if self.pool not in scorers.POOLING_RULES:
            raise InputError(f"no pooling rule {self.pool!r}; there are {', '.join(scorers.POOLING_RULES)}")
        if scorer.reads != "vector" or getattr(scorer, "clip_level", False):
            raise InputError(f"{self.name} scores whole clips, not windows; leave the frames out")

    @property
    def reads(self) -> str:
        """The part of a representation that it is fitted on."""
        return scorers.get(self.name).reads if self.pool is None else "window_vector"

    @property
    def min_clips(self) -> int:
        """Fewest clips that it can be fitted on."""
        return getattr(scorers.get(self.name), "min_clips", 1) if self.pool is None else 1

    @property
    def max_windows(self) -> int:
        """Most windows of a machine that it is fitted on."""
        return getattr(scorers.get(self.name), "max_windows", _MAX_WINDOWS)

    @property
    def n_folds(self) -> int:
        """Parts of the clips that it is refitted without, for scores that imitate unseen clips.

        A scorer fitted on four fifths of the clips is further from a new clip than the one that serves: where there are
        few more clips than numbers in a vector, a full covariance's scores were twice too high. Windows are many.
        """
        return getattr(scorers.get(self.name), "n_folds", _N_FOLDS) if self.pool is None else _N_FOLDS_OF_WINDOWS

    def seeded(self, seed: int) -> dict[str, Any]:
        """Its settings, with the seed where it draws."""
        return ({"seed": seed} if getattr(scorers.get(self.name), "seeded", False) else {}) | dict(self.settings)

    def inputs(self, values: ClipRepresentation, *, seed: int) -> np.ndarray:
        """What it is fitted on: a row a clip, or at most `max_windows` of the windows."""
        given = getattr(values, self.reads)
        return given.sample(self.max_windows, seed=seed) if isinstance(given, WindowVectors) else given

    def fit(self, values: ClipRepresentation, settings: Mapping[str, Any], *, seed: int) -> Any:
        """The scorer fitted on normal clips, told their domains where it knows what to do with them."""
        if (
            self.pool is None
            and values.is_target is not None
            and getattr(scorers.get(self.name), "knows_domains", False)
        ):
            settings = {**settings, "is_target": values.is_target}
        return scorers.fit(self.name, self.inputs(values, seed=seed), **settings)

    def score(self, scorer: Any, values: ClipRepresentation) -> np.ndarray:
        """A fitted scorer's scores of clips, or of the windows that are to be pooled: a row a clip."""
        given = getattr(values, self.reads)
        return given.score(scorer.score) if isinstance(given, WindowVectors) else scorer.score(given)


def readable(values: ClipRepresentation, names: Iterable[str] = DEFAULT) -> tuple[ScorerSpec, ...]:
    """Those of some scorers that can read the clips of a representation."""
    specs = (ScorerSpec(name) for name in names)
    return tuple(spec for spec in specs if getattr(values, spec.reads) is not None)
