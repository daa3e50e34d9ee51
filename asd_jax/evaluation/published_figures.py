"""Published figures of public releases, to stand beside one's own: the baseline's, and the best without test labels.

Only systems are here whose epoch, settings and scorer were not chosen by the labels of the test clips. A figure is
given for exactly the machine types and ids that it was published for: results of other ids are another test.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping

BASELINE, BEST = "baseline", "best label-free"
ALL_MACHINES = "all"
_TASK_2020 = "DCASE 2020 Task 2 baseline (arXiv 2006.05822)"
_NOISY_ARCMIX = "TASTgram network with Noisy-ArcMix (arXiv 2310.06364)"
_ASDKIT_AE = "dense autoencoder in ASDKit, mean of 4 trials (arXiv 2507.10264)"
_ASDKIT_BEATS = "BEATs with LoRA in ASDKit, mean of 4 trials (arXiv 2507.10264)"


@dataclasses.dataclass(frozen=True)
class Figure:
    """What was published of one system on one test.

    Attributes:
        kind: `baseline` or `best label-free`.
        source: the system and where it was published.
        measures: by name, from 0 to 1.
    """

    kind: str
    source: str
    measures: Mapping[str, float]


_DEV_IDS = {
    "slide_rail": ("id_00", "id_02", "id_04", "id_06"),
    "fan": ("id_00", "id_02", "id_04", "id_06"),
    "pump": ("id_00", "id_02", "id_04", "id_06"),
    "valve": ("id_00", "id_02", "id_04", "id_06"),
    "toy_car": ("id_01", "id_02", "id_03", "id_04"),
    "toy_conveyor": ("id_01", "id_02", "id_03"),
}
_SECTIONS = ("section_00", "section_01", "section_02")
_TYPES_2021 = ("fan", "gearbox", "pump", "slide_rail", "toy_car", "toy_train", "valve")
_TYPES_2022 = ("bearing", "fan", "gearbox", "slide_rail", "toy_car", "toy_train", "valve")
# What each development set holds: machine types and their ids.
_HOLDS = {
    "dcase2020": _DEV_IDS,
    "dcase2021": dict.fromkeys(_TYPES_2021, _SECTIONS),
    "dcase2022": dict.fromkeys(_TYPES_2022, _SECTIONS),
}


def _areas(kind: str, source: str, auc: float, pauc: float) -> Figure:
    return Figure(kind, source, {"auc": auc, "pauc": pauc})


# By release, machine type and machine id; `mean` is over exactly the ids that stand in `_HOLDS`.
_FIGURES: dict[tuple[str, str, str], tuple[Figure, ...]] = {
    ("dcase2020", "slide_rail", "id_00"): (_areas(BASELINE, _TASK_2020, 0.9633, 0.8185),),
    ("dcase2020", "slide_rail", "id_02"): (_areas(BASELINE, _TASK_2020, 0.7881, 0.6288),),
    ("dcase2020", "slide_rail", "id_04"): (_areas(BASELINE, _TASK_2020, 0.9460, 0.7395),),
    ("dcase2020", "slide_rail", "id_06"): (_areas(BASELINE, _TASK_2020, 0.7022, 0.4902),),
    ("dcase2020", "slide_rail", "mean"): (
        _areas(BASELINE, _TASK_2020, 0.8499, 0.6693),
        _areas(BEST, _NOISY_ARCMIX, 0.9953, 0.9750),
    ),
    ("dcase2020", ALL_MACHINES, "mean"): (
        _areas(BASELINE, _TASK_2020, 0.7366, 0.5967),
        _areas(BEST, _NOISY_ARCMIX, 0.9465, 0.8931),
    ),
    ("dcase2021", ALL_MACHINES, ""): (
        Figure(BASELINE, _ASDKIT_AE, {"official_score": 0.565}),
        Figure(BEST, _ASDKIT_BEATS, {"official_score": 0.731}),
    ),
    ("dcase2022", ALL_MACHINES, ""): (
        Figure(BASELINE, _ASDKIT_AE, {"official_score": 0.538}),
        Figure(BEST, _ASDKIT_BEATS, {"official_score": 0.732}),
    ),
}


def of_id(dataset: str, machine: str, machine_id: str) -> tuple[Figure, ...]:
    """Figures of one machine id; none where none is known."""
    return _FIGURES.get((dataset, machine, machine_id), ()) if machine_id not in ("", "mean") else ()


def of_machine(dataset: str, machine: str, machine_ids: Collection[str]) -> tuple[Figure, ...]:
    """Figures of the mean over a machine type's ids; none where the ids are not those of the development set."""
    if set(machine_ids) != set(_HOLDS.get(dataset, {}).get(machine, ())):
        return ()
    return _FIGURES.get((dataset, machine, "mean"), ())


def of_release(dataset: str, machine_ids: Mapping[str, Collection[str]]) -> tuple[Figure, ...]:
    """Figures over all machine types of a development set.

    Args:
        dataset: the release, such as `dcase2020`.
        machine_ids: what was tested: ids by machine type. There are no figures unless it is the whole set.
    """
    held = {machine: set(ids) for machine, ids in _HOLDS.get(dataset, {}).items()}
    if not held or held != {machine: set(ids) for machine, ids in machine_ids.items()}:
        return ()
    return _FIGURES.get((dataset, ALL_MACHINES, "mean"), ()) + _FIGURES.get((dataset, ALL_MACHINES, ""), ())


def note(dataset: str, figures: Iterable[Figure]) -> list[str]:
    """A line of sources for below a table; none without figures."""
    sources = "; ".join(f"{kind}: {source}" for kind, source in {of.kind: of.source for of in figures}.items())
    return [f"published for the development set of {dataset}, if these recordings are it: {sources}"] if sources else []
