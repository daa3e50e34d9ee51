"""The public releases: where their archives are, who may use them, and how many clips they hold.

Checksums and exact sizes are not kept here: `download` takes them from the Zenodo record itself.
"""

import dataclasses

from asd_jax.datasets.machines import canonical_machine
from asd_jax.errors import InputError

_NON_COMMERCIAL = "CC BY-NC-SA 4.0"
_ASK = "see the record"  # printed from the record when it is fetched


@dataclasses.dataclass(frozen=True)
class Part:
    """A record of a release, with an archive for each machine.

    Attributes:
        record: number on Zenodo.
        archives: name of a machine's archive or archives, without the ending; `{machine}` is the machine's name there.
        machines: the release's own names.
        folder: where archives are unpacked, below the release's folder; `{archive}` is the archive's name.
        clips: training and test clips of a machine, by its name or for all (`""`), where they are published.
        ending: of the archives; only zip files are unpacked.
    """

    record: int
    archives: tuple[str, ...]
    machines: tuple[str, ...]
    folder: str
    clips: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    ending: str = r"\.zip"

    def expected(self, machine: str) -> tuple[int, int] | None:
        """Training and test clips of a machine; None where they are not published."""
        return self.clips.get(machine, self.clips.get(""))


@dataclasses.dataclass(frozen=True)
class Release:
    """A public data set.

    Attributes:
        name: as the setting `dataset` takes it.
        title: what it is.
        licence: of the recordings.
        size: of what a machine's archives take, about.
        development: machines with labelled test clips.
        evaluation: the evaluation set: training clips of further machines or ids, and unlabelled test clips.
        note: what else a user must know.
    """

    name: str
    title: str
    licence: str
    size: str
    development: Part
    evaluation: tuple[Part, ...] = ()
    note: str = ""

    def parts(self, machine: str, *, evaluation: bool) -> list[tuple[Part, str]]:
        """The parts that hold a machine, and the machine's name there.

        Args:
            machine: canonical name or the release's own.
            evaluation: the evaluation parts too.

        Raises:
            InputError: the release has no such machine, or only in its evaluation parts.
        """
        wanted = canonical_machine(machine)
        found = [
            (part, own)
            for part in (self.development, *self.evaluation)
            for own in part.machines
            if canonical_machine(own) == wanted
        ]
        if not found:
            raise InputError(f"`machine`={machine}: not in {self.name}, which has {', '.join(self.machines())}")
        chosen = [(part, own) for part, own in found if evaluation or part is self.development]
        if not chosen:
            raise InputError(
                f"`machine`={machine}: {self.name} has it in its evaluation set only; add `evaluation=True`"
            )
        return chosen

    def machines(self, *, evaluation: bool = True) -> list[str]:
        """Canonical names of its machines, in the release's order."""
        parts = (self.development, *(self.evaluation if evaluation else ()))
        return list(dict.fromkeys(canonical_machine(own) for part in parts for own in part.machines))


def _dcase(
    year: int,
    records: tuple[int, int, int],
    *,
    development: str,
    evaluation: str | None = None,
    archives: tuple[str, str, str] = ("dev_{machine}", "eval_data_{machine}_train", "eval_data_{machine}_test"),
    clips: tuple[dict[str, tuple[int, int]], ...] = ({}, {}, {}),
    **about: str,
) -> Release:
    dev, train, test = records
    own = tuple((evaluation or development).split())
    return Release(
        name=f"dcase{year}",
        title=f"DCASE {year} challenge, task 2",
        development=Part(dev, archives[:1], tuple(development.split()), "dev_data", clips[0]),
        evaluation=(
            Part(train, archives[1:2], own, "eval_data", clips[1]),
            Part(test, archives[2:], own, "eval_data", clips[2]),
        ),
        **about,
    )


_TEN_TARGET_CLIPS = ({"": (1000, 200)}, {"": (1000, 0)}, {"": (0, 200)})  # of 2023 and since: 990 + 10, 100 + 100
_DEVELOPMENT_2022 = "bearing fan gearbox slider ToyCar ToyTrain valve"
_DUE_CLIPS = {
    "fan": (3009, 1200),
    "gearbox": (3026, 1407),
    "pump": (3009, 1200),
    "slider": (3009, 1214),
    "valve": (3009, 1200),
}

