"""Scorers fitted for each machine, with their thresholds: what a detector holds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax import scorers
from asd_jax.datasets.clips import Machine, recording_index
from asd_jax.detectors import thresholds
from asd_jax.detectors.scorer_spec import DEFAULT, ScorerSpec, readable
from asd_jax.detectors.thresholds import Source, Threshold
from asd_jax.errors import InputError
from asd_jax.representations.representation import ClipRepresentation

__all__ = ["DEFAULT", "FittedScorer", "ScorerSpec", "fit_scorers", "fit_scores", "readable"]


@dataclasses.dataclass(frozen=True)
class FittedScorer:
    """A scorer for one machine.

    Attributes:
        scorer: fitted on all normal training clips of the machine.
        normal_scores: sorted scores of normal clips that the scorer was not fitted on; of recordings in bundles of
            before detectors knew how long their clips are.
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
        known = self.threshold
        return thresholds.fit(rule, self.normal_scores, source=known.source, of_recordings=known.of_recordings)

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
            tuple(Threshold.from_dict(saved) for saved in settings["other_thresholds"]),
        )


def fit_scorers(
    values: ClipRepresentation,
    machines: Sequence[Machine],
    *,
    recordings: Sequence[str] | None = None,
    held_out: Bool[np.ndarray, " n_clips"] | None = None,
    specs: Sequence[ScorerSpec] | None = None,
    threshold: str = thresholds.DEFAULT,
    seed: int = 0,
) -> dict[str, dict[Machine, FittedScorer]]:
    """Fit scorers for each machine on its normal training clips.

    Args:
        values: the training clips, all normal.
        machines: of each clip.
        recordings: that each clip was cut from: folds keep them together. Each clip is its own by default.
        held_out: clips that the network was not trained on. Their scores set the thresholds of error scorers; the
            others are refitted in five folds over all clips instead.
        specs: the scorers; those of `DEFAULT` that can read the representation by default.
        threshold: rule of the thresholds, such as `gamma_0.9`.
        seed: of the folds, and of scorers that draw.

    Returns:
        fitted scorers by label and machine.

    Raises:
        InputError: a scorer reads what the representation does not give, or a machine has too few clips for it.
    """
    sources = np.asarray([str(i) for i in range(len(machines))] if recordings is None else recordings)
    held_out = np.zeros(len(machines), bool) if held_out is None else held_out
    fitted: dict[str, dict[Machine, FittedScorer]] = {}
    for spec in readable(values) if specs is None else specs:
        if getattr(values, spec.reads) is None:
            read = spec.reads.replace("_", " ")
            raise InputError(f"scorer {spec.label} reads the {read}s of clips, which this representation does not give")
        fitted[spec.label] = {}
        for machine in sorted(set(machines)):
            own = np.asarray([of == machine for of in machines])
            part = values.of(own)
            if len(part) < spec.min_clips:
                raise InputError(
                    f"scorer {spec.label} needs at least {spec.min_clips} normal training clips of "
                    f"{machine.machine_id}, got {len(part)}"
                )
            recording = recording_index(sources[own].tolist())
            fitted[spec.label][machine] = _fit_one(spec, part, held_out[own], recording, threshold, seed)
    return fitted


def fit_scores(
    spec: ScorerSpec,
    train: ClipRepresentation,
    train_machines: Sequence[Machine],
    test: ClipRepresentation,
    test_machines: Sequence[Machine],
    *,
    seed: int,
) -> Float[np.ndarray, " n_test"]:
    """Scores of test clips by a scorer fitted for each machine, without thresholds."""
    scores = np.full(len(test_machines), np.nan)
    for machine in sorted(set(test_machines)):
        normal, own = (np.asarray([of == machine for of in machines]) for machines in (train_machines, test_machines))
        raw = spec.score(spec.fit(train.of(normal), spec.seeded(seed), seed=seed), test.of(own))
        scores[own] = raw if spec.pool is None else scorers.pool(spec.pool, raw)
    return scores


def _fit_one(
    spec: ScorerSpec,
    values: ClipRepresentation,
    held_out: np.ndarray,
    recording: np.ndarray,
    threshold: str,
    seed: int,
) -> FittedScorer:
    """A scorer of one machine and its thresholds."""
    settings, note = spec.seeded(seed), ""
    if spec.pool is not None and (total := int(values.window_vector.n_windows.sum())) > spec.max_windows:
        note = f"fitted on {spec.max_windows} of its {total} windows, drawn with seed {seed}"
    if spec.search:
        groups = recording if spec.pool is None else None  # windows are a draw from all clips
        inputs = spec.inputs(values, seed=seed)
        settings |= scorers.search(spec.name, inputs, groups=groups, **({"seed": seed} | settings))
    scorer = spec.fit(values, settings, seed=seed)
    source, scores = _normal_scores(spec, scorer, values, settings, held_out, recording, seed)

    window_threshold = None
    if spec.pool is not None:
        window_threshold = thresholds.fit(threshold, scores[~np.isnan(scores)], source=source)
        scores = scorers.pool(spec.pool, scores)
    rules = dict.fromkeys((threshold, *thresholds.REPORTED))
    limit, *others = (thresholds.fit(rule, scores, source=source) for rule in rules)
    return FittedScorer(
        scorer, np.sort(scores), limit, spec.pool, window_threshold, settings, note, other_thresholds=tuple(others)
    )


def _normal_scores(
    spec: ScorerSpec,
    scorer: Any,
    values: ClipRepresentation,
    settings: Mapping[str, Any],
    held_out: np.ndarray,
    recording: np.ndarray,
    seed: int,
) -> tuple[Source, np.ndarray]:
    """Scores of normal clips that imitate unseen ones, and where they come from."""
    if spec.reads == "window_error":
        if not held_out.any():
            return Source.TRAINING_WITHOUT_VALIDATION, spec.score(scorer, values)
        return Source.VALIDATION, spec.score(scorer, values.of(held_out))
    fold = thresholds.folds(int(recording.max()) + 1, seed=seed)[recording]
    if min(np.count_nonzero(fold != k) for k in range(fold.max() + 1)) < spec.min_clips:
        return Source.IN_SAMPLE, spec.score(scorer, values)

    def score_unseen(others: np.ndarray, own: np.ndarray) -> np.ndarray:
        return spec.score(spec.fit(values.of(others), settings, seed=seed), values.of(own))

    return Source.OUT_OF_FOLD, thresholds.out_of_fold_scores(score_unseen, fold)
