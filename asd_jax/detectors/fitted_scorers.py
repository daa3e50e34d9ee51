"""Scorers fitted for each machine id, with their thresholds: what a detector holds."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax import scorers
from asd_jax.datasets.clips import recording_index
from asd_jax.detectors import thresholds
from asd_jax.detectors.recording_scores import of_recordings
from asd_jax.detectors.thresholds import Threshold
from asd_jax.errors import InputError
from asd_jax.representations.representation import ClipRepresentation
from asd_jax.representations.window_vectors import WindowVectors

DEFAULT = ("mse", "mahalanobis")
_MAX_WINDOWS = 20_000  # of an id, unless the scorer says otherwise


@dataclasses.dataclass(frozen=True)
class ScorerSpec:
    """A scorer that a run is to fit.

    Attributes:
        name: of the scorer, such as `gmm` or `pca+lof`.
        label: its name in the results; the scorer's by default.
        settings: of the scorer; what is left out keeps its default.
        pool: rule by which scores of windows become a clip's (`mean`, `max`, `gwrp`); None reads one vector a clip.
        search: choose further settings on the training clips, per machine id (see `scorers.search`).
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
        """Most windows of a machine id that it is fitted on."""
        return getattr(scorers.get(self.name), "max_windows", _MAX_WINDOWS)