_ALL = (
    _dcase(
        2020,
        (3678171, 3727685, 3841772),
        development="fan pump slider valve ToyCar ToyConveyor",
        archives=("dev_data_{machine}", "eval_data_train_{machine}", "eval_data_test_{machine}"),
        clips=(
            {
                "fan": (3675, 1875),
                "pump": (3349, 856),
                "slider": (2804, 1290),
                "valve": (3291, 879),
                "ToyCar": (4000, 2459),
            },
            {},
            {},
        ),
        licence=_NON_COMMERCIAL,
        size="1.0-1.4 GB a machine",
    ),
    _dcase(
        2021,
        (4562016, 4660992, 4884786),
        development="fan gearbox pump slider ToyCar ToyTrain valve",
        archives=("dev_data_{machine}", "eval_data_{machine}_train", "eval_data_{machine}_test"),
        clips=(_DUE_CLIPS, {}, {}),
        licence=_ASK,
        size="1.1-1.2 GB a machine",
    ),
    _dcase(
        2022,
        (6355122, 6462969, 6586456),
        development=_DEVELOPMENT_2022,
        licence=_ASK,
        size="0.8-1.0 GB a machine",
    ),
    _dcase(
        2023,
        (7882613, 7830345, 7860847),
        development=_DEVELOPMENT_2022,
        evaluation="bandsaw grinder shaker ToyDrone ToyNscale ToyTank Vacuum",
        clips=_TEN_TARGET_CLIPS,
        licence=_NON_COMMERCIAL,
        size="below 0.5 GB a machine",
    ),
    _dcase(
        2024,
        (10902294, 11259435, 11363076),
        development=_DEVELOPMENT_2022,
        evaluation="3DPrinter AirCompressor Scanner ToyCircuit HoveringDrone HairDryer ToothBrush RoboticArm "
        "BrushlessMotor",
        clips=_TEN_TARGET_CLIPS,
        licence=_ASK,
        size="below 0.5 GB a machine",
    ),
    _dcase(
        2025,
        (15097779, 15392814, 15519362),
        development=_DEVELOPMENT_2022,
        evaluation="ToyRCCar ToyPet HomeCamera AutoTrash Polisher ScrewFeeder BandSealer CoffeeGrinder",
        clips=_TEN_TARGET_CLIPS,
        licence=_ASK,
        size="below 0.5 GB a machine",
    ),
    _dcase(
        2026,
        (19336329, 20151556, 20437238),
        development="ToyCar ToyCarEmu bearingEmu fan gearboxEmu sliderEmu valveEmu",
        evaluation="ToyDrone ToothBrush SewingMachine BlowerDustCollector Sander",
        clips=_TEN_TARGET_CLIPS,
        licence=_ASK,
        size="below 1 GB a machine",
        note="stereo; channel 0, near the machine, is read without what channel 1 explains; see `reference_channel`",
    ),
    Release(
        name="mimii",
        title="MIMII: fan, pump, slide rail and valve in factory noise of -6, 0 and 6 dB SNR",
        licence="CC BY-SA 4.0",
        size="about 10 GB a machine and SNR",
        development=Part(
            3384388,
            ("-6_dB_{machine}", "0_dB_{machine}", "6_dB_{machine}"),
            ("fan", "pump", "slider", "valve"),
            "{archive}",
        ),
        note="8 channels; choose noise levels by `snr_db`",
    ),
    Release(
        name="mimii_due",
        title="MIMII DUE: five machines with domain shifts, the real machines of DCASE 2021",
        licence=_NON_COMMERCIAL,
        size="1.1-1.2 GB a machine",
        development=Part(
            4740355, ("dev_data_{machine}",), ("fan", "gearbox", "pump", "slider", "valve"), "dev_data", _DUE_CLIPS
        ),
        evaluation=(
            Part(4740355, ("eval_data_{machine}_train",), ("fan", "gearbox", "pump", "slider", "valve"), "eval_data"),
        ),
        note="the test clips of its evaluation sections are those of dcase2021",
    ),
    Release(
        name="mimii_dg",
        title="MIMII DG: five machines for domain generalisation, the real machines of DCASE 2022",
        licence="CC BY 4.0",
        size="0.8-1.0 GB a machine",
        development=Part(6529888, ("{machine}",), ("bearing", "fan", "gearbox", "slider", "valve"), ""),
    ),
    Release(
        name="toyadmos",
        title="ToyADMOS: toy car, conveyor and train, 48 kHz",
        licence="its own, LICENSE.pdf in the record",
        size="about 60 GB a machine",
        development=Part(3351307, ("{machine}",), ("ToyCar", "ToyConveyor", "ToyTrain"), "", ending=r"\.7z\.\d{3}"),
        note="archives in parts of 7-Zip, which are fetched and checked but not unpacked",
    ),
)

RELEASES = {release.name: release for release in _ALL}
_OWN_NAMES = {
    canonical_machine(own): own
    for release in _ALL
    for part in (release.development, *release.evaluation)
    for own in part.machines
}


def own_name(machine: str) -> str:
    """How the releases spell a canonical machine type: `slider` for `slide_rail`; as it is where none has it."""
    return _OWN_NAMES.get(machine, machine)


def get(name: str) -> Release:
    """The release of that name.

    Raises:
        InputError: there is none.
    """
    if name not in RELEASES:
        raise InputError(f"`dataset`={name}: not a release; there are {', '.join(RELEASES)}")
    return RELEASES[name]
