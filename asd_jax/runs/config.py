"""Everything that a run can be told, frozen and complete: what `config.json` holds and reads back."""

import dataclasses
import enum
from collections.abc import Sequence
from typing import Any

from asd_jax import representations, scorers
from asd_jax.datasets import DataConfig
from asd_jax.detectors import thresholds
from asd_jax.detectors.fitted_scorers import ScorerSpec
from asd_jax.detectors.fusion import FusionSpec
from asd_jax.errors import InputError
from asd_jax.features import FRONT_ENDS, AnyFrontEnd, FrontEnd, Vectors
from asd_jax.files import from_json, one_of, sparse, to_json
from asd_jax.representations import Recipe, Trained


class Selection(enum.StrEnum):
    """How settings of the headline scorer are chosen."""

    FIXED = "fixed"
    SEARCH = "search"
    ORACLE_SEARCH = "oracle_search"

    @property
    def stamp(self) -> str:
        """What every results file says: whether a label was looked at."""
        return "oracle" if self is Selection.ORACLE_SEARCH else "label-free"

    @property
    def protocol(self) -> str:
        """The same in words."""
        return {
            Selection.FIXED: "headline scorer and threshold rule fixed beforehand; no setting, epoch or scorer chosen "
            "with test labels",
            Selection.SEARCH: "settings chosen on the normal training clips; no setting or scorer chosen with test "
            "labels",
            Selection.ORACLE_SEARCH: "settings chosen by the labels of the test clips: no result of the method",
        }[self]


@dataclasses.dataclass(frozen=True)
class Supervised:
    """The supervised reference: labelled test clips train too, and are scored by what did not see them.

    Attributes:
        n_folds: parts of the labelled clips, each scored by what the others taught.
        save: keep the detector that is fitted on all of them.
    """

    n_folds: int = 5
    save: bool = False

    def __post_init__(self) -> None:
        if self.n_folds < 2:
            raise InputError(f"`n_folds`={self.n_folds}: give a number above 1")

    @property
    def protocol(self) -> str:
        """How results come about, in words."""
        return (
            f"labelled test clips, anomalous ones too, train in {self.n_folds} folds by recording, each scored by what "
            "the others taught: a ceiling for faults that were recorded, no label-free result"
        )


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that a run can be told.

    Attributes:
        experiment: its name.
        recipe: how the representation is fitted, one of `representations.RECIPES`.
        scorer: the headline scorer, fixed before any result is seen; its label is its key in the results.
        scorers: those reported beside it, as exploratory.
        front_end: from waveform to frames.
        threshold: rule of the decision thresholds.
        selection: of the headline scorer's settings.
        seed: of parameters, order of examples, validation clips, folds, and scorers that draw.
        data: which recordings; by default the built-in synthetic slide rail.
        fusion: of some of the scorers, reported as `fusion`; None for none.
        supervised: learn from labelled clips of both classes; None for label-free runs, which all others are.
    """

    experiment: str
    recipe: Recipe = one_of(lambda: representations.RECIPES, tag="kind")
    scorer: ScorerSpec = dataclasses.field(default_factory=lambda: ScorerSpec("mse"))
    scorers: tuple[ScorerSpec, ...] = ()
    front_end: AnyFrontEnd = one_of(lambda: FRONT_ENDS, tag="kind", default_factory=FrontEnd)
    threshold: str = thresholds.DEFAULT
    selection: Selection = Selection.FIXED
    seed: int = 0
    data: DataConfig = dataclasses.field(default_factory=lambda: DataConfig("slide_rail"))
    fusion: FusionSpec | None = sparse()
    supervised: Supervised | None = sparse()

    @property
    def selection_stamp(self) -> str:
        """What every results file says: whether labels were looked at, and what for."""
        return self.selection.stamp if self.supervised is None else "supervised"

    @property
    def protocol(self) -> str:
        """How settings and parameters come about, in words."""
        chosen = self.selection.protocol if self.supervised is None else self.supervised.protocol
        return "; ".join(part for part in (self.recipe.protocol, chosen) if part)

    @property
    def saves(self) -> bool:
        """Whether the run leaves a detector."""
        return self.supervised is None or self.supervised.save

    def check(self) -> None:
        """Raise InputError for a setting that cannot be, before anything is read or written."""
        thresholds.parse(self.threshold)
        self.recipe.check()
        if not 0 <= self.seed < 2**31:  # scikit-learn takes 32 bits, and the seeds after it must fit too
            raise InputError(f"`seed`={self.seed}: give a number from 0 to {2**31 - 1}")
        if self.selection is Selection.ORACLE_SEARCH and self.data.clip_seconds is not None:
            raise InputError("`oracle_search` reproduces tables of whole clips; leave out `clip_seconds`")
        if (self.scorer.name in scorers.SUPERVISED) != (self.supervised is not None):
            known = ", ".join(scorers.SUPERVISED)
            raise InputError(f"`scorer={self.scorer.name}`: the supervised reference, and it alone, takes {known}")
        if self.data.supplemental and (not isinstance(self.recipe, Trained) or self.supervised):
            raise InputError("`supplemental` has no effect here: it is for networks that are trained on normal clips")
        if isinstance(self.front_end, Vectors) != (self.data.embeddings is not None):
            raise InputError("`embeddings` goes with the front end `vectors`, and neither without the other")
        if self.fusion is not None:
            self.fusion.check([spec.label for spec in (self.scorer, *self.scorers)])
        for spec in self.scorers:
            if spec.label == self.scorer.label:
                raise InputError(f"`scorers`: {spec.label} is the experiment's own scorer; leave it out")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as `from_dict` reads them and `config.json` holds them."""
        settings = to_json(self)
        return {"experiment": settings.pop("experiment"), "settings": settings}

    @classmethod
    def from_dict(cls, config: Any) -> "RunConfig":
        """The config of a run, from its `config.json`.

        Raises:
            InputError: not the config of a run, or one of before there was one kind of run.
        """
        settings = config.get("settings") if isinstance(config, dict) else None
        if not isinstance(settings, dict) or "experiment" not in config:
            raise InputError("not the config of a run: it has no experiment and settings")
        if "recipe" not in settings:
            raise InputError(
                "the config of a run that an earlier version made: it is scored and evaluated as before, and can "
                "neither be resumed nor run again from its config; start a new run"
            )
        front_end = settings.get("front_end")
        if isinstance(front_end, dict):  # runs of before there were two kinds do not say which
            settings = settings | {"front_end": {"kind": FrontEnd.kind, **front_end}}
        return from_json(cls, {"experiment": config["experiment"], **settings})


def exploratory(names: Sequence[str], headline: ScorerSpec) -> tuple[ScorerSpec, ...]:
    """Specs of scorers reported beside the headline, by name; `all` stands for every one that reads vectors."""
    if "all" in names:
        names = [name for name, scorer in scorers.REGISTRY.items() if scorer.reads == "vector"]
        names = [name for name in names if name not in (headline.name, headline.label)]
    return tuple(ScorerSpec(name) for name in dict.fromkeys(names))
