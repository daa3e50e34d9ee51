"""What a run keeps of its detectors: one Orbax checkpoint, from which they come back to the same scores."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
from jaxtyping import PyTree

from asd_jax import representations
from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting
from asd_jax.detectors import format_1
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.input_health import InputHealth
from asd_jax.errors import InputError
from asd_jax.features import FRONT_ENDS, AnyFrontEnd, FrontEnd
from asd_jax.files import checkpoint_written_below, from_json, write_text

_DIGESTS = "sha256.json"  # of the files of a bundle, beside them
_MEND = "copy the run again from where it was made, or train it again"
FORMAT = 3  # one more whenever an older program could not read a bundle
# The controls that a system is held against: a Gaussian on the clip's mean log-mel, and the network before training.
LOG_MEL_MEAN = "log_mel_mean"
AT_INITIALISATION = "at_initialisation"


@dataclasses.dataclass(frozen=True)
class Detectors:
    """The detectors of a run, by what they are there for.

    Attributes:
        system: the one whose scores are the result.
        controls: by name, such as `LOG_MEL_MEAN`; they are no result of the system.
        further_seeds: the system trained with other seeds, for the spread of its measures.
    """

    system: Detector
    controls: Mapping[str, Detector] = dataclasses.field(default_factory=dict)
    further_seeds: Mapping[int, Detector] = dataclasses.field(default_factory=dict)

    @property
    def front_ends(self) -> tuple[AnyFrontEnd, ...]:
        """Those of all the detectors, the system's first."""
        return tuple(dict.fromkeys(of.front_end for of in (self.system, *self.controls.values())))

    def save(self, run: str | Path) -> None:
        """Save them below `run/checkpoints`; the bundle appears whole or not at all."""
        import orbax.checkpoint as ocp  # late: Orbax takes a second to import

        system = _to_state(self.system)
        controls = {name: _to_state(of) for name, of in self.controls.items()}
        seeds = {str(seed): _to_state(of) for seed, of in self.further_seeds.items()}
        settings, arrays = (
            {
                "system": system[part],
                "controls": {name: state[part] for name, state in controls.items()},
                "further_seeds": {seed: state[part] for seed, state in seeds.items()},
            }
            for part in range(2)
        )
        with _checkpointer() as checkpointer:
            args = ocp.args.Composite(
                arrays=ocp.args.StandardSave(jax.device_get(arrays)),
                metadata=ocp.args.JsonSave({"format": FORMAT, "detectors": settings}),
            )
            with checkpoint_written_below(_folder(run).parent):
                checkpointer.save(_folder(run), args=args, force=True)
        write_text(_folder(run) / _DIGESTS, json.dumps(_digests(_folder(run))))

    @classmethod
    def load(cls, run: str | Path) -> "Detectors":
        """The detectors of a finished run folder.

        Raises:
            InputError: there is no finished run, it is damaged, or written by a version that this one cannot read.
        """
        arrays, metadata = _read(_folder(run))
        try:
            settings = metadata["detectors"]
            if metadata["format"] == 1:
                settings, arrays = format_1.upgraded(settings, arrays, run=Path(run))
            controls, seeds = arrays["controls"], arrays["further_seeds"]
            return cls(
                _from_state(settings["system"], arrays["system"]),
                {name: _from_state(state, controls[name]) for name, state in settings["controls"].items()},
                {int(seed): _from_state(state, seeds[seed]) for seed, state in settings["further_seeds"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{_folder(run)} is damaged: it lacks {error}; restore it or train again") from error


def load_detector(run: str | Path) -> Detector:
    """The detector of a finished run folder; errors as in `Detectors.load`."""
    return Detectors.load(run).system


def digest(run: str | Path) -> str:
    """SHA-256 of the names and contents of all files of a run's bundle."""
    return hashlib.sha256(json.dumps(_digests(_folder(run)), sort_keys=True).encode()).hexdigest()


def _checkpointer() -> Any:
    """Orbax's, for a process that reads and writes bundles alone, whatever other hosts there are."""
    import orbax.checkpoint as ocp  # late: Orbax takes a second to import

    from asd_jax.training.checkpoints import alone

    handler = ocp.CompositeCheckpointHandler(composite_options=ocp.CompositeOptions(multiprocessing_options=alone()))
    return ocp.Checkpointer(handler, multiprocessing_options=alone())


def _folder(run: str | Path) -> Path:
    return Path(run).absolute() / "checkpoints" / "bundle"


def _read(folder: Path) -> tuple[PyTree, dict[str, Any]]:
    import orbax.checkpoint as ocp  # late: Orbax takes a second to import

    if not folder.is_dir():
        raise InputError(f"{folder}: no checkpoint there; give the folder of a finished run")
    _check(folder)
    damaged = f"{folder} is damaged, or no checkpoint of this library; {_MEND}"
    with _checkpointer() as checkpointer:
        try:
            metadata = checkpointer.restore(folder, args=ocp.args.Composite(metadata=ocp.args.JsonRestore())).metadata
            written_in = metadata.get("format")
        except Exception as error:  # whatever damaged files make Orbax raise
            raise InputError(damaged) from error
        if written_in not in range(1, FORMAT + 1):
            raise InputError(
                f"{folder} was written in checkpoint format {written_in}, this version reads formats up "
                f"to {FORMAT}; train it again"
            )
        try:
            restored = checkpointer.restore(folder, args=ocp.args.Composite(arrays=ocp.args.StandardRestore()))
        except Exception as error:
            raise InputError(damaged) from error
    return restored.arrays, metadata


def _check(folder: Path) -> None:
    """Raise InputError where a file is not as it was saved; bundles of before there were digests have none to check.

    The bytes of the files are compared, before anything takes them for numbers: a damaged array gives scores that are
    wrong, or brings down what decodes it.
    """
    digests = folder / _DIGESTS
    if not digests.exists():
        return
    try:
        saved = json.loads(digests.read_bytes())
    except ValueError:
        saved = None
    if not isinstance(saved, dict):
        raise InputError(f"{digests} is damaged; {_MEND}")
    found = _digests(folder)
    for name in sorted(saved.keys() | found.keys()):
        if saved.get(name) != found.get(name):
            raise InputError(f"{folder}/{ascii(name)[1:-1]} is not as it was saved; {_MEND}")


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a bundle."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _DIGESTS)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _to_state(detector: Detector) -> tuple[dict[str, Any], PyTree]:
    """JSON settings and arrays, from which `_from_state` rebuilds it; scorers by machine type and id."""
    representation, arrays = detector.representation.to_state()
    scorers: dict[str, Any] = {}
    scorer_arrays: dict[str, Any] = {}
    for name, by_machine in detector.fitted.items():
        scorers[name], scorer_arrays[name] = {}, {}
        for (machine_type, machine_id), fitted in by_machine.items():
            state = fitted.to_state()
            for tree, part in zip((scorers, scorer_arrays), state, strict=True):
                tree[name].setdefault(machine_type, {})[machine_id] = part
    settings = {
        "front_end": detector.front_end.to_dict(),
        "representation": representation,
        "headline_scorer": detector.headline_scorer,
        "min_frames": detector.min_frames,
        "cutting": detector.cutting and dataclasses.asdict(detector.cutting),
        "clip_seconds": detector.clip_seconds,
        "health_of": [[*machine, dataclasses.asdict(of)] for machine, of in detector.health.items()],
        "scorers": scorers,
    }
    return settings, {"representation": arrays, "scorers": scorer_arrays}


def _front_end(saved: dict[str, Any]) -> AnyFrontEnd:
    """As saved; the kind is written where it is not that of the first bundles."""
    settings = {name: value for name, value in saved.items() if name != "kind"}
    return FRONT_ENDS[saved.get("kind", FrontEnd.kind)].from_dict(settings)


def _from_state(settings: dict[str, Any], arrays: PyTree) -> Detector:
    kind = representations.REGISTRY[settings["representation"]["kind"]]
    fitted = {
        name: {
            Machine(machine_type, machine_id): FittedScorer.from_state(
                saved, arrays["scorers"][name][machine_type][machine_id]
            )
            for machine_type, by_id in by_type.items()
            for machine_id, saved in by_id.items()
        }
        for name, by_type in settings["scorers"].items()
    }
    return Detector(
        _front_end(settings["front_end"]),
        kind.from_state(settings["representation"], arrays["representation"]),
        fitted,
        settings["headline_scorer"],
        settings["min_frames"],
        Cutting(**settings["cutting"]) if settings["cutting"] else None,
        settings.get("clip_seconds"),  # detectors of before this was kept have none
        _health(settings, fitted[settings["headline_scorer"]]),
    )


def _health(settings: Mapping[str, Any], machines: Iterable[Machine]) -> dict[Machine, InputHealth]:
    """What each machine's training recordings were like; detectors of before have one range for all, or none."""
    if before := settings.get("health"):
        return dict.fromkeys(machines, from_json(InputHealth, before))
    return {Machine(kind, name): from_json(InputHealth, of) for kind, name, of in settings.get("health_of", ())}
