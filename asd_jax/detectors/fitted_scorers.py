"""Scorers fitted for each machine, with their thresholds: what a detector holds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax import scorers
from asd_jax.datasets.clips import Machine, recording_index
from asd_jax.detectors import thresholds
from asd_jax.detectors.calibration import Calibrated, fit_threshold
from asd_jax.detectors.fusion import LABEL, FusedScorer, FusionSpec
from asd_jax.detectors.gap import Gap
from asd_jax.detectors.scorer_spec import DEFAULT, ScorerSpec, readable
from asd_jax.detectors.thresholds import Source, Threshold
from asd_jax.errors import InputError
from asd_jax.representations.representation import ClipArrays, ClipRepresentation

__all__ = ["DEFAULT", "FittedScorer", "ScorerSpec", "fit_scorers", "fit_scores", "readable"]


@dataclasses.dataclass(frozen=True)
class FittedScorer(Calibrated):
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
        validation_scores: of clips that neither the scorer nor the network was fitted on, for rules that promise
            something; None where there are none, and then `normal_scores` serve.
    """

    scorer: Any
    normal_scores: Float[np.ndarray, " n_normal"]
    threshold: Threshold
    pool: str | None = None
    window_threshold: Threshold | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    note: str = ""
    other_thresholds: tuple[Threshold, ...] = ()
    validation_scores: Float[np.ndarray, " n_validation"] | None = None

    def _not_by_another_rule(self) -> dict[str, Any]:
        """Scores of windows are not kept."""
        return {"window_threshold": None}

    def score(self, values: ClipRepresentation) -> Float[np.ndarray, " n_clips"]:
        """Score of each clip."""
        if self.pool is not None:
            return scorers.pool(self.pool, self.score_windows(values))
        return self.scorer.score(getattr(values, self.scorer.reads))

    def score_windows(self, values: ClipRepresentation) -> Float[np.ndarray, "n_clips max_windows"]:
        """Score of each window of each clip, NaN where a clip has no such window."""
        return values.window_vector.score(self.scorer.score)

    def formula(self, values: ClipArrays, xp: Any) -> Any:
        """The score of each clip as a pure function by the operations of `xp`, NumPy or `jax.numpy`.

        Raises:
            InputError: the scorer has none; see `exportable`.
        """
        scorer = self.scorer
        if self.pool is None:
            return scorer.formula(getattr(values, scorer.reads), xp)
        windows = values.window_vector
        scores = scorer.formula(windows.reshape(-1, windows.shape[-1]), xp)
        return scorers.pool(self.pool, scores.reshape(-1, windows.shape[1]), xp=xp)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON settings and arrays, from which `from_state` rebuilds it."""
        if isinstance(self.scorer, FusedScorer):
            state, arrays = self.scorer.to_state()
        else:
            fields = scorers.to_state(self.scorer)
            arrays = {key: value for key, value in fields.items() if isinstance(value, np.ndarray)}
            state = {key: value for key, value in fields.items() if key not in arrays}
        settings = {
            "scorer": self.scorer.name,
            "state": state,
            "threshold": self.threshold.to_dict(),
            "pool": self.pool,
            "window_threshold": self.window_threshold and self.window_threshold.to_dict(),
            "settings": dict(self.settings),
            "note": self.note,
            "other_thresholds": [threshold.to_dict() for threshold in self.other_thresholds],
        }
        arrays = {"scorer": arrays, "normal_scores": self.normal_scores}
        if self.validation_scores is not None:
            arrays["validation_scores"] = self.validation_scores
        return settings, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, Any]) -> "FittedScorer":
        """Rebuild from `to_state`."""
        window_threshold = settings["window_threshold"]
        if settings["scorer"] == FusedScorer.name:
            scorer = FusedScorer.from_state(settings["state"], arrays["scorer"], part=cls.from_state)
        else:
            scorer = scorers.from_state(settings["scorer"], settings["state"] | arrays["scorer"])
        return cls(
            scorer,
            arrays["normal_scores"],
            Threshold.from_dict(settings["threshold"]),
            settings["pool"],
            window_threshold and Threshold.from_dict(window_threshold),
            settings["settings"],
            settings["note"],
            tuple(Threshold.from_dict(saved) for saved in settings["other_thresholds"]),
            arrays.get("validation_scores"),
        )


def fit_scorers(
    values: ClipRepresentation,
    machines: Sequence[Machine],
    *,
    recordings: Sequence[str] | None = None,
    domains: Sequence[str] | None = None,
    held_out: Bool[np.ndarray, " n_clips"] | None = None,
    specs: Sequence[ScorerSpec] | None = None,
    fusion: FusionSpec | None = None,
    threshold: str = thresholds.DEFAULT,
    seed: int = 0,
) -> dict[str, dict[Machine, FittedScorer]]:
    """Fit scorers for each machine on its normal training clips.

    Args:
        values: the training clips, all normal.
        machines: of each clip.
        recordings: that each clip was cut from: folds keep them together. Each clip is its own by default.
        domains: of each clip, `source` or `target`, empty where the release has none; scorers that know domains read
            them.
        held_out: clips that the network was not trained on, of which there may be few: thresholds rest on all clips,
            the scores of those that it saw brought to those of unseen clips (see `Gap`). None where nothing was
            trained.
        specs: the scorers; those of `DEFAULT` that can read the representation by default.
        fusion: of some of them, which stands beside them as `fusion`.
        threshold: rule of the thresholds, such as `gamma_0.9`.
        seed: of the folds, and of scorers that draw.

    Returns:
        fitted scorers by label and machine.

    Raises:
        InputError: a scorer reads what the representation does not give, or a machine has too few clips for it.
    """
    sources = np.asarray([str(i) for i in range(len(machines))] if recordings is None else recordings)
    held_out = np.zeros(len(machines), bool) if held_out is None else held_out
    if domains is not None and any(domains):
        values = dataclasses.replace(values, is_target=np.asarray([domain == "target" for domain in domains]))
    fitted: dict[str, dict[Machine, FittedScorer]] = {}
    unseen: dict[str, dict[Machine, np.ndarray]] = {}  # scores of each clip, in order
    for spec in readable(values) if specs is None else specs:
        if getattr(values, spec.reads) is None:
            read = spec.reads.replace("_", " ")
            raise InputError(f"scorer {spec.label} reads the {read}s of clips, which this representation does not give")
        parts = {}
        for machine in sorted(set(machines)):
            own = np.asarray([of == machine for of in machines])
            if own.sum() < spec.min_clips:
                raise InputError(
                    f"scorer {spec.label} needs at least {spec.min_clips} normal training clips of "
                    f"{machine.machine_id}, got {own.sum()}"
                )
            recording = recording_index(sources[own].tolist())
            parts[machine] = _Part(spec, values.of(own), held_out[own], recording, seed)
        gaps = Gap.of_machines([(part.scores[part.held_out], part.scores[~part.held_out]) for part in parts.values()])
        by_machine = [(machine, part, gap) for (machine, part), gap in zip(parts.items(), gaps, strict=True)]
        fitted[spec.label] = {machine: part.fitted(threshold, gap) for machine, part, gap in by_machine}
        unseen[spec.label] = {machine: part.unseen(gap) for machine, part, gap in by_machine}
    if fusion is not None:
        fusion.check(list(fitted))
        fitted[LABEL] = {
            machine: _fused(
                [fitted[of][machine] for of in fusion.of],
                [unseen[of][machine] for of in fusion.of],
                fusion.rule,
                threshold,
            )
            for machine in fitted[fusion.of[0]]
        }
    return fitted


def _fused(parts: Sequence[FittedScorer], unseen: Sequence[np.ndarray], rule: str, threshold: str) -> FittedScorer:
    """Fitted scorers of a machine as one, with thresholds of its own on the same clips."""
    scorer, scores = FusedScorer.fit(parts, np.stack(unseen), rule)
    source = parts[0].threshold.source
    limit, *others = (
        fit_threshold(of, scores, None, source) for of in dict.fromkeys((threshold, *thresholds.REPORTED))
    )
    return FittedScorer(scorer, np.sort(scores), limit, settings={"rule": rule}, other_thresholds=tuple(others))


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


class _Part:
    """A scorer fitted on one machine's clips, and its scores of these clips as unseen by it as may be.

    Vector scorers are refitted in folds (see `ScorerSpec.n_folds`); error scorers fit nothing.
    """

    def __init__(
        self, spec: ScorerSpec, values: ClipRepresentation, held_out: np.ndarray, recording: np.ndarray, seed: int
    ) -> None:
        self.spec, self.held_out, self.settings, self.note = spec, held_out, spec.seeded(seed), ""
        if spec.pool is not None and (total := int(values.window_vector.n_windows.sum())) > spec.max_windows:
            self.note = f"fitted on {spec.max_windows} of its {total} windows, drawn with seed {seed}"
        if spec.search:
            groups = recording if spec.pool is None else None  # windows are a draw from all clips
            inputs = spec.inputs(values, seed=seed)
            self.settings |= scorers.search(spec.name, inputs, groups=groups, **({"seed": seed} | self.settings))
        self.scorer = spec.fit(values, self.settings, seed=seed)
        self.source, self.raw = Source.IN_SAMPLE, None
        fold = thresholds.folds(int(recording.max()) + 1, seed=seed, n_folds=spec.n_folds)[recording]
        if spec.reads == "window_error":
            self.source = Source.TRAINING_WITHOUT_VALIDATION
        elif min(np.count_nonzero(fold != k) for k in range(fold.max() + 1)) >= spec.min_clips:

            def score_unseen(others: np.ndarray, own: np.ndarray) -> np.ndarray:
                return spec.score(spec.fit(values.of(others), self.settings, seed=seed), values.of(own))

            self.source, self.raw = Source.OUT_OF_FOLD, thresholds.out_of_fold_scores(score_unseen, fold)
        self.raw = spec.score(self.scorer, values) if self.raw is None else self.raw
        self.scores = self.raw if spec.pool is None else scorers.pool(spec.pool, self.raw)

    def unseen(self, gap: Gap) -> np.ndarray:
        """Scores of the clips, in order, as of clips that neither the scorer nor the network was fitted on."""
        scores = self.scores.copy()
        if self.held_out.any():
            scores[~self.held_out] = gap.unseen(scores[~self.held_out])
        return scores

    def fitted(self, rule: str, gap: Gap) -> FittedScorer:
        """The scorer with its thresholds, scores of clips that the network saw brought to those of unseen ones."""
        spec, validation = self.spec, None
        scores, source = self.unseen(gap), self.source
        if self.held_out.any():
            source = Source.ALL_NORMAL
            validation = np.sort(self.scores[self.held_out]) if spec.reads == "window_error" else None
        windows = None
        if spec.pool is not None:
            windows = thresholds.fit(rule, self.raw[~np.isnan(self.raw)], source=self.source)
        rules = dict.fromkeys((rule, *thresholds.REPORTED))
        limit, *others = (fit_threshold(of, scores, validation, source) for of in rules)
        return FittedScorer(
            self.scorer, np.sort(scores), limit, spec.pool, windows, self.settings, self.note, tuple(others), validation
        )
