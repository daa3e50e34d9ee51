"""Evaluation of a run's detectors on test clips, at the end of training or later from the run folder alone."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets import DataConfig, Dataset
from asd_jax.datasets.extraction import extract_from
from asd_jax.datasets.in_memory import OWN
from asd_jax.datasets.together import by_machine_type
from asd_jax.detectors import Detector, Detectors
from asd_jax.detectors.thresholds import Method, Source
from asd_jax.errors import InputError
from asd_jax.evaluation.evaluate import Evaluation, evaluate
from asd_jax.evaluation.results import Results
from asd_jax.evaluation.score_files import scores_csv
from asd_jax.features.storage import Storage
from asd_jax.files import from_json, write_text
from asd_jax.report.in_short import in_short
from asd_jax.report.tables import result_tables
from asd_jax.runs import folder
from asd_jax.runs.outputs import Outputs
from asd_jax.runs.recordings import without_trained_on
from asd_jax.runs.timing import timed
from asd_jax.runs.training_clips import introduce, say_found

_NONE: Mapping[str, Mapping[str, float]] = {}


def evaluate_run(
    run: str | Path,
    workdir: str | Path | None = None,
    *,
    threshold: str | None = None,
    outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
    say: Callable[[str], None] = print,
    **data: Any,
) -> Results | dict[str, Results] | None:
    """Evaluate a finished run from its folder, on its own test clips or on those below another `data_dir`.

    Writes `scores.csv` (`scores_seed_N.csv` of further seeds), `metrics.json` and the outputs that are wanted into
    `workdir` (default `run/evaluate`) and nothing into the run's files. Recordings that the run trained on are left out
    of the test, wherever they lie now.

    Args:
        run: folder of the run.
        workdir: folder to write into, not a run's.
        threshold: rule for the decisions; None for the run's own.
        outputs: what to write for people to look at.
        say: takes the lines for the user.
        **data: settings of `DataConfig` that differ from the run's, such as `data_dir`; None leaves one as it is.

    Raises:
        InputError: the folder holds no finished run, or the recordings are bad.
    """
    run = Path(run).expanduser()
    workdir = run / "evaluate" if workdir is None else Path(workdir).expanduser()
    folder.check_not_a_run(workdir)
    config = folder.read_config(run)
    detectors = Detectors.load(run)
    if threshold is not None:
        detectors = dataclasses.replace(detectors, system=detectors.system.deciding_by(threshold))
    if not isinstance(config["settings"].get("data"), dict):
        raise InputError(f"{run}/config.json lacks `settings.data`, the recordings of the run; restore it")
    recorded = folder.as_heard(from_json(DataConfig, config["settings"]["data"]), config)
    recorded = dataclasses.replace(recorded, **{name: value for name, value in data.items() if value})
    if recorded.dataset == OWN:
        if recorded.data_dir is None:
            raise InputError(f"{run} heard waveforms that a program gave it; give recordings by `data_dir`")
        recorded = dataclasses.replace(recorded, dataset=None)
    if config.get("selection") == "supervised" and recorded.data_dir is None:
        raise InputError(f"{run} was taught by the labels of these very clips; give others by `data_dir`")
    usual = detectors.system.clip_seconds or math.inf  # a detector that does not know it hears recordings whole
    dataset = recorded.open(detectors.system.front_end.sample_rate, say, usual_seconds=usual)
    introduce(f"{config['experiment']} from {run},", dataset, say)
    dataset = as_known(dataset, detectors.system)
    dataset, trained_on = without_trained_on(dataset, recorded.data_dir, run)
    if trained_on:
        names = ", ".join(trained_on[:3]) + (", ..." if len(trained_on) > 3 else "")
        say(f"warning: {len(trained_on)} test recording(s) left out, since the run was trained on them: {names}")
    return evaluate_each(
        workdir,
        detectors,
        dataset,
        experiment=config["experiment"],
        skip_bad_files=recorded.skip_bad_files,
        storage=recorded.storage(),
        outputs=outputs,
        say=say,
        selection=config.get("selection", ""),
        seed=config["settings"].get("seed"),
        evaluated_run=str(run),
        left_out_trained_on=tuple(trained_on),
        **config.get("stamp", {}),
    )


def as_known(dataset: Dataset, system: Detector) -> Dataset:
    """The data set with clips of the detector's machine type, where that is one and the folder calls it otherwise."""
    types = {machine.machine_type for machine in system.machines}
    if len(types) > 1 or dataset.machine in types:
        return dataset
    clips = tuple(dataclasses.replace(clip, machine_type=next(iter(types))) for clip in dataset.clips)
    return dataclasses.replace(dataset, clips=clips)


