"""The scores by which DCASE Task 2 ranks a system on one machine type, release by release.

Sources: the task descriptions of 2020 (arXiv 2006.05822), 2021 (2106.04492), 2022 (2206.05876) and later, and their
published evaluators. Values may be numbers or arrays of resampled ones.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Path = tuple[str, ...]
DOMAINS = ("source", "target")
_RULES = {
    2020: "arithmetic means of AUC and of pAUC over machine ids",
    2021: "harmonic mean of AUC and pAUC over sections and domains, each measured within its domain",
    2022: "harmonic mean over sections of AUC (source), AUC (target) and pAUC; the AUC of a domain sets its normal "
    "clips against the anomalous ones of both, pAUC mixes the domains",
}


def year(dataset: str) -> int | None:
    """Year of a release of DCASE Task 2 by the data set's name, such as `dcase2023`; None for anything else."""
    match = re.match(r"dcase(20\d\d)", dataset)
    return int(match[1]) if match else None


def rule(dataset: str) -> str | None:
    """How the release's score is computed, in words; None where there is no official score."""
    release = year(dataset)
    return None if release is None or release < 2020 else _RULES[min(release, 2022)]


def anomalies_of_both_domains(dataset: str) -> bool:
    """Whether a domain's normal clips are set against the anomalous clips of both domains: so in all but 2021."""
    return year(dataset) != 2021


def arithmetic_mean(values: Sequence[Any]) -> Any:
    """Mean of numbers, or of arrays element by element."""
    return np.mean(values, axis=0)


def harmonic_mean(values: Sequence[Any]) -> Any:
    """Harmonic mean of numbers, or of arrays element by element; 0 where one is 0."""
    with np.errstate(divide="ignore"):
        return len(values) / np.sum(1 / np.asarray(values, np.float64), axis=0)


def parts(dataset: str, measures: Mapping[Path, Mapping[str, Any]], machine_ids: Iterable[str]) -> dict[str, Any]:
    """The measures of one machine type that its release's score is made of.

    Args:
        dataset: the release, with a `rule`.
        measures: `auc` and `pauc` of `("machine_ids", id)` and of `("domains", domain, "machine_ids", id)`.
        machine_ids: ids or sections.

    Returns:
        measures by names such as `id_00 auc` or `section_00 source auc`.

    Raises:
        KeyError: a measure is missing, as where a section has no clips of a domain.
    """
    result = {}
    for machine_id in machine_ids:
        of_id = measures["machine_ids", machine_id]
        if year(dataset) == 2020:
            result[f"{machine_id} auc"] = of_id["auc"]
            result[f"{machine_id} pauc"] = of_id["pauc"]
            continue
        for domain in DOMAINS:
            of_domain = measures["domains", domain, "machine_ids", machine_id]
            result[f"{machine_id} {domain} auc"] = of_domain["auc"]
            if year(dataset) == 2021:
                result[f"{machine_id} {domain} pauc"] = of_domain["pauc"]
        if year(dataset) != 2021:
            result[f"{machine_id} pauc"] = of_id["pauc"]
    return result


def compute(dataset: str, machines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The official score over machine types, or of one.

    Args:
        dataset: the release.
        machines: `parts` of each machine type.

    Returns:
        `auc` and `pauc` for 2020, `score` for later releases.
    """
    machines = list(machines)
    if year(dataset) == 2020:
        return {
            name: arithmetic_mean(
                [
                    arithmetic_mean([of for key, of in machine.items() if key.endswith(f" {name}")])
                    for machine in machines
                ]
            )
            for name in ("auc", "pauc")
        }
    return {"score": harmonic_mean([value for machine in machines for value in machine.values()])}
