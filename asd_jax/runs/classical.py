"""An experiment without a trained network: read, represent, fit a scorer, evaluate, save. `run` is the whole walk."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax import scorers
from asd_jax.datasets import Dataset
from asd_jax.datasets.extraction import extract
from asd_jax.detectors import thresholds
from asd_jax.detectors.detector import Detector, save_detectors
from asd_jax.detectors.fitted_scorers import FittedScorer, ScorerSpec, fit_scorers
from asd_jax.errors import InputError
from asd_jax.evaluation.oracle_search import oracle_search
from asd_jax.features import FrontEnd
from asd_jax.files import to_json
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.representations.representation import Representation
from asd_jax.runs import folder as run_folder
from asd_jax.runs.evaluation import evaluate_detectors, timed
from asd_jax.runs.outputs import Outputs
from asd_jax.runs.recordings import DataConfig, control_log_mels, describe_data, extract_training_clips, introduce
from asd_jax.runs.trained_on import write_recordings

SELECTIONS = ("fixed", "search", "oracle_search")
_PROTOCOLS = {
    "fixed": "settings fixed beforehand; no setting or scorer chosen with test labels",
    "search": "settings chosen on the normal training clips; no setting or scorer chosen with test labels",
    "oracle_search": "settings chosen by the labels of the test clips: no result of the method",
}


@dataclasses.dataclass(frozen=True)
class ClassicalConfig:
    """Everything that an experiment without a trained network can be told.

    Attributes:
        experiment: its name.
        data: which recordings.
        scorer: the headline scorer; its label is its key in the results.
        representation: what it reads, before `fit`.
        front_end: from waveform to frames.
        also: further scorers, reported as exploratory.
        threshold: rule of the decision thresholds.
        selection: `fixed` settings, a label-free `search`, or an `oracle_search` that looks at labels.
        seed: of folds, and of scorers that draw.
        stamp: further fields of the results, for what a reader must not miss.
    """

    experiment: str
    data: DataConfig
    scorer: ScorerSpec
    representation: Any
    front_end: FrontEnd = dataclasses.field(default_factory=FrontEnd)
    also: tuple[ScorerSpec, ...] = ()
    threshold: str = thresholds.DEFAULT
    selection: str = "fixed"
    seed: int = 0
    stamp: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def check(self) -> None:
        """Raise InputError for a setting that cannot be, before anything is read or written."""
        thresholds.parse(self.threshold)
        if self.selection not in SELECTIONS:
            raise InputError(f"selection={self.selection!r}: give one of {', '.join(SELECTIONS)}")
        if self.selection == "oracle_search" and self.data.clip_seconds is not None:
            raise InputError("--oracle_search reproduces tables of whole clips; leave out --clip_seconds")
        for spec in self.also:
            if spec.label == self.scorer.label:
                raise InputError(f"--scorers: {spec.label} is the experiment's own scorer; leave it out")


def run(
    config: ClassicalConfig,
    workdir: str | Path,
    *,
    flags: dict[str, Any] | None = None,
    outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Fit scorers and evaluate them; everything is written below `workdir`.

    Args:
        config: the settings.
        workdir: the run folder; must not hold anything.
        flags: of the command line, recorded.
        outputs: what to write for people to look at.
        say: takes the lines for the user.

    Returns:
        what `metrics.json` holds; empty where there are no test clips.

    Raises:
        InputError: a setting or a file that the user can mend.
    """
    workdir = Path(workdir)
    config.check()
    run_folder.check_free(workdir)
    dataset = config.data.open(config.front_end.sample_rate, say)
    introduce(config.experiment, dataset, say)
    seconds: dict[str, float] = {}
    with timed(seconds, "load"):
        min_frames = config.representation.min_frames
        train = extract_training_clips(config.data, config.front_end, dataset, min_frames=min_frames, say=say)
        machine_ids = [clip.machine_id for clip in train.clips]
        log_mel, log_mels = control_log_mels(dataset, train, config.front_end)

    with timed(seconds, "fit_scorers"):
        representation = config.representation.fit(train.frames)
        values = representation(train.frames)
        spec = dataclasses.replace(config.scorer, search=config.selection == "search")
        if config.selection == "oracle_search":
            spec = _chosen_with_labels(config, spec, representation, values, machine_ids, dataset)
        recordings = [clip.recording for clip in train.clips]
        options = {"recordings": recordings, "threshold": config.threshold, "seed": config.seed}
        fitted = fit_scorers(values, machine_ids, specs=(spec, *config.also), **options)
        control = fit_scorers(FrameMean()(log_mels), machine_ids, specs=[ScorerSpec("mahalanobis")], **options)
    detectors = {
        "detector": Detector(config.front_end, representation, fitted, spec.label, min_frames, config.data.cutting),
        "log_mel_mean": Detector(log_mel, FrameMean(), control, "mahalanobis", cutting=config.data.cutting),
    }
    # Only now, so that a mistake found while fitting leaves nothing behind.
    run_folder.start(workdir, _describe(config, dataset) | {"flags": flags or {}}, resume=False)
    write_recordings(workdir, dataset, config.data.data_dir)
    save_detectors(workdir, detectors)
    notes = list(_notes(fitted, config.selection))
    for note in notes:
        say(f"note: {note}")
    extra = {"selection": _selection(config), "notes": notes, **config.stamp}
    return evaluate_detectors(workdir, config.experiment, config.data, detectors, dataset, seconds, extra, say, outputs)


