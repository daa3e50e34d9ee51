import pytest

from asd_jax.datasets import canonical_machine, dcase2020, open_dataset
from asd_jax.datasets.clips import Clip
from asd_jax.errors import InputError


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
    ],
)
def test_machine_names(given, canonical):
    assert canonical_machine(given) == canonical


@pytest.mark.parametrize(
    ("path", "clip"),
    [
        ("train/normal_id_00_00000007.wav", ("id_00", "train", False)),
        ("fan/test/anomaly_id_06_00000000.wav", ("id_06", "test", True)),
        ("test/id_01_00000000.wav", ("id_01", "test", None)),
        ("test/anomaly_6_00000000.wav", None),
        ("other/normal_id_00_00000000.wav", None),
    ],
)
def test_parse(path, clip):
    assert dcase2020.parse(path) == (clip and Clip(path, *clip))


def test_lists_clips_in_order_and_keeps_chosen_ids(machine_tree):
    dataset = open_dataset(machine="fan", data_dir=machine_tree)
    assert (len(dataset.split("train")), len(dataset.split("test"))) == (24, 12)
    assert dataset.clips[0].file_name == "fan/train/normal_id_00_00000000.wav"
    only = open_dataset(machine="fan", data_dir=machine_tree, machine_ids=("id_02",))
    assert {clip.machine_id for clip in only.clips} == {"id_02"} and len(only.clips) == 18


def test_also_below_dev_data_and_by_the_releases_name(machine_tree, tmp_path):
    (tmp_path / "dev_data").mkdir()
    (tmp_path / "dev_data" / "slider").symlink_to(machine_tree / "fan")
    dataset = open_dataset(machine="slide_rail", data_dir=tmp_path)
    assert dataset.machine == "slide_rail"
    assert dataset.clips[0].file_name == "dev_data/slider/train/normal_id_00_00000000.wav"
    assert len(dataset.read(dataset.clips[0])) == 16_000


def test_an_anomaly_in_train_is_refused(machine_tree, tmp_path):
    (tmp_path / "fan" / "train").mkdir(parents=True)
    (tmp_path / "fan" / "train" / "anomaly_id_00_00000000.wav").write_bytes(b"")
    with pytest.raises(InputError, match="training takes normal clips only"):
        open_dataset(machine="fan", data_dir=tmp_path)
