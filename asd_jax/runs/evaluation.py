"""Evaluation of a run's detectors on test clips, at the end of training or later from the run folder alone."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax import files
from asd_jax.datasets import Dataset
from asd_jax.datasets.extraction import extract
from asd_jax.detectors import thresholds
from asd_jax.detectors.detector import Detector, load_detectors
from asd_jax.evaluation import evaluate as evaluation
from asd_jax.evaluation.score_files import scores_csv
from asd_jax.report.run_tables import format_report
from asd_jax.runs import folder as run_folder
from asd_jax.runs.outputs import Outputs
from asd_jax.runs.recordings import DataConfig, introduce, say_found
from asd_jax.runs.trained_on import without_trained_on


def evaluate_run(
    run: str | Path,
    workdir: str | Path | None = None,
    *,
    data_dir: str | None = None,
    dataset: str | None = None,
    skip_bad_files: bool = False,
    machine_ids: tuple[str, ...] = (),
    threshold: str | None = None,
    cache_dir: str | None = None,
    outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Evaluate a finished run from its folder, on its own test clips or on those below another `data_dir`.

    Writes `scores.csv`, `metrics.json` and the outputs that are wanted into `workdir` (default `run/evaluate`) and
    nothing into the run's files. Recordings that the run trained on are left out of the test, wherever they lie now.

    Args:
        run: folder of the run.
        workdir: folder to write into, not a run's.
        data_dir: other recordings than the run's.
        dataset: forces their layout; None for the one that the run was given, if any.
        skip_bad_files: leave bad files out and count them, as the run does where it was told to.
        machine_ids: test only these; the run's own when empty.
        threshold: rule for the decisions; None for the run's own.
        cache_dir: where recordings on disk are prepared once (see `datasets.prepared`).
        outputs: what to write for people to look at.
        say: takes the lines for the user.

    Raises:
        InputError: the folder holds no finished run, or the recordings are bad.
    """
    run = Path(run)
    config = run_folder.read_config(run)
    detectors = load_detectors(run)
    if threshold is not None:
        thresholds.parse(threshold)
        detectors["detector"] = _deciding_by(detectors["detector"], threshold)
    data = files.from_json(DataConfig, config["settings"]["data"])
    data = dataclasses.replace(
        data,
        cache_dir=cache_dir,
        data_dir=data_dir or data.data_dir,
        dataset=dataset or data.dataset,
        skip_bad_files=skip_bad_files or data.skip_bad_files,
        machine_ids=machine_ids or data.machine_ids,
    )
    workdir = run / "evaluate" if workdir is None else Path(workdir)
    run_folder.check_not_a_run(workdir)
    opened = data.open(detectors["detector"].front_end.sample_rate, say)
    introduce(f"{config['experiment']} from {run},", opened, say)
    opened, trained_on = without_trained_on(opened, data.data_dir, run)
    if trained_on:
        names = ", ".join(trained_on[:3]) + (", ..." if len(trained_on) > 3 else "")
        say(f"warning: {len(trained_on)} test recording(s) left out, since the run was trained on them: {names}")
    extra = {
        "selection": config["selection"],
        "evaluated_run": str(run),
        "left_out_trained_on": trained_on,
        **config.get("stamp", {}),
    }
    return evaluate_detectors(workdir, config["experiment"], data, detectors, opened, {}, extra, say, outputs)


def evaluate_detectors(
    workdir: Path,
    experiment: str,
    data: DataConfig,
    detectors: dict[str, Detector],
    dataset: Dataset,
    seconds: dict[str, float],
    extra: dict[str, Any],
    say: Callable[[str], None],
    outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
) -> dict[str, Any]:
    """Score the test clips, print the tables, write `scores.csv`, `metrics.json` and the outputs that are wanted."""
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
    say_found(test, "test", say)
    with timed(seconds, "score"):
        result = evaluation.evaluate(detectors, test.clips, frames, machine=dataset.machine, dataset=dataset.name)
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
    if any(clip.is_anomaly is not None for clip in test.clips):
        say("\n" + format_report(report) + "\n")
    else:
        say("no labelled test clips: scores and decisions are written, and there is nothing to measure")
    for line in _remarks(detector, report, result):
        say(line)
    scores = scores_csv(
        result.clips,
        result.scores["detector"],
        result.decisions,
        headline=detector.headline_scorer,
        selection=report["selection"],
        worst_start_seconds=result.worst_start_seconds,
    )
    files.write_text(workdir / "scores.csv", scores)
    files.write_json(workdir / "metrics.json", report)
    outputs.write(workdir, report, result, detectors, frames, dataset, say)
    say(f"written to {workdir}")
    return report


def _deciding_by(detector: Detector, rule: str) -> Detector:
    fitted = {
        scorer: {machine_id: of.deciding_by(rule) for machine_id, of in by_id.items()}
        for scorer, by_id in detector.fitted.items()
    }
    return dataclasses.replace(detector, fitted=fitted)


def _remarks(detector: Detector, report: dict[str, Any], result: evaluation.Evaluation) -> list[str]:
    """What a reader must know of the headline's numbers before believing them."""
    headline = detector.headline_scorer
    lines = []
    for machine_id, values in report["scorers"][headline]["machine_ids"].items():
        if "undefined" in values:
            lines.append(
                f"note: {machine_id} has {values['undefined']}: scores are written, its measures are undefined"
            )
        elif "note" in values:
            lines.append(f"warning: {machine_id}: {values['note']}, so AUC is that of chance")
    for machine_id, fitted in detector.fitted[headline].items():
        if not np.isfinite(fitted.threshold.value):
            lines.append(
                f"warning: {machine_id}: {fitted.threshold.name} has {fitted.threshold.n_normal} unseen normal clips "
                f"({fitted.threshold.fitted_on}) and {fitted.threshold.method.split(': ')[-1]}: it never alarms; "
                "record more, or take --threshold=gamma_0.9"
            )
        elif fitted.threshold.method == "conformal" and not fitted.threshold.fitted_on.startswith("validation"):
            lines.append(
                f"note: {machine_id}: the bound of {fitted.threshold.name} on false alarms holds approximately, as it "
                f"was fitted on {fitted.threshold.fitted_on}"
            )
    n_bad = int((~np.isfinite(result.scores["detector"][headline])).sum())
    if n_bad:
        lines.append(f"warning: {n_bad} score(s) of {headline} are not finite; these clips get no decision")
    return lines


class timed:
    """Add the seconds spent in a block to `seconds[name]`."""

    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self._seconds, self._name = seconds, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._name] = time.perf_counter() - self._start
