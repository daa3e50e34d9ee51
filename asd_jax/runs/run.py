"""A run, from recordings to its folder: read, fit the representation, fit scorers, save, evaluate.

`run` is the whole walk, the same for networks, statistics and embeddings.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asd_jax.datasets import DataConfig, Dataset
from asd_jax.datasets.in_memory import OWN
from asd_jax.errors import InputError
from asd_jax.evaluation.results import Results
from asd_jax.files import write_text
from asd_jax.representations import Hooks
from asd_jax.runs import folder
from asd_jax.runs.config import RunConfig
from asd_jax.runs.evaluation import evaluate_each
from asd_jax.runs.expectation import expectation_table
from asd_jax.runs.fitting import fit_on_normal, scorer_notes
from asd_jax.runs.outputs import Outputs
from asd_jax.runs.recordings import write_recordings
from asd_jax.runs.supervised import fit_supervised
from asd_jax.runs.timing import timed
from asd_jax.runs.training_clips import (
    TrainingClips,
    introduce,
    microphone_remarks,
    read_supplemental,
    read_training_clips,
)
from asd_jax.training import hosts
from asd_jax.training.progress import history_csv


def run(
    config: RunConfig,
    workdir: str | Path,
    *,
    resume: bool = False,
    outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
    say: Callable[[str], None] = print,
    dataset: Dataset | None = None,
) -> Results | dict[str, Results] | None:
    """Fit a detector and evaluate it; everything is written below `workdir`.

    Several hosts (`training.hosts`) all call it with the same config. They train together; what comes after that the
    first does alone, which is the only one that looks at `workdir`.

    Args:
        config: the settings.
        workdir: the run folder; must not hold anything unless `resume`.
        resume: go on with the run in `workdir`, which must have been started with the same settings and data.
        outputs: what to write for people to look at.
        say: takes the lines for the user.
        dataset: clips of one's own (see `datasets.in_memory`), in the place of those that `config.data` names.

    Returns:
        what `metrics.json` holds, where one detector serves several machine types by their names, each in a folder of
        its own below `workdir`; None where there are no test clips, and of hosts but the first.

    Raises:
        InputError: a setting or a file that the user can mend.
    """
    workdir = Path(workdir).expanduser()
    config.check()
    config.data.storage()  # a limit that cannot be is said before anything is read
    writes = hosts.is_first()
    if writes and not resume:
        folder.check_free(workdir)
    if dataset is None:
        dataset = config.data.open(config.front_end.sample_rate, say)
    else:
        config = _of_own(config, dataset)
    introduce(config.experiment, dataset, say)
    seconds: dict[str, float] = {}
    with timed(seconds, "load"):
        train = read_supplemental(config, dataset, read_training_clips(config, dataset, say))
    notes: list[str] = []

    def note(line: str) -> None:
        notes.append(line)
        say(f"note: {line}")

    for line in microphone_remarks(dataset, train, config.front_end.sample_rate):
        note(line)

    @functools.cache
    def start() -> Path:
        description = folder.describe(config, dataset)
        hosts.check_same(_common(description, train))
        if writes:
            folder.start(workdir, description, resume=resume)
            taught_by_labels = config.supervised is not None
            write_recordings(workdir, dataset, config.data.data_dir, labelled_train=taught_by_labels)
        return workdir / "checkpoints" / "training"

    hooks = Hooks(start, workdir / "tensorboard" if writes and outputs.tensorboard else None, say, note)
    fit = fit_on_normal if config.supervised is None else fit_supervised
    fitted = fit(config, dataset, train, hooks, seconds)
    start()  # only now where nothing was trained, so that a mistake found while fitting leaves nothing behind
    if not writes:
        hosts.meet("the end of a run")
        return None
    detectors, fits = fitted.detectors, fitted.fits
    if config.saves:
        detectors.save(workdir)
    if fits[0].history:
        write_text(workdir / "training.csv", history_csv({fit.seed: fit.history for fit in fits}))
    for line in scorer_notes(detectors.system, config.selection):
        note(line)
    errors = [fit.validation_error for fit in fits]
    results = evaluate_each(
        workdir,
        detectors,
        dataset,
        experiment=config.experiment,
        skip_bad_files=config.data.skip_bad_files,
        storage=config.data.storage(),
        outputs=outputs,
        say=say,
        seconds=seconds,
        cross_validated=fitted.cross_validated,
        selection=config.selection_stamp,
        seed=config.seed,
        notes=tuple(notes),
        validation_error=None if None in errors else sum(errors) / len(errors),
        **fits[0].chosen,
        **config.recipe.stamp,
    )
    if results is None:
        say("\n" + expectation_table(detectors.system).text() + "\n")
    hosts.meet("the end of a run")  # JAX ends them all where one leaves before
    return results


def _common(description: dict[str, Any], train: TrainingClips) -> dict[str, Any]:
    """What several hosts must have in common, by words for it."""
    lengths = hashlib.sha256(train.heard.frames.clip_length.tobytes()).hexdigest()
    return {
        "versions of Python or packages": description["versions"],
        "settings": [description["experiment"], description["settings"]],
        "recordings": description["data"],
        "readable training recordings": lengths,
    }


def _of_own(config: RunConfig, dataset: Dataset) -> RunConfig:
    """The config of a run on clips of one's own: its recordings have a name that nothing opens again."""
    rate = config.front_end.sample_rate
    if dataset.sample_rate not in (None, rate):
        raise InputError(
            f"the waveforms are at {dataset.sample_rate} Hz, and the front end hears {rate}; resample them"
        )
    return dataclasses.replace(config, data=DataConfig(machine=dataset.machine, dataset=OWN))
