import pytest

from asd_jax.datasets import canonical_machine
from asd_jax.datasets.machines import is_date, is_machine_id, machine_id_in
from asd_jax.datasets.releases import RELEASES, own_name


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


@pytest.mark.parametrize(
    ("path", "machine_id"),
    [
        ("train/normal_id_04_00000003.wav", "id_04"),
        ("section_01_source_test_0001.wav", "section_01"),
        ("up/normal/ID_02/monday.flac", "id_02"),
        ("plant_id_01/take 2/id_03 b.wav", "id_03"),
        ("grid_05.wav", None),
        ("id_012.wav", None),
        ("normal/id_3 monday.wav", "id_3"),
        ("monday.wav", None),
        ("fan_12_2024-05-01.wav", "fan_12"),
        ("fan 12 20240501_133000.wav", "fan_12"),
        ("fan_01-05-2024.wav", None),
        ("fan_01.05.24 morning.wav", None),
        ("fan_14-30-05.wav", None),
        ("fan_2024_05_01_3.wav", None),
        ("pump_2-17.wav", "pump_2"),
    ],
)
def test_machine_id_in_a_path(path, machine_id):
    assert machine_id_in(path) == machine_id


def test_folders_that_are_a_date():
    assert is_date("2024-05-01") and is_date("20240501") and is_date("1.5.2024")
    assert not is_date("id_03") and not is_date("05") and not is_date("press 2024-05-01")


def test_folders_that_are_a_machine_id():
    assert is_machine_id("ID_02") and is_machine_id("section_00")
    assert not is_machine_id("press_id_02") and not is_machine_id("id_012")


def test_the_releases_spelling_of_every_machine():
    assert own_name("slide_rail") == "slider" and own_name("3d_printer") == "3DPrinter"
    assert own_name("crusher") == "crusher"
    for release in RELEASES.values():
        for machine in release.machines():
            assert canonical_machine(own_name(machine)) == machine
