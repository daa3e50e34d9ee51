"""Measures of anomaly scores against labels: per machine id, per domain, and means over them, with intervals."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from asd_jax.evaluation import bootstrap, official_scores
from asd_jax.evaluation.bootstrap import Resamples
from asd_jax.evaluation.official_scores import arithmetic_mean, harmonic_mean
from asd_jax.evaluation.results import MEASURES, Difference, Groups, Measures, Official, Summary

MAX_FPR = 0.1
# Student reports pool these ids of the slide rail; the release's own mean is over ids 00, 02, 04 and 06.
_REPORT_IDS = {"slide_rail": ("id_00", "id_02", "id_04")}
REPORT_POOL = ("pooled_id_00_02_04",)
_NO_IDS = "no machine id with both normal and anomalous test clips"

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Labels:
    """What is known of test clips beside their scores.

    Attributes:
        is_anomaly: the label; False where it is not known.
        known: whether there is a label.
        machine_ids: of each clip.
        domains: of each clip; empty strings, or nothing at all, where there are no domains.
        machine: canonical name of the machine type.
        dataset: name of the release, which says how domains are measured and what the official score is.
    """

    is_anomaly: Bool[np.ndarray, " n_clips"]
    known: Bool[np.ndarray, " n_clips"]
    machine_ids: Sequence[str]
    domains: Sequence[str] = ()
    machine: str = ""
    dataset: str = ""

    @classmethod
    def of(cls, clips: Iterable[Any], *, machine: str = "", dataset: str = "") -> "Labels":
        """Labels of clips that have `is_anomaly` (None where unknown), `machine_id` and `domain`."""
        clips = list(clips)
        return cls(
            np.asarray([bool(clip.is_anomaly) for clip in clips], bool),
            np.asarray([clip.is_anomaly is not None for clip in clips], bool),
            [clip.machine_id for clip in clips],
            [clip.domain for clip in clips],
            machine,
            dataset,
        )

    def groups(self) -> dict[Path, Bool[np.ndarray, " n_clips"]]:
        """The clips that are measured together, by the place of their measures in the results."""
        ids = np.asarray(self.machine_ids, str)
        domains = np.asarray(self.domains or [""] * len(ids), str)
        found: dict[Path, np.ndarray] = {}
        for machine_id in sorted(set(self.machine_ids)):
            found["machine_ids", machine_id] = self.known & (ids == machine_id)
        found[("pooled",)] = self.known
        of_reports = _REPORT_IDS.get(self.machine, ())
        if of_reports and set(of_reports) <= set(self.machine_ids):
            found[REPORT_POOL] = self.known & np.isin(ids, of_reports)
        names = sorted(set(domains.tolist()) - {""})
        if len(names) > 1:
            both = official_scores.anomalies_of_both_domains(self.dataset)
            for name in names:
                of_domain = self.known & ((domains == name) | (self.is_anomaly if both else False))
                for machine_id in sorted(set(ids[domains == name].tolist())):
                    found["domains", name, "machine_ids", machine_id] = of_domain & (ids == machine_id)
                found["domains", name, "pooled"] = of_domain
        return found

    def resamples(self, *, seed: int = 0, n_resamples: int = bootstrap.N_RESAMPLES) -> Resamples:
        """Test clips drawn anew, within each machine id, domain and class."""
        domains = self.domains or [""] * len(self.machine_ids)
        strata = list(zip(self.machine_ids, domains, self.known.tolist(), self.is_anomaly.tolist(), strict=True))
        return Resamples.draw(strata, seed=seed, n_resamples=n_resamples)


@dataclasses.dataclass(frozen=True)
class Measured:
    """Measures of one column of scores.

    Attributes:
        summary: as `metrics.json` has them.
        resampled: AUC and pAUC of each resample, by place; empty without resamples or where one is undefined.
    """

    summary: Summary
    resampled: Mapping[Path, Mapping[str, Float[np.ndarray, " n_resamples"]]]


def measure(scores: Float[np.ndarray, " n_clips"], is_anomaly: Bool[np.ndarray, " n_clips"]) -> Measures:
    """AUC, pAUC (up to a false-alarm rate of 0.1, McClish-standardised: chance is 0.5) and average precision.

    A measure that does not exist (one class only, a score that is not finite) is None, with the reason under
    `undefined`. Equal scores are legal: ties count half, and a `note` says where all are equal.
    """
    n_anomaly = int(is_anomaly.sum())
    n_normal = len(is_anomaly) - n_anomaly
    n_bad = int((~np.isfinite(scores)).sum())
    reason = None
    if not n_normal or not n_anomaly:
        missing = "labelled" if len(is_anomaly) == 0 else "normal" if n_normal == 0 else "anomalous"
        reason = f"no {missing} test clips"
    elif n_bad:
        reason = f"{n_bad} of {len(scores)} scores are not finite"
    if reason:
        return Measures(None, None, None, n_normal, n_anomaly, undefined=reason)
    from sklearn import config_context
    from sklearn.metrics import average_precision_score, roc_auc_score

    # What scikit-learn would check is known by now, and checking takes longer than measuring.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return Measures(
            auc=float(roc_auc_score(is_anomaly, scores)),
            pauc=float(roc_auc_score(is_anomaly, scores, max_fpr=MAX_FPR)),
            average_precision=float(average_precision_score(is_anomaly, scores)),
            n_normal=n_normal,
            n_anomaly=n_anomaly,
            note="all scores are equal" if np.ptp(scores) == 0 else None,
        )


def measure_all(scores: Float[np.ndarray, " n_clips"], labels: Labels, resamples: Resamples | None = None) -> Measured:
    """Measures of every group of clips, their means over machine ids, and the release's official score.

    Args:
        scores: of the clips.
        labels: of the clips; those without a label are not measured.
        resamples: of the clips, the same for all scores that are to be compared; None for no intervals.

    Returns:
        Measures, each with `interval_95` of AUC and pAUC where there are resamples. Ids without one of the classes are
        left out of the means; with none left the mean is undefined too, and so it is where scores are not finite.
    """
    groups = labels.groups()
    flat = {path: measure(scores[group], labels.is_anomaly[group]) for path, group in groups.items()}
    resampled: dict[Path, dict[str, Any]] = {}
    if resamples is not None:
        known: dict[bytes, dict[str, Any]] = {}  # with one machine id its clips are the pooled ones
        for path, group in groups.items():
            if flat[path].undefined is None:
                key = group.tobytes()
                if key not in known:
                    known[key] = resamples.areas(scores, labels.is_anomaly, group, max_fpr=MAX_FPR)
                resampled[path] = known[key]
    prefixes = list(dict.fromkeys(path[:-2] for path in groups if "machine_ids" in path))
    for prefix in prefixes:
        of_ids = [path for path in groups if path[:-1] == (*prefix, "machine_ids")]
        for name, mean in (("mean", arithmetic_mean), ("harmonic_mean", harmonic_mean)):
            path = (*prefix, name)
            flat[path] = _mean([flat[of] for of in of_ids], mean)
            if resamples is not None and flat[path].undefined is None:
                there = [resampled[of] for of in of_ids if of in resampled]
                resampled[path] = {key: mean([of[key] for of in there]) for key in ("auc", "pauc")}
    for path, values in resampled.items():
        intervals = {name: bootstrap.interval(of) for name, of in values.items()}
        flat[path] = dataclasses.replace(flat[path], interval_95=intervals)
    if REPORT_POOL in flat:
        note = "ids 00, 02 and 04 pooled, as student reports do; not the official mean"
        flat[REPORT_POOL] = dataclasses.replace(flat[REPORT_POOL], note=note)
    summary = Summary(
        **_groups(flat, ()),
        pooled_id_00_02_04=flat.get(REPORT_POOL),
        domains={prefix[1]: Groups(**_groups(flat, prefix)) for prefix in prefixes if prefix},
        official=_official(labels, flat, resampled),
    )
    return Measured(summary, resampled)


def summarize(
    scores: Float[np.ndarray, " n_clips"], is_anomaly: Bool[np.ndarray, " n_clips"], machine_ids: list[str]
) -> Summary:
    """Measures of each machine id, their arithmetic and harmonic means over ids, and of all clips pooled."""
    return measure_all(scores, Labels(is_anomaly, np.ones(len(is_anomaly), bool), machine_ids)).summary


def difference(first: Measured, second: Measured) -> Difference:
    """How much higher the first's means over machine ids are than the second's on the same resamples.

    None for the differences, and `undefined`, where one of them has no such mean.
    """
    path = ("mean",)
    if path not in first.resampled or path not in second.resampled:
        return Difference(None, None, undefined=_NO_IDS)
    return bootstrap.difference(first.summary.mean, second.summary.mean, first.resampled[path], second.resampled[path])


def _mean(of_ids: list[Measures], mean: Any) -> Measures:
    there = [values for values in of_ids if values.n_normal and values.n_anomaly]
    bad = next((values.undefined for values in there if values.undefined), None if there else _NO_IDS)
    if bad:
        return Measures(None, None, None, undefined=bad)
    return Measures(*(float(mean([getattr(values, name) for values in there])) for name in MEASURES))


def _groups(flat: Mapping[Path, Measures], prefix: Path) -> dict[str, Any]:
    """The fields of `Groups` below a place."""
    of_ids = {path[-1]: values for path, values in flat.items() if path[:-1] == (*prefix, "machine_ids")}
    return {"machine_ids": of_ids} | {name: flat[(*prefix, name)] for name in ("pooled", "mean", "harmonic_mean")}


def _official(labels: Labels, flat: Mapping[Path, Measures], resampled: Mapping[Path, Any]) -> Official | None:
    rule = official_scores.rule(labels.dataset)
    if rule is None:
        return None
    ids = sorted(set(labels.machine_ids))
    areas = {path: {"auc": of.auc, "pauc": of.pauc} for path, of in flat.items()}
    try:
        parts = official_scores.parts(labels.dataset, areas, ids)
    except KeyError:  # a section has no clips of a domain
        parts = {}
    if not parts or None in parts.values():
        reason = "it needs both classes of every machine id (and of each domain)"
        return Official(labels.dataset, rule, undefined=reason)
    scores = {name: float(of) for name, of in official_scores.compute(labels.dataset, [parts]).items()}
    intervals = {}
    if resampled:
        drawn = official_scores.compute(labels.dataset, [official_scores.parts(labels.dataset, resampled, ids)])
        intervals = {name: bootstrap.interval(of) for name, of in drawn.items()}
    return Official(labels.dataset, rule, **scores, parts=parts, interval_95=intervals)