def evaluate_each(
    workdir: Path, detectors: Detectors, dataset: Dataset, *, say: Callable[[str], None], **options: Any
) -> Results | dict[str, Results] | None:
    """Evaluate on each machine type by itself, since tables and official scores are of one.

    Arguments are those of `evaluate_detectors`.

    Returns:
        the results, of several machine types by their names, each in a folder of `workdir`; None without test clips.
    """
    parts = by_machine_type(dataset)
    if len(parts) == 1:
        return evaluate_detectors(workdir, detectors, dataset, say=say, **options)
    found = {}
    for name, part in parts.items():
        say(f"\n{name}, by the detector of {len(parts)} machine types in {workdir}")
        found[name] = evaluate_detectors(workdir / name, detectors, part, say=say, **options)
    return {name: results for name, results in found.items() if results is not None} or None


def evaluate_detectors(
    workdir: Path,
    detectors: Detectors,
    dataset: Dataset,
    *,
    experiment: str,
    skip_bad_files: bool,
    storage: Storage | None = None,
    outputs: Outputs,
    say: Callable[[str], None],
    seconds: dict[str, float] | None = None,
    cross_validated: Mapping[str, Mapping[str, float]] = _NONE,
    **fields: Any,
) -> Results | None:
    """Score the test clips, print the tables, write `scores.csv`, `metrics.json` and the outputs that are wanted.

    Args:
        workdir: folder to write into.
        detectors: what is evaluated.
        dataset: the recordings.
        experiment: name of the experiment that made the detectors.
        skip_bad_files: leave bad files out and count them.
        storage: how much memory frames may take, and where they go that take more.
        outputs: what to write for people to look at.
        say: takes the lines for the user.
        seconds: what went before took, by what it was; what is timed here is added.
        cross_validated: see `evaluate`.
        **fields: further fields of the results.

    Returns:
        the results; None where there are no test clips.
    """
    clips, system, seconds = dataset.split("test"), detectors.system, seconds or {}
    for line in system.of_machine_type(dataset.clips[0].machine_type).remarks() if clips else system.remarks():
        say(line)
    if not clips:
        say("no test clips: the detector is saved, and there is nothing to evaluate")
        return None
    with timed(seconds, "load_test"):
        test = extract_from(
            dataset,
            clips,
            system.front_end,
            min_frames=system.min_frames,
            skip_bad_files=skip_bad_files,
            storage=storage,
            description="test clips",
        )
        frames = {system.front_end: test.frames}
        for other in detectors.front_ends[1:]:
            again = extract_from(dataset, test.clips, other, storage=storage, description="test clips (control)")
            frames[other] = again.frames
    say_found(test, "test", say)
    with timed(seconds, "score"):
        found = evaluate(
            detectors,
            test.clips,
            frames,
            machine=dataset.machine,
            dataset=dataset.name,
            seconds=test.seconds,
            cross_validated=cross_validated,
        )
    results = dataclasses.replace(
        found.results,
        experiment=experiment,
        silent_test_clips=test.silent,
        bad_files=test.bad,
        seconds={name: round(value, 3) for name, value in seconds.items()},
        **fields,
    )
    found = dataclasses.replace(found, results=results)
    if any(clip.is_anomaly is not None for clip in test.clips):
        say("\n" + "\n\n".join(table.text() for table in result_tables(results)) + "\n")
        if line := in_short(results):
            say(line)
    else:
        say("no labelled test clips: scores and decisions are written, and there is nothing to measure")
    for line in _remarks(system, results, found):
        say(line)
    scores = scores_csv(found.clips, found.scores, found.decisions, selection=results.selection)
    write_text(workdir / "scores.csv", scores)
    for seed, heard in found.further_seeds.items():
        decisions = heard.decisions(results.headline_scorer)
        scores = scores_csv(heard.recordings, heard.scores, decisions, selection=results.selection)
        write_text(workdir / f"scores_seed_{seed}.csv", scores)
    results.write(workdir)
    outputs.write(workdir, found, detectors, frames, dataset, say)
    say(f"written to {workdir}")
    return results


def _remarks(detector: Detector, results: Results, result: Evaluation) -> list[str]:
    """What a reader must know of the headline's numbers before believing them."""
    headline = detector.headline_scorer
    lines = []
    for machine_id, values in results.headline.machine_ids.items():
        if values.undefined:
            lines.append(f"note: {machine_id} has {values.undefined}: scores are written, its measures are undefined")
        elif values.note:
            lines.append(f"warning: {machine_id}: {values.note}, so AUC is that of chance")
    for machine, fitted in detector.fitted[headline].items():
        limit = fitted.threshold
        exact = limit.source is Source.VALIDATION
        if limit.method is Method.CONFORMAL and not exact and not limit.never_alarms:
            lines.append(
                f"note: {machine.machine_id}: the bound of {limit.name} on false alarms holds approximately, as it "
                f"was fitted on {limit.fitted_on}"
            )
    n_bad = int(np.ma.count_masked(result.decisions))
    if n_bad:
        lines.append(
            f"warning: {n_bad} recording(s) get no decision: a score of {headline} that is not finite, or far shorter "
            "than the clips of training"
        )
    return lines