def _selection(config: ClassicalConfig) -> str:
    return "oracle" if config.selection == "oracle_search" else "label-free"


def _chosen_with_labels(
    config: ClassicalConfig,
    spec: ScorerSpec,
    representation: Representation,
    train: Any,
    train_ids: list[str],
    dataset: Dataset,
) -> ScorerSpec:
    """The headline scorer with the settings that the labels of the test clips favour."""
    clips = [clip for clip in dataset.split("test") if clip.is_anomaly is not None]
    if not clips:
        raise InputError("--oracle_search needs labelled test clips, and there are none")
    test = extract(
        clips,
        dataset.read,
        config.front_end,
        min_frames=config.representation.min_frames,
        skip_bad_files=config.data.skip_bad_files,
        description="test clips (oracle search)",
    )
    ids = [clip.machine_id for clip in test.clips]
    is_anomaly = np.asarray([clip.is_anomaly for clip in test.clips])
    return oracle_search(spec, train, train_ids, representation(test.frames), ids, is_anomaly, seed=config.seed)


def _notes(fitted: dict[str, dict[str, FittedScorer]], selection: str) -> Any:
    """What a reader of the results should know of the scorers."""
    for label, by_id in fitted.items():
        for machine_id, scorer in by_id.items():
            if scorer.note:
                yield f"{label}, {machine_id}: {scorer.note}"
            chosen = {key: value for key, value in scorer.settings.items() if key != "seed"}
            if selection != "fixed" and chosen and label == next(iter(fitted)):
                yield f"{label}, {machine_id}: {selection} chose {chosen}"


def _describe(config: ClassicalConfig, dataset: Dataset) -> dict[str, Any]:
    """`config.json`: the settings, the data, how selection is done, the versions."""
    return {
        "experiment": config.experiment,
        "settings": {
            "data": to_json(config.data),
            "front_end": config.front_end.to_dict(),
            "representation": config.representation.to_state()[0],
            "scorers": [dataclasses.asdict(spec) for spec in (config.scorer, *config.also)],
            "scorer": config.scorer.label,
            "threshold": config.threshold,
            "selection": config.selection,
            "seed": config.seed,
        },
        "data": describe_data(dataset),
        "selection": _selection(config),
        "selection_protocol": _PROTOCOLS[config.selection],
        "stamp": dict(config.stamp),
        "versions": run_folder.versions(),
    }


def exploratory(names: tuple[str, ...], headline: ScorerSpec) -> tuple[ScorerSpec, ...]:
    """Specs of further vector scorers by name; `all` stands for every one but the headline's."""
    if "all" in names:
        vector = [name for name, scorer in scorers.REGISTRY.items() if scorer.reads == "vector"]
        names = tuple(name for name in vector if name not in (headline.name, headline.label))
    return tuple(ScorerSpec(name) for name in names)
