"""The supervised reference: the same engine, taught by labelled clips of both classes and scored by cross-validation.

It shows how far a label-free detector is from one that knows the faults. Every clip is scored by what was fitted
without its recording, the representation too where one is trained.
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from asd_jax.datasets import Dataset
from asd_jax.datasets.clips import Clip, Machine, names_of
from asd_jax.datasets.extraction import Extracted, extract_from
from asd_jax.detectors import Detector, Detectors
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.input_health import InputHealth
from asd_jax.detectors.thresholds import REPORTED, Source, fit
from asd_jax.errors import InputError
from asd_jax.representations import Fit, Hooks
from asd_jax.runs.config import RunConfig
from asd_jax.runs.fitting import Fitted, controls_of, usual_seconds
from asd_jax.runs.timing import timed
from asd_jax.runs.training_clips import TrainingClips


def fit_supervised(
    config: RunConfig, dataset: Dataset, train: TrainingClips, hooks: Hooks, seconds: dict[str, float]
) -> Fitted:
    """Fit a detector on normal training clips and all labelled test clips, and score these by cross-validation.

    Thresholds rest on the cross-validated scores of the normal training clips, as label-free ones do. What takes how
    long is added to `seconds`.

    Raises:
        InputError: a machine has labelled test clips of one class only, or fewer than two recordings of one.
    """
    clips = [clip for clip in dataset.split("test") if clip.is_anomaly is not None]
    _check_both_classes(clips, {clip.machine for clip in train.heard.clips})
    with timed(seconds, "load_labelled"):
        labelled = extract_from(
            dataset,
            clips,
            config.front_end,
            min_frames=config.recipe.min_frames,
            skip_bad_files=config.data.skip_bad_files,
            storage=config.data.storage(),
            description="labelled clips",
        )
    heard = train.heard.followed_by(labelled, storage=config.data.storage())
    hooks.note(config.supervised.protocol)
    with timed(seconds, "train"):
        scores = cross_validated(config, heard, hooks)
        taught = _Taught.by(config, heard, hooks)
    n_train = len(train.heard.clips)
    unseen = {clip.file_name: float(score) for clip, score in zip(labelled.clips, scores[n_train:], strict=True)}
    detector = _detector(config, train, taught, scores[:n_train])
    return Fitted(Detectors(detector, controls_of(config, train)), (taught.fit,), {config.scorer.label: unseen})


def folds(clips: Sequence[Clip], n_folds: int, *, seed: int) -> Int[np.ndarray, " n_clips"]:
    """The fold of each clip: recordings stay whole, and each fold has its share of every machine, class and domain."""
    strata: dict[tuple, dict[str, list[int]]] = {}
    for index, clip in enumerate(clips):
        stratum = (*clip.machine, clip.split, bool(clip.is_anomaly), clip.domain)
        strata.setdefault(stratum, {}).setdefault(clip.recording, []).append(index)
    rng, fold, dealt = np.random.default_rng([seed, 23]), np.zeros(len(clips), int), 0
    for _, recordings in sorted(strata.items()):
        for name in rng.permutation(sorted(recordings)):
            fold[recordings[str(name)]] = dealt % n_folds
            dealt += 1
    return fold


def cross_validated(config: RunConfig, heard: Extracted, hooks: Hooks) -> Float[np.ndarray, " n_clips"]:
    """The score of each clip by what was taught by the other folds."""
    fold, scores = folds(heard.clips, config.supervised.n_folds, seed=config.seed), np.full(len(heard.clips), np.nan)
    for number in np.unique(fold):
        own, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        folder = functools.partial(_below, hooks, f"fold_{number}")
        quiet = dataclasses.replace(hooks, folder=folder, events=None, note=lambda line: None)  # the last fit says it
        taught = _Taught.by(config, heard.of(others), quiet)
        scores[own] = taught.scores(heard.of(own))
    return scores


def _below(hooks: Hooks, name: str) -> Path:
    return hooks.folder() / name


@dataclasses.dataclass(frozen=True)
class _Taught:
    """A representation and a scorer for each machine, fitted on labelled clips."""

    fit: Fit
    scorers: dict[Machine, object]

    @classmethod
    def by(cls, config: RunConfig, heard: Extracted, hooks: Hooks) -> "_Taught":
        fitted = config.recipe.fit(heard, seed=config.seed, hooks=hooks)[0]
        machines = [clip.machine for clip in heard.clips]
        values, is_anomaly = fitted.representation(heard.frames, machines), _labels(heard)
        settings, scorers = config.scorer.seeded(config.seed), {}
        for machine in sorted(set(machines)):
            own = np.asarray([of == machine for of in machines])
            labels = {"is_anomaly": is_anomaly[own]}
            scorers[machine] = config.scorer.fit(values.of(own), settings | labels, seed=config.seed)
        return cls(fitted, scorers)

    def scores(self, heard: Extracted) -> Float[np.ndarray, " n_clips"]:
        machines = [clip.machine for clip in heard.clips]
        values, scores = self.fit.representation(heard.frames, machines), np.empty(len(machines))
        for machine in set(machines):
            own = np.asarray([of == machine for of in machines])
            scores[own] = self.scorers[machine].score(values.vector[own])
        return scores


def _detector(config: RunConfig, train: TrainingClips, taught: _Taught, unseen: np.ndarray) -> Detector:
    """What was taught by all clips as a detector, its thresholds on the cross-validated scores of normal ones."""
    machines, fitted = [clip.machine for clip in train.heard.clips], {}
    for machine, scorer in taught.scorers.items():
        scores = np.sort(unseen[[of == machine for of in machines]])
        rules = dict.fromkeys((config.threshold, *REPORTED))
        limit, *others = (fit(rule, scores, source=Source.OUT_OF_FOLD) for rule in rules)
        fitted[machine] = FittedScorer(scorer, scores, limit, other_thresholds=tuple(others))
    return Detector(
        config.front_end,
        taught.fit.representation,
        {config.scorer.label: fitted},
        config.scorer.label,
        config.recipe.min_frames,
        config.data.cutting,
        usual_seconds(train.heard),
        InputHealth.of_machines(train.heard.sounds, machines),
    )


def _labels(heard: Extracted) -> Bool[np.ndarray, " n_clips"]:
    return np.asarray([bool(clip.is_anomaly) for clip in heard.clips])


def _check_both_classes(clips: Sequence[Clip], machines: set[Machine]) -> None:
    names = names_of(machines)
    for machine, name in names.items():
        for label, word in ((True, "anomalous"), (False, "normal")):
            there = {clip.recording for clip in clips if clip.machine == machine and clip.is_anomaly is label}
            if len(there) < 2:
                raise InputError(
                    f"the supervised reference needs two or more labelled {word} test recordings of {name}, and there "
                    f"{'is' if len(there) == 1 else 'are'} {len(there) or 'none'}; with one class only take a "
                    "label-free system, such as python -m experiments.gmm"
                )
