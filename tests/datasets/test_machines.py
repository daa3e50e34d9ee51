import pytest

from asd_jax.datasets import canonical_machine


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("slider", "slide_rail"),
        ("slide_rail", "slide_rail"),
        ("ToyCar", "toy_car"),
        ("ToyConveyor", "toy_conveyor"),
        ("fan", "fan"),
        ("ToyRCCar", "toy_rc_car"),
        ("BlowerDustCollector", "blower_dust_collector"),
        ("Slide Rail", "slide_rail"),
        ("Förderband", "förderband"),
        ("Fo\N{COMBINING DIAERESIS}rderband", "förderband"),
        ("プレス機", "プレス機"),
    ],
)
def test_machine_names(given, canonical):
    assert canonical_machine(given) == canonical
