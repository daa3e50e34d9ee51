"""False alarms of networks' thresholds: `python -m benchmarks.thresholds --folder=DIR [--data_dir=DIR]`.

Trains each system once a seed into `DIR/<machine>/<system>/<seed>`, where it is not yet, and holds two rules against
each other on the same run: thresholds from validation clips (of fitted scorers: out-of-fold scores), and from all
normal clips, those that the network saw shifted. A cell is a machine id and a seed; rates are those of its normal test
clips. For ToyCar give `--machine=toy_car --data_dir=DIR`.
"""

import argparse
import dataclasses
import importlib
from pathlib import Path

import numpy as np

from asd_jax.datasets import DataConfig
from asd_jax.datasets.clips import recording_index
from asd_jax.datasets.extraction import Extracted, extract
from asd_jax.detectors import Detectors, thresholds
from asd_jax.detectors.fitted_scorers import ScorerSpec, fit_scorers
from asd_jax.detectors.thresholds import Source
from asd_jax.runs import RunConfig, folder, run
from asd_jax.training.examples import split_validation

RULE, NOMINAL = "gamma_0.9", 0.1


def trained(system: str, seed: int, base: Path, data: DataConfig) -> Path:
    """The folder of a system's run, trained where it is not yet."""
    place = base / (data.machine or "") / system / str(seed)
    if not (place / "checkpoints" / "bundle").exists():
        recipe = importlib.import_module(f"experiments.{system}").recipe()
        run(dataclasses.replace(recipe, seed=seed, data=data), place)
    return place


def false_alarms(place: Path, spec: ScorerSpec) -> dict[str, dict[str, float]]:
    """False-alarm rate by rule and machine id of a finished run."""
    config = RunConfig.from_dict(folder.read_config(place))
    detector = Detectors.load(place).system
    dataset = config.data.open(config.front_end.sample_rate, lambda line: None)

    def heard(split: str) -> Extracted:
        clips = [clip for clip in dataset.split(split) if not clip.is_anomaly]
        return extract(clips, dataset.read, config.front_end, min_frames=config.recipe.min_frames, description=split)

    train, test = heard("train"), heard("test")
    machines = [clip.machine for clip in train.clips]
    values = detector.representation(train.frames, machines)
    _, validation = split_validation(
        machines,
        fraction=config.recipe.validation_fraction,
        seed=config.seed,
        recordings=recording_index([clip.recording for clip in train.clips]),
    )
    held_out = np.zeros(len(machines), bool)
    held_out[validation] = True
    after = fit_scorers(values, machines, held_out=held_out, specs=[spec], threshold=RULE)[spec.label]
    before = fit_scorers(values, machines, specs=[spec], threshold=RULE)[spec.label]
    tested = [clip.machine for clip in test.clips]
    new_values = detector.representation(test.frames, tested)
    rates: dict[str, dict[str, float]] = {"before": {}, "after": {}}
    for machine, fitted in after.items():
        limits = {"before": before[machine].threshold, "after": fitted.threshold}
        if fitted.validation_scores is not None:
            limits["before"] = thresholds.fit(RULE, fitted.validation_scores, source=Source.VALIDATION)
        scores = fitted.score(new_values.of(np.asarray([of == machine for of in tested])))
        for rule, limit in limits.items():
            rates[rule][machine.machine_id] = float(np.mean(scores > limit.value))
    return rates


def summary(cells: list[float]) -> str:
    """Pooled rate, cells above 0.30, mean absolute deviation from the nominal rate."""
    rates = np.asarray(cells)
    deviation = np.abs(rates - NOMINAL).mean()
    return f"pooled {rates.mean():.3f}, {np.sum(rates > 0.3)} of {len(rates)} above 0.30, deviation {deviation:.3f}"


def main() -> None:
    """Print each cell, then each system's summary by scorer and rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--machine", default="slide_rail")
    parser.add_argument("--data_dir")
    parser.add_argument("--systems", nargs="+", default=["lstm_pred", "dense_ae", "idnn"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--finished", action="store_true", help="Only runs that are there; nothing is trained.")
    given = parser.parse_args()
    for system in given.systems:
        cells: dict[tuple[str, str], list[float]] = {}
        for seed in given.seeds:
            data = DataConfig(given.machine, given.data_dir)
            place = given.folder / given.machine / system / str(seed)
            if given.finished and not (place / "metrics.json").exists():
                continue
            place = trained(system, seed, given.folder, data)
            for name in ("mse", "mahalanobis"):
                for rule, by_id in false_alarms(place, ScorerSpec(name)).items():
                    print(f"{system} seed {seed} {name} {rule}:", {key: round(rate, 3) for key, rate in by_id.items()})
                    cells.setdefault((name, rule), []).extend(by_id.values())
        for (name, rule), rates in cells.items():
            print(f"{system} {name} {rule}: {summary(rates)}")


if __name__ == "__main__":
    main()