@dataclasses.dataclass(frozen=True)
class FittedScorer:
    """A scorer for one machine id.

    Attributes:
        scorer: fitted on all normal training clips of the id.
        normal_scores: sorted scores of normal clips, or of recordings where they were cut into clips, that the scorer
            was not fitted on.
        threshold: fitted on `normal_scores`.
        pool: see `ScorerSpec`.
        window_threshold: of single windows, for a scorer that pools them; None under a rule that came later.
        settings: what it was fitted with beside the defaults.
        note: what a reader of the results should know.
        other_thresholds: by the other rules that are reported, which make no decisions unless asked for.
    """

    scorer: Any
    normal_scores: Float[np.ndarray, " n_normal"]
    threshold: Threshold
    pool: str | None = None
    window_threshold: Threshold | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    note: str = ""
    other_thresholds: tuple[Threshold, ...] = ()

    def at(self, rule: str) -> Threshold:
        """The threshold of a rule, fitted on `normal_scores` where it is none of those kept."""
        for threshold in (self.threshold, *self.other_thresholds):
            if threshold.name == rule:
                return threshold
        return thresholds.fit(rule, self.normal_scores, fitted_on=self.threshold.fitted_on)

    def deciding_by(self, rule: str) -> "FittedScorer":
        """The same scorer with another rule for its decisions, which are of clips: scores of windows are not kept."""
        if rule == self.threshold.name:
            return self
        chosen = self.at(rule)
        others = tuple(known for known in (self.threshold, *self.other_thresholds) if known.name != rule)
        return dataclasses.replace(self, threshold=chosen, other_thresholds=others, window_threshold=None)

    def score(self, values: ClipRepresentation) -> Float[np.ndarray, " n_clips"]:
        """Score of each clip."""
        if self.pool is not None:
            return scorers.pool(self.pool, self.score_windows(values))
        return self.scorer.score(getattr(values, self.scorer.reads))

    def score_windows(self, values: ClipRepresentation) -> Float[np.ndarray, "n_clips max_windows"]:
        """Score of each window of each clip, NaN where a clip has no such window."""
        return values.window_vector.score(self.scorer.score)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON settings and arrays, from which `from_state` rebuilds it."""
        state = scorers.to_state(self.scorer)
        arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
        settings = {
            "scorer": self.scorer.name,
            "state": {key: value for key, value in state.items() if key not in arrays},
            "threshold": self.threshold.to_dict(),
            "pool": self.pool,
            "window_threshold": self.window_threshold and self.window_threshold.to_dict(),
            "settings": dict(self.settings),
            "note": self.note,
            "other_thresholds": [threshold.to_dict() for threshold in self.other_thresholds],
        }
        return settings, {"scorer": arrays, "normal_scores": self.normal_scores}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, Any]) -> "FittedScorer":
        """Rebuild from `to_state`."""
        window_threshold = settings["window_threshold"]
        return cls(
            scorers.from_state(settings["scorer"], settings["state"] | arrays["scorer"]),
            arrays["normal_scores"],
            Threshold.from_dict(settings["threshold"]),
            settings["pool"],
            window_threshold and Threshold.from_dict(window_threshold),
            settings["settings"],
            settings["note"],
            # Runs of before there were other rules have none.
            tuple(Threshold.from_dict(saved) for saved in settings.get("other_thresholds", ())),
        )


def readable(values: ClipRepresentation, names: Iterable[str] = DEFAULT) -> tuple[ScorerSpec, ...]:
    """Those of some scorers that can read the clips of a representation."""
    specs = (ScorerSpec(name) for name in names)
    return tuple(spec for spec in specs if getattr(values, spec.reads) is not None)


def fit_scorers(
    values: ClipRepresentation,
    machine_ids: Sequence[str],
    *,
    recordings: Sequence[str] | None = None,
    held_out: Bool[np.ndarray, " n_clips"] | None = None,
    specs: Sequence[ScorerSpec] | None = None,
    threshold: str = thresholds.DEFAULT,
    seed: int = 0,
) -> dict[str, dict[str, FittedScorer]]:
    """Fit scorers for each machine id on its normal training clips.

    Args:
        values: the training clips, all normal.
        machine_ids: of each clip.
        recordings: that each clip was cut from: folds keep them together, and thresholds are those of recordings,
            whose score is that of the worst clip. Each clip is its own by default.
        held_out: clips that the network was not trained on. Their scores set the thresholds of error scorers; the
            others are refitted in five folds over all clips instead.
        specs: the scorers; those of `DEFAULT` that can read the representation by default.
        threshold: rule of the thresholds, such as `gamma_0.9`.
        seed: of the folds, and of scorers that draw.

    Returns:
        fitted scorers by label and machine id.

    Raises:
        InputError: a scorer reads what the representation does not give, or an id has too few clips for it.
    """
    ids = np.asarray(machine_ids)
    sources = np.asarray([str(i) for i in range(len(ids))] if recordings is None else recordings)
    held_out = np.zeros(len(ids), bool) if held_out is None else held_out
    fitted: dict[str, dict[str, FittedScorer]] = {}
    for spec in readable(values) if specs is None else specs:
        if getattr(values, spec.reads) is None:
            read = spec.reads.replace("_", " ")
            raise InputError(f"scorer {spec.label} reads the {read}s of clips, which this representation does not give")
        fitted[spec.label] = {}
        for machine_id in sorted(set(machine_ids)):
            of_id = ids == machine_id
            part = values.of(of_id)
            if len(part) < spec.min_clips:
                raise InputError(
                    f"scorer {spec.label} needs at least {spec.min_clips} normal training clips of {machine_id}, "
                    f"got {len(part)}"
                )
            fitted[spec.label][machine_id] = _fit_one(
                spec, part, held_out[of_id], recording_index(sources[of_id].tolist()), threshold, seed
            )
    return fitted


def fit_scores(
    spec: ScorerSpec,
    train: ClipRepresentation,
    train_ids: Sequence[str],
    test: ClipRepresentation,
    test_ids: Sequence[str],
    *,
    seed: int,
) -> Float[np.ndarray, " n_test"]:
    """Scores of test clips by a scorer fitted for each machine id, without thresholds."""
    scores = np.full(len(test_ids), np.nan)
    for machine_id in sorted(set(test_ids)):
        scorer = _fit(spec, train.of(np.asarray(train_ids) == machine_id), _settings(spec, seed), seed)
        of_id = np.asarray(test_ids) == machine_id
        raw = _score(spec, scorer, test.of(of_id))
        scores[of_id] = raw if spec.pool is None else scorers.pool(spec.pool, raw)
    return scores


def _settings(spec: ScorerSpec, seed: int) -> dict[str, Any]:
    seeded = {"seed": seed} if getattr(scorers.get(spec.name), "seeded", False) else {}
    return seeded | dict(spec.settings)


def _inputs(spec: ScorerSpec, values: ClipRepresentation, seed: int) -> np.ndarray:
    """What a scorer is fitted on: a row a clip, or at most `max_windows` of the windows."""
    given = getattr(values, spec.reads)
    if isinstance(given, WindowVectors):
        return given.sample(spec.max_windows, seed=seed)
    return given


def _fit(spec: ScorerSpec, values: ClipRepresentation, settings: Mapping[str, Any], seed: int) -> Any:
    return scorers.fit(spec.name, _inputs(spec, values, seed), **settings)


def _score(spec: ScorerSpec, scorer: Any, values: ClipRepresentation) -> np.ndarray:
    """Scores of clips, or of the windows that are to be pooled."""
    given = getattr(values, spec.reads)
    return given.score(scorer.score) if isinstance(given, WindowVectors) else scorer.score(given)


def _fit_one(
    spec: ScorerSpec,
    values: ClipRepresentation,
    held_out: np.ndarray,
    recording: np.ndarray,
    threshold: str,
    seed: int,
) -> FittedScorer:
    """A scorer of one machine id and its thresholds."""
    n_recordings = int(recording.max()) + 1
    what = "clip" if n_recordings == len(values) else "recording"
    fold = thresholds.folds(n_recordings, seed=seed)[recording]
    fewest = min(np.count_nonzero(fold != k) for k in range(fold.max() + 1))
    settings, note = _settings(spec, seed), ""
    if spec.pool is not None and (total := int(values.window_vector.n_windows.sum())) > spec.max_windows:
        note = f"fitted on {spec.max_windows} of its {total} windows, drawn with seed {seed}"
    if spec.search:
        groups = recording if spec.pool is None else None  # windows are a draw from all clips
        inputs = _inputs(spec, values, seed)
        settings |= scorers.search(spec.name, inputs, groups=groups, **({"seed": seed} | settings))
    scorer = _fit(spec, values, settings, seed)
    if spec.reads == "window_error":
        unseen = held_out if held_out.any() else np.ones(len(held_out), bool)
        source = f"validation {what}s" if held_out.any() else f"training {what}s (no validation {what}s)"
        recording = recording[unseen]
        scores = _score(spec, scorer, values.of(unseen))
    elif fewest >= spec.min_clips:
        source, scores = f"out-of-fold training {what}s", _out_of_fold(spec, values, settings, fold, seed)
    else:
        source, scores = f"the {n_recordings} training {what}(s) it was fitted on", _score(spec, scorer, values)

    window_threshold = None
    if spec.pool is not None:
        window_threshold = thresholds.fit(threshold, scores[~np.isnan(scores)], fitted_on=source)
        scores = scorers.pool(spec.pool, scores)
    scores = of_recordings(scores, recording_index([str(number) for number in recording]))
    rules = dict.fromkeys((threshold, *thresholds.REPORTED))
    limit, *others = (thresholds.fit(rule, scores, fitted_on=source) for rule in rules)
    return FittedScorer(
        scorer, np.sort(scores), limit, spec.pool, window_threshold, settings, note, other_thresholds=tuple(others)
    )


def _out_of_fold(
    spec: ScorerSpec, values: ClipRepresentation, settings: Mapping[str, Any], fold: np.ndarray, seed: int
) -> np.ndarray:
    """Scores of each clip, or of its windows, by a scorer refitted on the clips of the other folds."""
    parts = {}
    for k in range(fold.max() + 1):
        parts[k] = _score(spec, _fit(spec, values.of(fold != k), settings, seed), values.of(fold == k))
    scores = np.full((len(values), *np.max([part.shape[1:] for part in parts.values()], axis=0)), np.nan)
    for k, part in parts.items():
        scores[(fold == k, *(slice(width) for width in part.shape[1:]))] = part
    return scores
