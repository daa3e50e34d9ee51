import pytest

from asd_jax.datasets import open_dataset
from asd_jax.errors import InputError


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
