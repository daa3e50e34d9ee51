"""An experiment from recordings to a run folder: read, train, fit scorers, evaluate, save.

`run` is the whole walk of a network.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from asd_jax import files, scorers
from asd_jax.datasets import Dataset
from asd_jax.datasets.extraction import Extracted
from asd_jax.detectors import fitted_scorers, thresholds
from asd_jax.detectors.detector import Detector, save_detectors
from asd_jax.detectors.fitted_scorers import ScorerSpec, fit_scorers, readable
from asd_jax.errors import InputError
from asd_jax.evaluation.evaluate import SEED
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.representations import bottleneck
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.representations.members import TrainedMember, history_csv, plan_members, representation, train_planned
from asd_jax.representations.per_machine import represent
from asd_jax.runs import folder as run_folder
from asd_jax.runs.evaluation import evaluate_detectors, timed
from asd_jax.runs.outputs import Outputs
from asd_jax.runs.recordings import DataConfig, control_log_mels, describe_data, extract_training_clips, introduce
from asd_jax.runs.trained_on import write_recordings
from asd_jax.training.placement import MESHES
from asd_jax.training.plan import TrainingConfig

# Isolation forests take longer than all the others together, and are there when asked for.
REPORTED = tuple(name for name in scorers.REGISTRY if name != "iforest")


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
        num_seeds: networks trained, of this seed and those after it; the results are the first one's, with the mean
            and standard deviation over all.
        bottleneck_sizes: widths to train and choose from by validation error (see `bottleneck`); none for the model's.
        per_machine_id: train a network for each machine id on its clips alone, instead of one for all.
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
    num_seeds: int = 1
    bottleneck_sizes: tuple[int, ...] = ()
    per_machine_id: bool = False

    def check(self) -> None:
        """Raise InputError for a setting that cannot be, before anything is read or written."""
        positive = {
            "--epochs": self.training.epochs,
            "--batch_size": self.training.batch_size,
            "--learning_rate": self.training.learning_rate,
            "--num_seeds": self.num_seeds,
        }
        for flag, value in positive.items():
            if not value > 0:
                raise InputError(f"{flag}={value}: give a number above 0")
        if not 0 <= self.validation_fraction < 1:
            raise InputError(f"--validation_fraction={self.validation_fraction}: give a share from 0 to below 1")
        if self.training.patience is not None and self.validation_fraction == 0:
            raise InputError("early stopping needs validation clips; give --validation_fraction above 0")
        if self.training.mesh not in MESHES:
            raise InputError(f"--mesh={self.training.mesh}: give {' or '.join(MESHES)}")
        if self.training.mesh != "none" and (self.num_seeds > 1 or self.per_machine_id):
            raise InputError("--mesh splits the batches of one network; leave out --num_seeds and --per_machine_id")
        if self.bottleneck_sizes and self.validation_fraction == 0:
            raise InputError("choosing a bottleneck needs validation clips; give --validation_fraction above 0")
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
    outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train a network and evaluate it; everything is written below `workdir`.

    Args:
        config: the settings.
        workdir: the run folder; must not hold anything unless `resume`.
        resume: go on with the run in `workdir`, which must have been started with the same settings and data.
        strict_batch_size: a batch larger than the data is an error instead of shrinking.
        flags: of the command line, recorded so that a resumed run can leave them out.
        outputs: what to write for people to look at.
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
    dataset = config.data.open(config.front_end.sample_rate, say)
    introduce(config.experiment, dataset, say)
    seconds: dict[str, float] = {}
    with timed(seconds, "load"):
        train = extract_training_clips(
            config.data, config.front_end, dataset, min_frames=config.model.window_span, say=say
        )
        log_mels = control_log_mels(dataset, train, config.front_end)
    planned = plan_members(
        config.model,
        config.training,
        train,
        seeds=range(config.seed, config.seed + config.num_seeds),
        per_machine_id=config.per_machine_id,
        validation_fraction=config.validation_fraction,
    )
    smallest = min((member.plan for member in planned), key=lambda plan: len(plan.starts))
    if strict_batch_size and smallest.batch_size < config.training.batch_size:
        raise InputError(
            f"--batch_size={config.training.batch_size} is more than the {len(smallest.starts)} training examples; "
            "give a smaller one"
        )
    notes = list(dict.fromkeys(note for member in planned for note in member.plan.notes))
    for note in notes:
        say(f"note: {note}")
    run_folder.start(workdir, _describe(config, dataset) | {"flags": flags or {}}, resume=resume)
    write_recordings(workdir, dataset, config.data.data_dir)

    with timed(seconds, "train"):
        folder = workdir / "checkpoints" / "training"

        def train_network(model: Any, folder: Path) -> list[TrainedMember]:
            network = Network(model, config.front_end.n_features)
            events = workdir / "tensorboard" / folder.relative_to(workdir / "checkpoints" / "training")
            events = events if outputs.tensorboard else None
            return train_planned(network, train.frames, planned, config.training, folder, events)

        selection = {}
        if config.bottleneck_sizes:
            members, selection["bottleneck_size"] = bottleneck.train_all(
                config.bottleneck_sizes,
                lambda size: train_network(
                    bottleneck.with_bottleneck(config.model, size), folder / f"bottleneck_{size}"
                ),
                train.frames,
            )
            say(f"bottleneck of {selection['bottleneck_size']['chosen']}, chosen by validation error")
        else:
            members = train_network(config.model, folder)
    with timed(seconds, "fit_scorers"):
        detectors = _detectors(config, members, train, log_mels)
    save_detectors(workdir, detectors)
    files.write_text(workdir / "training.csv", history_csv(members))
    errors = [member.validation_error(train.frames) for member in members]
    extra = {"validation_error": None if None in errors else float(np.mean(errors)), "notes": notes} | selection
    return evaluate_detectors(workdir, config.experiment, config.data, detectors, dataset, seconds, extra, say, outputs)


def _describe(config: ExperimentConfig, dataset: Dataset) -> dict[str, Any]:
    """`config.json`: the settings, the data, how selection is done, the versions."""
    settings = dataclasses.asdict(config) | {
        "data": files.to_json(config.data),
        "front_end": config.front_end.to_dict(),
    }
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


def _detectors(
    config: ExperimentConfig,
    members: Sequence[TrainedMember],
    train: Extracted,
    log_mels: tuple[FrontEnd, StoredClips],
) -> dict[str, Detector]:
    """The first seed's detector, the two controls that every network is held against, the other seeds' detectors."""
    machine_ids = np.asarray([clip.machine_id for clip in train.clips])
    recordings, cutting = [clip.recording for clip in train.clips], config.data.cutting

    def options(of_seed: Sequence[TrainedMember]) -> dict[str, Any]:
        validation = np.concatenate([member.planned.validation for member in of_seed])
        held_out = np.isin(np.arange(len(machine_ids)), validation)
        return {
            "recordings": recordings,
            "held_out": held_out,
            "threshold": config.threshold,
            "seed": of_seed[0].planned.seed,
        }

    def detector(
        of_seed: Sequence[TrainedMember], representation: Any, headline: str, names: Sequence[str]
    ) -> Detector:
        values, by_scorer = represent(representation, train.frames), {}
        for machine_id in sorted(set(machine_ids.tolist())):
            of_id = machine_ids == machine_id
            mine = values(machine_id).of(of_id)
            given = options(of_seed)
            given["held_out"] = given["held_out"][of_id]
            specs = readable(mine, dict.fromkeys((headline, *names)))
            given["recordings"] = [name for name, chosen in zip(recordings, of_id, strict=True) if chosen]
            for name, by_id in fit_scorers(mine, machine_ids[of_id].tolist(), specs=specs, **given).items():
                by_scorer.setdefault(name, {}).update(by_id)
        return Detector(config.front_end, representation, by_scorer, headline, config.model.window_span, cutting)

    by_seed: dict[int, list[TrainedMember]] = {}
    for member in members:
        by_seed.setdefault(member.planned.seed, []).append(member)
    first, *others = by_seed.values()
    log_mel, frames = log_mels
    specs = [ScorerSpec("mahalanobis")]
    control = fit_scorers(FrameMean()(frames), machine_ids.tolist(), specs=specs, **options(first))
    untrained = representation(first, config.training)
    return {
        "detector": detector(first, representation(first), config.scorer, config.scorers),
        "log_mel_mean": Detector(log_mel, FrameMean(), control, "mahalanobis", cutting=cutting),
        "at_initialisation": detector(first, untrained, config.scorer, fitted_scorers.DEFAULT),
    } | {
        f"{SEED}{of_seed[0].planned.seed}": detector(of_seed, representation(of_seed), config.scorer, config.scorers)
        for of_seed in others
    }
