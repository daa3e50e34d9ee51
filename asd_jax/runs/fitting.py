"""From training clips to detectors: the run's own, its controls, those of further seeds."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from asd_jax.datasets import Dataset
from asd_jax.datasets.clips import names_of
from asd_jax.datasets.extraction import Extracted, extract_from
from asd_jax.detectors import AT_INITIALISATION, LOG_MEL_MEAN, Detector, Detectors
from asd_jax.detectors.fitted_scorers import DEFAULT, ScorerSpec, fit_scorers
from asd_jax.detectors.fusion import FusionSpec
from asd_jax.detectors.input_health import InputHealth
from asd_jax.errors import InputError
from asd_jax.evaluation.oracle_search import oracle_search
from asd_jax.representations import Fit, FrameMean, Hooks, Representation
from asd_jax.runs.config import RunConfig, Selection
from asd_jax.runs.timing import timed
from asd_jax.runs.training_clips import TrainingClips


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What a run has learned.

    Attributes:
        detectors: the run's.
        fits: of its representation, one a seed.
        cross_validated: scores of labelled clips that trained, by what did not see them: by scorer and file name.
    """

    detectors: Detectors
    fits: tuple[Fit, ...]
    cross_validated: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)


def fit_on_normal(
    config: RunConfig, dataset: Dataset, train: TrainingClips, hooks: Hooks, seconds: dict[str, float]
) -> Fitted:
    """Fit representation and scorers on normal clips alone; what takes how long is added to `seconds`."""
    with timed(seconds, "train"):
        fits = fit_representation(config, train, hooks)
    with timed(seconds, "fit_scorers"):
        headline = choose_by_labels(config, fits[0].representation, train.heard, dataset)
        return Fitted(fit_detectors(config, headline, fits, train), fits)


def fit_representation(config: RunConfig, train: TrainingClips, hooks: Hooks) -> tuple[Fit, ...]:
    """What scorers look at, fitted on the normal training clips, and on further ones that scorers never see."""
    if train.more is None:
        return config.recipe.fit(train.heard, seed=config.seed, hooks=hooks)
    hooks.note(
        f"{len(train.more.clips)} clips more train the network (`supplemental={config.data.supplemental}`); scorers "
        "and thresholds rest on the ordinary training clips"
    )
    together = train.heard.followed_by(train.more, storage=config.data.storage())
    fits = config.recipe.fit(together, seed=config.seed, hooks=hooks)
    own = slice(len(train.heard.clips))
    return tuple(dataclasses.replace(fit, held_out=fit.held_out[own]) for fit in fits)


def fit_detectors(config: RunConfig, headline: ScorerSpec, fits: tuple[Fit, ...], train: TrainingClips) -> Detectors:
    """Fit the scorers of the first seed's representation, of the controls, and of the other seeds' representations.

    Args:
        config: of the run.
        headline: its headline scorer, once its settings are settled.
        fits: one a seed.
        train: the normal training clips.
    """
    clips, cutting = train.heard.clips, config.data.cutting
    machines = [clip.machine for clip in clips]
    health = InputHealth.of_machines(train.heard.sounds, machines)
    options = _options(config, train)
    length = usual_seconds(train.heard)

    def detector(
        fit: Fit, representation: Representation, specs: tuple[ScorerSpec, ...], fusion: FusionSpec | None = None
    ) -> Detector:
        values = representation(train.heard.frames, machines)
        fitted = fit_scorers(
            values, machines, specs=(headline, *specs), fusion=fusion, held_out=fit.held_out, seed=fit.seed, **options
        )
        return Detector(
            config.front_end, representation, fitted, headline.label, config.recipe.min_frames, cutting, length, health
        )

    first, *others = fits
    system = detector(first, first.representation, config.scorers, config.fusion)
    controls = controls_of(config, train)
    if first.at_initialisation is not None:
        specs = [ScorerSpec(name) for name in DEFAULT if name != headline.label]
        beside = tuple(spec for spec in specs if spec.reads == "vector" or headline.reads == spec.reads)
        controls[AT_INITIALISATION] = detector(first, first.at_initialisation, beside)
    seeds = {fit.seed: detector(fit, fit.representation, config.scorers, config.fusion) for fit in others}
    return Detectors(system, controls, seeds)


def controls_of(config: RunConfig, train: TrainingClips) -> dict[str, Detector]:
    """The control without a network, a Gaussian on the mean log-mels of normal clips; none without recordings."""
    if train.log_mels is None:
        return {}
    machines = [clip.machine for clip in train.heard.clips]
    specs, values = [ScorerSpec("mahalanobis")], FrameMean()(train.log_mels, machines)
    fitted = fit_scorers(values, machines, specs=specs, seed=config.seed, **_options(config, train))
    length = usual_seconds(train.heard)
    control = Detector(train.log_mel, FrameMean(), fitted, "mahalanobis", 1, config.data.cutting, length)
    return {LOG_MEL_MEAN: control}


def _options(config: RunConfig, train: TrainingClips) -> dict[str, Any]:
    """What `fit_scorers` is told of the clips."""
    clips = train.heard.clips
    return {
        "recordings": [clip.recording for clip in clips],
        "domains": [clip.domain for clip in clips],
        "threshold": config.threshold,
    }


def usual_seconds(train: Extracted) -> float | None:
    """How long the clips of training are: what recordings were cut into, else the median; None where none was heard."""
    if not train.sounds:
        return None
    given = next((clip.clip_seconds for clip in train.clips if clip.clip_seconds is not None), None)
    return float(np.median(train.seconds)) if given is None else given


def choose_by_labels(
    config: RunConfig, representation: Representation, train: Extracted, dataset: Dataset
) -> ScorerSpec:
    """The headline scorer, with the settings that the labels of the test clips favour where `config` asks for that.

    Raises:
        InputError: that is asked for, and there are no labelled test clips.
    """
    spec = dataclasses.replace(config.scorer, search=config.selection is Selection.SEARCH)
    if config.selection is not Selection.ORACLE_SEARCH:
        return spec
    clips = [clip for clip in dataset.split("test") if clip.is_anomaly is not None]
    if not clips:
        raise InputError("`oracle_search` needs labelled test clips, and there are none")
    test = extract_from(
        dataset,
        clips,
        config.front_end,
        min_frames=config.recipe.min_frames,
        skip_bad_files=config.data.skip_bad_files,
        storage=config.data.storage(),
        description="test clips (oracle search)",
    )
    heard, unheard = ([clip.machine for clip in of.clips] for of in (train, test))
    is_anomaly = np.asarray([clip.is_anomaly for clip in test.clips])
    values = representation(train.frames, heard), representation(test.frames, unheard)
    return oracle_search(spec, values[0], heard, values[1], unheard, is_anomaly, seed=config.seed)


def scorer_notes(detector: Detector, selection: Selection) -> Iterator[str]:
    """What a reader of the results should know of the scorers: what they were fitted on, what was chosen."""
    names = names_of(detector.machines)
    for label, by_machine in detector.fitted.items():
        for machine, fitted in by_machine.items():
            if fitted.note:
                yield f"{label}, {names[machine]}: {fitted.note}"
            chosen = {key: value for key, value in fitted.settings.items() if key != "seed"}
            if selection is not Selection.FIXED and chosen and label == detector.headline_scorer:
                yield f"{label}, {names[machine]}: {selection} chose {chosen}"
