"""Which of a detector's machines a recording is held against, from what its user says of it."""

from collections.abc import Sequence

from asd_jax.datasets.clips import Machine
from asd_jax.errors import InputError


def candidates(
    known: Sequence[Machine], machine_id: str | None, machine_type: str | None, *, unknown_machine_id: str = "error"
) -> tuple[Machine, ...]:
    """The machines that a recording is held against: its own, or all where it is unknown and `min` is asked for.

    Args:
        known: of the detector.
        machine_id: of the recording; None where it is not known, which is enough where there is one machine.
        machine_type: likewise; only needed where an id belongs to several of the detector's machine types.
        unknown_machine_id: `error`, or `min` for all machines of the type.

    Raises:
        InputError: a machine that is not known, or an id of several machine types.
    """
    if unknown_machine_id not in ("error", "min"):
        raise InputError(f"unknown_machine_id={unknown_machine_id!r}: give 'error' or 'min'")
    of_type = tuple(machine for machine in known if machine_type in (None, machine.machine_type))
    if not of_type:
        types = dict.fromkeys(machine.machine_type for machine in known)
        raise InputError(f"machine type {machine_type!r} is unknown; this detector knows {', '.join(types)}")
    found = tuple(machine for machine in of_type if machine_id in (None, machine.machine_id))
    if len(found) == 1 or (machine_id is None and unknown_machine_id == "min"):
        return found
    if machine_id is not None and found:
        types = ", ".join(machine.machine_type for machine in found)
        raise InputError(
            f"machine id {machine_id!r} belongs to several machine types, {types}; give `machine_type` too"
        )
    if unknown_machine_id == "min":
        return of_type
    what = "no machine id was given" if machine_id is None else f"machine id {machine_id!r} is unknown"
    raise InputError(f"{what}; this detector knows {', '.join(dict.fromkeys(m.machine_id for m in of_type))}")
