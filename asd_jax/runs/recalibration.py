"""A detector after service: its scorers and thresholds fitted anew on new normal recordings; what it looks at stays."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.datasets import Machine
from asd_jax.datasets.clips import names_of
from asd_jax.detectors import AT_INITIALISATION, Detector, Detectors
from asd_jax.errors import InputError
from asd_jax.report.table import Table
from asd_jax.representations import Fit
from asd_jax.runs import folder
from asd_jax.runs.config import RunConfig
from asd_jax.runs.evaluation import as_known, evaluate_each
from asd_jax.runs.expectation import expectation_table
from asd_jax.runs.fitting import choose_by_labels, fit_detectors
from asd_jax.runs.outputs import Outputs
from asd_jax.runs.recordings import write_recordings
from asd_jax.runs.training_clips import introduce, read_training_clips

FEWEST = 10  # clips a machine: below that not even one false alarm in ten can be seen


def recalibrate(
    run: str | Path,
    workdir: str | Path,
    *,
    outputs: Outputs = Outputs(),  # noqa: B008 (frozen)
    say: Callable[[str], None] = print,
    **data: Any,
) -> Detectors:
    """Fit a run's scorers and thresholds on new normal recordings, into a run folder of its own.

    The representation stays, a network too, which heard none of the new clips: thresholds rest on all of them.

    Args:
        run: folder of the finished run, which is left as it is.
        workdir: the new run's folder.
        outputs: what to write for people to look at, where there are test clips.
        say: takes the lines for the user, among them what moved.
        **data: settings of `DataConfig` that differ from the run's, such as `data_dir`; None leaves one as it is.

    Returns:
        the new detectors.

    Raises:
        InputError: not a run of this version, a machine that the detector does not know, or fewer than `FEWEST` clips.
    """
    run, workdir = Path(run).expanduser(), Path(workdir).expanduser()
    folder.check_free(workdir)
    config, before = RunConfig.from_dict(described := folder.read_config(run)), Detectors.load(run)
    given = {name: value for name, value in data.items() if value}
    new = dataclasses.replace(folder.as_heard(config.data, described), **given)
    config, system = dataclasses.replace(config, data=new), before.system
    usual = system.clip_seconds or math.inf
    dataset = new.open(system.front_end.sample_rate, say, usual_seconds=usual)
    introduce(f"{config.experiment} from {run}, recalibrated,", dataset, say)
    dataset = as_known(dataset, system)
    train = read_training_clips(config, dataset, say)
    _check(system, [clip.machine for clip in train.heard.clips])
    first = before.controls.get(AT_INITIALISATION)
    heard_none = None if first is None else np.ones(len(train.heard.clips), bool)
    fit = Fit(config.seed, system.representation, heard_none, first and first.representation)
    headline = choose_by_labels(config, system.representation, train.heard, dataset)
    detectors = fit_detectors(config, headline, (fit,), train)
    folder.start(workdir, folder.describe(config, dataset) | {"recalibrated_from": str(run)}, resume=False)
    write_recordings(workdir, dataset, new.data_dir)
    detectors.save(workdir)
    say("\n" + moved(system, detectors.system).text() + "\n")
    results = evaluate_each(
        workdir,
        detectors,
        dataset,
        experiment=config.experiment,
        skip_bad_files=new.skip_bad_files,
        storage=new.storage(),
        outputs=outputs,
        say=say,
        selection=config.selection_stamp,
        seed=config.seed,
        **config.recipe.stamp,
    )
    if results is None:
        say("\n" + expectation_table(detectors.system).text() + "\n")
    return detectors


def _check(system: Detector, machines: Sequence[Machine]) -> None:
    names = names_of([*machines, *system.machines])
    for machine, count in sorted(Counter(machines).items()):
        if machine not in system.machines:
            raise InputError(
                f"recordings of {names[machine]}, but the detector knows {', '.join(system.machine_ids)}; choose "
                "among them by `machine_ids`, or train anew"
            )
        if count < FEWEST:
            raise InputError(
                f"{count} normal clips of {names[machine]} are too few to set a threshold by; record at least "
                f"{FEWEST}, better 30 or more"
            )


def moved(before: Detector, after: Detector) -> Table:
    """Threshold and median normal score of each machine, before and after, by the headline scorer."""
    rows, names = [], names_of(before.machines)
    for machine, fitted in after.fitted[after.headline_scorer].items():
        old = before.fitted[before.headline_scorer][machine]
        pairs = [(np.median(of.normal_scores), of.threshold.value, len(of.normal_scores)) for of in (old, fitted)]
        cells = [f"{a:.4g} -> {b:.4g}" for a, b in zip(*pairs, strict=True)]
        above = np.mean(fitted.normal_scores > old.threshold.value)
        rows.append([names[machine], *cells, f"{above:.0%}"])
    for machine in [of for of in before.machines if of not in after.machines]:
        rows.append([names[machine], "no new recordings: left out", "", "", ""])
    header = ["machine id", "median normal score", "threshold", "normal clips", "new clips above the old threshold"]
    return Table(header, rows, caption="What moved")
