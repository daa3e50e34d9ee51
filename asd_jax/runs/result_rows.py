"""The results of several runs as rows, and as tables of them: what `compare` and `benchmark` print."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asd_jax.errors import InputError
from asd_jax.evaluation import official_scores
from asd_jax.evaluation.official_scores import arithmetic_mean, harmonic_mean

EXPLORATORY = "exploratory"


@dataclasses.dataclass(frozen=True)
class Row:
    """One scorer of one run; measures are means over machine ids.

    Attributes:
        run: what the run is called.
        experiment: the experiment that made it.
        scorer: name of the scorer.
        role: `headline`, `exploratory` or `control: <its name>`.
        selection: `label-free` or `oracle`.
        dataset: name of the data set.
        machine: canonical name of the machine type.
        auc, pauc, average_precision: None where undefined.
        auc_interval, pauc_interval: 95 %, over resampled test clips.
        auc_over_seeds, pauc_over_seeds: mean and standard deviation, where there are several.
        official, official_interval: the release's own score, for releases with domains (see `official_scores`).
        official_parts: the measures that it is made of.
        fit_seconds: training and fitting scorers, of the whole run.
        score_seconds: scoring the test clips, of the whole run.
    """

    run: str
    experiment: str
    scorer: str
    role: str
    selection: str
    dataset: str
    machine: str
    auc: float | None
    pauc: float | None
    average_precision: float | None
    auc_interval: tuple[float, float] | None = None
    pauc_interval: tuple[float, float] | None = None
    auc_over_seeds: tuple[float, float] | None = None
    pauc_over_seeds: tuple[float, float] | None = None
    official: float | None = None
    official_interval: tuple[float, float] | None = None
    official_parts: Mapping[str, float] = dataclasses.field(default_factory=dict)
    fit_seconds: float | None = None
    score_seconds: float | None = None

    @property
    def system(self) -> str:
        """What a table calls it: the experiment for its headline, else the control or scorer too, marked so."""
        if self.role == "headline":
            return self.experiment
        if self.role == EXPLORATORY:
            return f"{self.experiment}, {self.scorer} ({EXPLORATORY})"
        if self.role == "control: log_mel_mean":  # the same for every experiment
            return f"{self.role}, {self.scorer}"
        return f"{self.experiment}, {self.role}, {self.scorer}"


def read_metrics(run: str | Path) -> dict[str, Any]:
    """`metrics.json` of a run or of an evaluation's folder.

    Raises:
        InputError: there is none, or it is not what a run writes.
    """
    path = Path(run) / "metrics.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return report | {"scorers": dict(report["scorers"]), "headline_scorer": str(report["headline_scorer"])}
    except OSError as error:
        raise InputError(
            f"{run}: no metrics.json in it; name the folder of a finished run that had test clips"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not what a run writes ({error}); evaluate the run again") from error


def rows_of(report: dict[str, Any], run: str) -> list[Row]:
    """The rows of a run: headline, exploratory scorers, controls.

    Args:
        report: its `metrics.json`.
        run: what to call it.
    """
    seconds = report.get("seconds", {})
    fitted = [seconds[name] for name in ("train", "fit_scorers") if name in seconds]
    shared = {
        "run": run,
        "experiment": report["experiment"],
        "selection": report.get("selection", "unknown"),
        "dataset": report["dataset"],
        "machine": report["machine"],
        "fit_seconds": sum(fitted) if fitted else None,
        "score_seconds": seconds.get("score"),
    }

    def row(scorer: str, role: str, summary: dict[str, Any], over_seeds: dict[str, Any]) -> Row:
        mean = summary["mean"]
        official = summary.get("official", {})
        intervals = {f"{name}_interval": tuple(of) for name, of in mean.get("interval_95", {}).items()}
        spread = {
            f"{name}_over_seeds": (of["mean"], of["standard_deviation"])
            for name, of in over_seeds.items()
            if name in ("auc", "pauc")
        }
        if "score" in official.get("interval_95", {}):
            intervals["official_interval"] = tuple(official["interval_95"]["score"])
        return Row(
            scorer=scorer,
            role=role,
            official=official.get("score"),
            official_parts=official.get("parts", {}),
            auc=mean["auc"],
            pauc=mean["pauc"],
            average_precision=mean["average_precision"],
            **intervals,
            **spread,
            **shared,
        )

    headline = report["headline_scorer"]
    seeds = report.get("seeds", {})
    names = [headline, *(name for name in report["scorers"] if name != headline)]
    rows = [
        row(name, "headline" if name == headline else EXPLORATORY, report["scorers"][name], seeds.get(name, {}))
        for name in names
    ]
    for control, by_scorer in report.get("controls", {}).items():
        rows += [row(scorer, f"control: {control}", summary, {}) for scorer, summary in by_scorer.items()]
    return rows


def table(rows: Iterable[Row], *, exploratory: bool = False) -> list[list[str]]:
    """Systems × machine types: AUC / pAUC, their arithmetic and harmonic means, and seconds summed over the machines.

    Releases with domains have their official score over all the machine types too.

    Args:
        rows: of several runs. Where a system has several runs on a machine the last one counts.
        exploratory: whether scorers beside the headlines are rows too.

    Returns:
        a table for `tables`, the header first; a machine that a system was not run on is empty, and then it has no
        means.
    """
    rows = [row for row in rows if exploratory or row.role != EXPLORATORY]
    machines = list(dict.fromkeys(row.machine for row in rows))
    by_system: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_system.setdefault(row.system, {})[row.machine] = row
    several = len(machines) > 1
    means = ["mean", "harmonic mean"] if several else []
    has_official = any(row.official is not None for row in rows)
    official = ["official score"] if has_official else []
    result = [["AUC / pAUC", *machines, *means, *official, "selection", "fit s", "score s"]]
    for system, by_machine in by_system.items():
        of = list(by_machine.values())
        cells = [pair(by_machine[name].auc, by_machine[name].pauc) if name in by_machine else "" for name in machines]
        if several:
            cells += [_over_machines(of, len(machines), mean) for mean in (arithmetic_mean, harmonic_mean)]
        if has_official:
            cells.append(_official(of, len(machines)))
        is_control = of[0].role.startswith("control")
        times = (
            ["", ""] if is_control else [_sum([row.fit_seconds for row in of]), _sum([row.score_seconds for row in of])]
        )
        result.append([system, *cells, ", ".join(sorted({row.selection for row in of})), *times])
    return result


def _over_machines(rows: Sequence[Row], n_machines: int, mean: Callable[[Sequence[Any]], Any]) -> str:
    values = [(row.auc, row.pauc) for row in rows]
    if len(values) < n_machines or any(None in of for of in values):
        return ""
    return pair(*mean(values).tolist())


def _official(rows: Sequence[Row], n_machines: int) -> str:
    if len(rows) < n_machines or any(row.official is None for row in rows):
        return ""
    return f"{official_scores.compute(rows[0].dataset, [row.official_parts for row in rows])['score']:.3f}"


def _sum(seconds: Sequence[float | None]) -> str:
    return "" if None in seconds else f"{sum(seconds):.1f}"


def pair(auc: float | None, pauc: float | None) -> str:
    """`0.902 / 0.829`, or `undefined`."""
    return "undefined" if auc is None or pauc is None else f"{auc:.3f} / {pauc:.3f}"
