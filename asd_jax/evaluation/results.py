"""What an evaluation found, as `metrics.json` holds it: made by `evaluate`, read by tables, reports and comparisons."""

import dataclasses
import enum
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asd_jax.errors import InputError
from asd_jax.files import from_json, sparse, to_json, write_json

MEASURES = ("auc", "pauc", "average_precision")
Interval = tuple[float, float]


class Role(enum.StrEnum):
    """What a row of measures is there for."""

    HEADLINE = "headline"
    EXPLORATORY = "exploratory"
    CONTROL = "control"


@dataclasses.dataclass(frozen=True)
class Measures:
    """Measures of a group of clips, or means of such measures; None where undefined.

    Attributes:
        auc, pauc, average_precision: see `metrics.measure`.
        n_normal, n_anomaly: clips of each class; None for means.
        undefined: why there are none.
        note: what a reader should know.
        interval_95: of AUC and pAUC, over resampled test clips.
    """

    auc: float | None
    pauc: float | None
    average_precision: float | None
    n_normal: int | None = sparse()
    n_anomaly: int | None = sparse()
    undefined: str | None = sparse()
    note: str | None = sparse()
    interval_95: Mapping[str, Interval] = sparse(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Groups:
    """Measures by machine id, their means over ids, and those of all clips together."""

    machine_ids: Mapping[str, Measures]
    pooled: Measures
    mean: Measures
    harmonic_mean: Measures


@dataclasses.dataclass(frozen=True)
class Official:
    """The score by which a release ranks systems on one machine type (see `official_scores`).

    Attributes:
        release, rule: which, and how it is computed.
        score: None where undefined, and in 2020, which has `auc` and `pauc` instead.
        parts: the measures that it is made of.
        interval_95: of each of them.
        undefined: why there is none.
    """

    release: str = ""
    rule: str = ""
    score: float | None = None
    auc: float | None = sparse()
    pauc: float | None = sparse()
    parts: Mapping[str, float] = sparse(default_factory=dict)
    interval_95: Mapping[str, Interval] = sparse(default_factory=dict)
    undefined: str | None = sparse()


@dataclasses.dataclass(frozen=True)
class Summary(Groups):
    """All measures of one column of scores; `pooled_id_00_02_04` is the pool of student reports on the slide rail."""

    pooled_id_00_02_04: Measures | None = sparse()
    domains: Mapping[str, Groups] = sparse(default_factory=dict)
    official: Official | None = sparse()
    role: Role | None = sparse()


@dataclasses.dataclass(frozen=True)
class Difference:
    """How much higher AUC and pAUC are than another's on the same clips, with 95 % intervals of paired resamples."""

    auc_difference: float | None
    interval_95: Interval | None
    pauc_difference: float | None = sparse()
    pauc_interval_95: Interval | None = sparse()
    n_resamples: int | None = sparse()
    undefined: str | None = sparse()


@dataclasses.dataclass(frozen=True)
class AtThreshold:
    """What a threshold does on labelled clips; an undefined ratio is None.

    Attributes:
        name, value, method, location, n_normal, fitted_on: of the threshold, in words; the value is None where it is
            infinite.
        false_alarm_rate, true_positive_rate, accuracy: rates.
        precision, recall, f1: of the anomalous class; `normal_precision` and so on of the normal one.
        confusion: `((true negatives, false positives), (false negatives, true positives))`.
        undefined: why there is nothing, where a score is not finite and so has no decision.
        selection: `oracle` where the threshold looks at labels, else `label-free`.
        domains: the same by domain.
    """

    name: str
    value: float | None
    method: str
    location: float
    n_normal: int
    fitted_on: str
    false_alarm_rate: float | None
    true_positive_rate: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    normal_precision: float | None
    normal_recall: float | None
    normal_f1: float | None
    accuracy: float | None
    confusion: tuple[tuple[int, int], tuple[int, int]] | None
    undefined: str | None = sparse()
    selection: str | None = sparse()
    domains: "Mapping[str, AtThreshold]" = sparse(default_factory=dict)


ByRule = Mapping[str, Mapping[str, AtThreshold]]  # by rule and machine id; the first rule decides


@dataclasses.dataclass(frozen=True)
class Windows(Groups):
    """Measures of single windows, and of decisions on them."""

    thresholds: ByRule = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Spread:
    """A measure over seeds."""

    mean: float
    standard_deviation: float
    values: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """What `metrics.json` holds.

    Attributes:
        experiment, dataset, machine: what was run on what.
        selection: `label-free`, `oracle` where something was chosen with the labels of the test clips, `supervised`
            where labelled clips were learned from.
        headline_scorer: the scorer that was fixed beforehand.
        scorers: measures of the system's scorers.
        controls: measures by control and scorer.
        differences: of the system's scorers to the controls': by scorer, and by control and its scorer as one name.
        decision_threshold: the rule that decides.
        thresholds: by scorer.
        scorer_settings: by scorer and machine id.
        seed: of the run.
        seeds: by scorer and measure, where there are several.
        by_seed: measures of the further seeds, by seed and scorer.
        single_windows: by scorer that pools windows.
        validation_error: of the network, relative to predicting the mean.
        notes: what a reader should know.
        bottleneck_size: how it was chosen, where it was.
        evaluated_run, left_out_trained_on: of an evaluation of a finished run: its folder, and the test recordings
            left out since it was trained on them.
        random_weights: whether a published network was run without its weights.
        silent_test_clips, bad_files: file names.
        seconds: what took how long.
    """

    experiment: str = ""
    dataset: str = ""
    machine: str = ""
    selection: str = "label-free"
    headline_scorer: str
    scorers: Mapping[str, Summary]
    controls: Mapping[str, Mapping[str, Summary]] = dataclasses.field(default_factory=dict)
    differences: Mapping[str, Mapping[str, Difference]] = dataclasses.field(default_factory=dict)
    decision_threshold: str = ""
    thresholds: Mapping[str, ByRule] = dataclasses.field(default_factory=dict)
    scorer_settings: Mapping[str, Mapping[str, Mapping[str, Any]]] = dataclasses.field(default_factory=dict)
    seed: int | None = sparse()
    seeds: Mapping[str, Mapping[str, Spread]] = sparse(default_factory=dict)
    by_seed: Mapping[str, Mapping[str, Summary]] = sparse(default_factory=dict)
    single_windows: Mapping[str, Windows] = sparse(default_factory=dict)
    validation_error: float | None = None
    notes: tuple[str, ...] = ()
    bottleneck_size: Mapping[str, Any] | None = sparse()
    evaluated_run: str | None = sparse()
    left_out_trained_on: tuple[str, ...] | None = sparse()
    random_weights: bool | None = sparse()
    silent_test_clips: tuple[str, ...] = ()
    bad_files: tuple[str, ...] = ()
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def headline(self) -> Summary:
        """Measures of the headline scorer."""
        return self.scorers[self.headline_scorer]

    def write(self, folder: Path) -> None:
        """Write `metrics.json` into a folder."""
        write_json(folder / "metrics.json", to_json(self))

    @classmethod
    def read(cls, folder: str | Path) -> "Results":
        """`metrics.json` of a run or of an evaluation's folder; what a later version has added is passed over.

        Raises:
            InputError: there is none, or it is not what a run writes.
        """
        path = Path(folder) / "metrics.json"
        try:
            return from_json(cls, json.loads(path.read_text(encoding="utf-8")), ignore_unknown=True)
        except OSError as error:
            raise InputError(
                f"{folder}: no metrics.json in it; name the folder of a finished run that had test clips"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, InputError) as error:
            raise InputError(f"{path} is not what a run writes ({error}); evaluate the run again") from error


def difference_name(control: str, scorer: str) -> str:
    """The name of a control's scorer in `Results.differences`."""
    return f"{control} {scorer}"
