"""An experiment from recordings to a run folder: read, train, fit scorers, evaluate, save.

`run` is the whole walk of a network; `evaluate_run` repeats its second half from the folder alone.
"""

import dataclasses
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from asd_jax import datasets, evaluation, fitted_scorers, run_folder, scorers, thresholds
from asd_jax.datasets import Dataset
from asd_jax.detector import Detector, load_detectors, save_detectors
from asd_jax.errors import InputError
from asd_jax.extraction import Extracted, extract
from asd_jax.features import FrontEnd
from asd_jax.features.scaling import Scaling, standardize
from asd_jax.fitted_scorers import fit_scorers, readable
from asd_jax.representations import FrameMean, Network, Representation, Residual
from asd_jax.training import FitResult, fit, init_train_state
from asd_jax.training_plan import Plan, TrainingConfig, make_plan, split_validation

_FEW_CLIPS = 30
# Isolation forests take longer than all the others together, and are there when asked for.
REPORTED = tuple(name for name in scorers.REGISTRY if name != "iforest")


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which recordings.

    Attributes:
        machine: canonical name or a release's own.
        data_dir: folder of recordings; None for the built-in synthetic machine.
        dataset: forces a layout; None recognises it.
        machine_ids: keep only these; all when empty.
        channel: `mix` or a channel's number.
        skip_bad_files: leave bad files out and count them.
    """

    machine: str
    data_dir: str | None = None
    dataset: str | None = None
    machine_ids: tuple[str, ...] = ()
    channel: str = "mix"
    skip_bad_files: bool = False

    def open(self, front_end: FrontEnd) -> Dataset:
        """List the clips."""
        return datasets.open_dataset(
            machine=self.machine,
            data_dir=self.data_dir,
            name=self.dataset,
            machine_ids=self.machine_ids,
            sample_rate=front_end.sample_rate,
            channel=self.channel,
        )


@dataclasses.dataclass(frozen=True)
class ExperimentConfig:
    """Everything that a network experiment can be told.

    Attributes:
        experiment: its name.
        data: which recordings.
        model: a config from `models.REGISTRY`.
        training: how it is trained.
        front_end: from waveform to frames.
        scorer: the headline scorer, fixed before any result is seen.
        scorers: those reported beside it, marked exploratory; by default nearly all.
        threshold: rule of the decision thresholds.
        validation_fraction: share of each machine id's training clips that the network is not trained on.
        seed: of parameters, order of examples, validation clips and folds.
    """

    experiment: str
    data: DataConfig
    model: Any
    training: TrainingConfig
    front_end: FrontEnd = dataclasses.field(default_factory=FrontEnd)
    scorer: str = "mse"
    scorers: tuple[str, ...] = REPORTED
    threshold: str = thresholds.DEFAULT
    validation_fraction: float = 0.1
    seed: int = 0

    def check(self) -> None:
        """Raise InputError for a setting that cannot be, before anything is read or written."""
        positive = {
            "--epochs": self.training.epochs,
            "--batch_size": self.training.batch_size,
            "--learning_rate": self.training.learning_rate,
        }
        for flag, value in positive.items():
            if not value > 0:
                raise InputError(f"{flag}={value}: give a number above 0")
        if not 0 <= self.validation_fraction < 1:
            raise InputError(f"--validation_fraction={self.validation_fraction}: give a share from 0 to below 1")
        if self.training.patience is not None and self.validation_fraction == 0:
            raise InputError("early stopping needs validation clips; give --validation_fraction above 0")
        for name in (self.scorer, *self.scorers):
            if name.removeprefix("pca+") not in scorers.REGISTRY:
                raise InputError(f"--scorer={name}: not known; there are {', '.join(scorers.REGISTRY)}, and pca+NAME")
            scorers.get(name)
        thresholds.parse(self.threshold)


def run(
    config: ExperimentConfig,
    workdir: str | Path,
    *,
    resume: bool = False,
    strict_batch_size: bool = False,
    flags: dict[str, Any] | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train a network and evaluate it; everything is written below `workdir`.

    Args:
        config: the settings.
        workdir: the run folder; must not hold anything unless `resume`.
        resume: go on with the run in `workdir`, which must have been started with the same settings and data.
        strict_batch_size: a batch larger than the data is an error instead of shrinking.
        flags: of the command line, recorded so that a resumed run can leave them out.
        say: takes the lines for the user.

    Returns:
        what `metrics.json` holds; empty where there are no test clips.

    Raises:
        InputError: a setting or a file that the user can mend.
    """
    workdir = Path(workdir)
    config.check()
    if not resume:
        run_folder.check_free(workdir)
    dataset = config.data.open(config.front_end)
    say(f"{config.experiment} on {dataset.machine}: {dataset.description or dataset.name}")
    seconds: dict[str, float] = {}
    with timed(seconds, "load"):
        train = extract_training_clips(
            config.data, config.front_end, dataset, min_frames=config.model.window_span, say=say
        )
    network = Network(config.model, config.front_end.n_features)
    machine_ids = [clip.machine_id for clip in train.clips]
    chosen, validation = split_validation(machine_ids, fraction=config.validation_fraction, seed=config.seed)
    plan = make_plan(config.model, config.training, train.frames, chosen, validation)
    if strict_batch_size and plan.batch_size < config.training.batch_size:
        raise InputError(
            f"--batch_size={config.training.batch_size} is more than the {len(plan.starts)} training examples; "
            "give a smaller one"
        )
    for note in plan.notes:
        say(f"note: {note}")
    run_folder.start(workdir, _describe(config, dataset) | {"flags": flags or {}}, resume=resume)

    scaling = standardize(train.frames.frames[: _last_frame(train)])
    with timed(seconds, "train"):
        fitted = _fit(config, workdir, network, train, plan, scaling)
    held_out = np.isin(np.arange(len(machine_ids)), validation)
    with timed(seconds, "fit_scorers"):
        detectors = _detectors(config, network, fitted, plan, scaling, train, machine_ids, held_out)
    save_detectors(workdir, detectors)
    validation_loss = fitted.progress.history[-1]["validation_loss"]
    extra = {"validation_error": None if np.isnan(validation_loss) else validation_loss, "notes": list(plan.notes)}
    return evaluate_detectors(workdir, config.experiment, config.data, detectors, dataset, seconds, extra, say)


