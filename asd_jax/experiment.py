"""An experiment from recordings to a run folder: read, train, fit scorers, evaluate, save.

`run` is the whole walk of a network.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from asd_jax import fitted_scorers, run_folder, scorers, thresholds
from asd_jax.datasets import Dataset
from asd_jax.detector import Detector, save_detectors
from asd_jax.errors import InputError
from asd_jax.evaluation_run import evaluate_detectors, timed
from asd_jax.extraction import ClipFrames, Extracted
from asd_jax.features import FrontEnd
from asd_jax.features import scaling as scalings
from asd_jax.features.scaling import Scaling
from asd_jax.fitted_scorers import ScorerSpec, fit_scorers, readable
from asd_jax.recordings import DataConfig, control_log_mels, describe_data, extract_training_clips
from asd_jax.representations import FrameMean, Network, Representation, Residual
from asd_jax.training import FitResult, fit, init_train_state, mean_prediction_error
from asd_jax.training_plan import Plan, TrainingConfig, make_plan, split_validation


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
        scorers: those reported beside it, marked exploratory; every one that can read the network by default.
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
    scorers: tuple[str, ...] = tuple(scorers.REGISTRY)
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
        for flag, names in (("--scorer", (self.scorer,)), ("--scorers", self.scorers)):
            for name in names:
                try:
                    scorers.get(name)
                except InputError as error:
                    raise InputError(f"{flag}: {error}") from error
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
        log_mels = control_log_mels(dataset, train, config.front_end)
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

    scaling = scalings.REGISTRY[config.model.scaling](train.frames.frames)
    with timed(seconds, "train"):
        fitted = _fit(config, workdir, network, train, plan, scaling)
    held_out = np.isin(np.arange(len(machine_ids)), validation)
    with timed(seconds, "fit_scorers"):
        detectors = _detectors(config, network, fitted, plan, scaling, train, log_mels, held_out)
    save_detectors(workdir, detectors)
    extra = {
        "validation_error": _relative_validation_error(fitted, train, chosen, validation, scaling),
        "notes": list(plan.notes),
    }
    return evaluate_detectors(workdir, config.experiment, config.data, detectors, dataset, seconds, extra, say)


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


def _relative_validation_error(
    fitted: FitResult, train: Extracted, chosen: np.ndarray, validation: np.ndarray, scaling: Scaling
) -> float | None:
    """The chosen parameters' validation loss over that of predicting the training mean of every feature."""
    if len(validation) == 0:
        return None
    progress = fitted.progress
    loss = progress.best_loss if fitted.used == "best" else progress.history[-1]["validation_loss"]
    return loss / mean_prediction_error(train.frames, chosen, validation, scaling)


def _detectors(
    config: ExperimentConfig,
    network: Network,
    fitted: FitResult,
    plan: Plan,
    scaling: Scaling,
    train: Extracted,
    log_mels: tuple[FrontEnd, ClipFrames],
    held_out: np.ndarray,
) -> dict[str, Detector]:
    """The detector and the two controls that every network is held against."""
    start = init_train_state(network, config.training, plan.n_steps, key=jax.random.key(config.seed))
    machine_ids = [clip.machine_id for clip in train.clips]
    options = {"held_out": held_out, "threshold": config.threshold, "seed": config.seed}

    def detector(representation: Representation, headline: str, names: Sequence[str]) -> Detector:
        values = representation(train.frames)
        specs = readable(values, dict.fromkeys((headline, *names)))
        by_scorer = fit_scorers(values, machine_ids, specs=specs, **options)
        return Detector(config.front_end, representation, by_scorer, headline, config.model.window_span)

    log_mel, frames = log_mels
    control = fit_scorers(FrameMean()(frames), machine_ids, specs=[ScorerSpec("mahalanobis")], **options)
    trained = Residual(network, fitted.params, fitted.model_state, scaling)
    untrained = Residual(network, start.params, start.model_state, scaling)
    return {
        "detector": detector(trained, config.scorer, config.scorers),
        "log_mel_mean": Detector(log_mel, FrameMean(), control, "mahalanobis"),
        "at_initialisation": detector(untrained, config.scorer, fitted_scorers.DEFAULT),
    }