def evaluate_run(
    run: str | Path,
    workdir: str | Path | None = None,
    *,
    data_dir: str | None = None,
    machine_ids: tuple[str, ...] = (),
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Evaluate a finished run from its folder, on its own test clips or on those below another `data_dir`.

    Writes `scores.csv` and `metrics.json` into `workdir` (default `run/evaluate`) and nothing into the run's files.

    Raises:
        InputError: the folder holds no finished run, or the recordings are bad.
    """
    run = Path(run)
    config = run_folder.read_config(run)
    detectors = load_detectors(run)
    recorded = config["settings"]["data"]
    data = DataConfig(**recorded | {"machine_ids": tuple(recorded["machine_ids"])})
    data = dataclasses.replace(
        data,
        data_dir=data_dir or data.data_dir,
        dataset=None if data_dir else data.dataset,
        machine_ids=machine_ids or data.machine_ids,
    )
    workdir = run / "evaluate" if workdir is None else Path(workdir)
    if workdir.resolve() == run.resolve():
        raise InputError(f"--workdir={workdir} is the run itself, whose files stay as they are; choose another")
    dataset = data.open(detectors["detector"].front_end)
    say(f"{config['experiment']} from {run}, on {dataset.machine}: {dataset.description or dataset.name}")
    extra = {"selection": config["selection"], "evaluated_run": str(run)}
    return evaluate_detectors(workdir, config["experiment"], data, detectors, dataset, {}, extra, say)


def extract_training_clips(
    data: DataConfig, front_end: FrontEnd, dataset: Dataset, *, min_frames: int, say: Callable[[str], None]
) -> Extracted:
    """Frames of the normal training clips; says what is odd about them.

    Raises:
        InputError: there are none, or none of an id that has test clips, or all of an id are silent.
    """
    clips = [clip for clip in dataset.split("train") if not clip.is_anomaly]
    if not clips:
        raise InputError(f"no training clips of {dataset.machine} in {data.data_dir}; put normal clips in train/")
    untrained = sorted({clip.machine_id for clip in dataset.clips} - {clip.machine_id for clip in clips})
    if untrained:
        raise InputError(
            f"test clips of {', '.join(untrained)} but no training clips of them; choose ids with both by --machine_id"
        )
    train = extract(
        clips,
        dataset.read,
        front_end,
        min_frames=min_frames,
        skip_bad_files=data.skip_bad_files,
        description="training clips",
    )
    _say_found(train, "training", say)
    for machine_id, count in sorted(Counter(clip.machine_id for clip in train.clips).items()):
        if count < _FEW_CLIPS:
            say(
                f"warning: only {count} normal training clips of {machine_id}: its threshold, false-alarm rate and "
                "covariance are unreliable"
            )
    silent = set(train.silent)
    for machine_id in sorted({clip.machine_id for clip in train.clips}):
        if all(clip.file_name in silent for clip in train.clips if clip.machine_id == machine_id):
            raise InputError(f"all training clips of {machine_id} are silent; check the microphone or --channel")
    return train


def _say_found(found: Extracted, what: str, say: Callable[[str], None]) -> None:
    if found.bad:
        say(f"warning: {len(found.bad)} bad {what} file(s) left out:")
        for line in found.bad:
            say(f"  {line}")
    if found.silent:
        names = ", ".join(found.silent[:3]) + (", ..." if len(found.silent) > 3 else "")
        say(f"warning: {len(found.silent)} silent {what} clip(s): {names}")


def _last_frame(train: Extracted) -> int:
    return int(train.frames.clip_start[-1] + train.frames.clip_length[-1])


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """What `config.json` says of the recordings; a resumed run must find the same."""
    listing = "\n".join(f"{clip.split} {clip.file_name}" for clip in dataset.clips)
    return {
        "dataset": dataset.name,
        "machine": dataset.machine,
        "n_train": len(dataset.split("train")),
        "n_test": len(dataset.split("test")),
        "file_names_sha256": hashlib.sha256(listing.encode()).hexdigest(),
    }


def _describe(config: ExperimentConfig, dataset: Dataset) -> dict[str, Any]:
    """`config.json`: the settings, the data, how selection is done, the versions."""
    settings = dataclasses.asdict(config) | {"front_end": config.front_end.to_dict()}
    settings.pop("experiment")
    settings["model"] = {"name": config.model.name} | settings["model"]
    best = config.training.patience is not None
    return {
        "experiment": config.experiment,
        "settings": settings,
        "data": describe_data(dataset),
        "selection": "label-free",
        "selection_protocol": (
            f"{'lowest validation loss with early stopping' if best else 'a fixed number of epochs'}; "
            f"{'best' if best else 'latest'} parameters; headline scorer and threshold rule fixed beforehand; "
            "no setting, epoch or scorer chosen with test labels"
        ),
        "checkpoint": "best" if best else "latest",
        "versions": run_folder.versions(),
        "device": jax.devices()[0].device_kind,
    }


def _fit(
    config: ExperimentConfig, workdir: Path, network: Network, train: Extracted, plan: Plan, scaling: Scaling
) -> FitResult:
    from asd_jax.checkpoints import RunCheckpoints  # late: Orbax takes a second to import

    checkpoints = RunCheckpoints(workdir / "checkpoints" / "training")
    try:
        return fit(
            network, train.frames, plan, config.training, scaling=scaling, seed=config.seed, checkpointer=checkpoints
        )
    finally:
        checkpoints.close()


def _detectors(
    config: ExperimentConfig,
    network: Network,
    fitted: FitResult,
    plan: Plan,
    scaling: Scaling,
    train: Extracted,
    machine_ids: list[str],
    held_out: np.ndarray,
) -> dict[str, Detector]:
    """The detector and the two controls that every network is held against."""
    start = init_train_state(network, config.training, plan.n_steps, key=jax.random.key(config.seed))
    options = {"held_out": held_out, "threshold": config.threshold, "seed": config.seed}

    def detector(representation: Representation, headline: str, names: Sequence[str]) -> Detector:
        values = representation(train.frames)
        specs = readable(values, dict.fromkeys((headline, *names)))
        by_scorer = fit_scorers(values, machine_ids, specs=specs, **options)
        return Detector(config.front_end, representation, by_scorer, headline, config.model.window_span)

    trained = Residual(network, fitted.params, fitted.model_state, scaling)
    untrained = Residual(network, start.params, start.model_state, scaling)
    return {
        "detector": detector(trained, config.scorer, config.scorers),
        "log_mel_mean": detector(FrameMean(), "mahalanobis", ()),
        "at_initialisation": detector(untrained, config.scorer, fitted_scorers.DEFAULT),
    }


def evaluate_detectors(
    workdir: Path,
    experiment: str,
    data: DataConfig,
    detectors: dict[str, Detector],
    dataset: Dataset,
    seconds: dict[str, float],
    extra: dict[str, Any],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Score the test clips, print the tables, write `scores.csv` and `metrics.json`."""
    clips = dataset.split("test")
    detector = detectors["detector"]
    if not clips:
        say("no test clips: the detector is saved, and there is nothing to evaluate")
        return {}
    with timed(seconds, "load_test"):
        test = extract(
            clips,
            dataset.read,
            detector.front_end,
            min_frames=detector.min_frames,
            skip_bad_files=data.skip_bad_files,
            description="test clips",
        )
        frames = {detector.front_end: test.frames}
        for other in {control.front_end for control in detectors.values()} - {detector.front_end}:
            frames[other] = extract(test.clips, dataset.read, other, description="test clips (control)").frames
    _say_found(test, "test", say)
    with timed(seconds, "score"):
        result = evaluation.evaluate(detectors, test.clips, frames)
    report = {
        "experiment": experiment,
        "dataset": dataset.name,
        "machine": dataset.machine,
        "selection": "label-free",
        **result.report,
        **extra,
        "silent_test_clips": list(test.silent),
        "bad_files": list(test.bad),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }
    say("\n" + evaluation.format_report(report) + "\n")
    for machine_id, values in report["scorers"][detector.headline_scorer]["machine_ids"].items():
        if "undefined" in values:
            say(f"note: {machine_id} has {values['undefined']}: scores are written, its measures are undefined")
    run_folder.write_text(workdir / "scores.csv", evaluation.scores_csv(result))
    run_folder.write_json(workdir / "metrics.json", report)
    say(f"written to {workdir}")
    return report


class timed:
    """Add the seconds spent in a block to `seconds[name]`."""

    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self._seconds, self._name = seconds, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._name] = time.perf_counter() - self._start
