import os
import unicodedata

import numpy as np
import pytest
import soundfile

from asd_jax.datasets import DataConfig, machines_in, only_machine, open_dataset
from asd_jax.errors import InputError


def write(path, content=None):
    """A file that is not decoded: its path is its content unless another is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(str(path).encode() if content is None else content)


def tree(root, *paths):
    for path in paths:
        write(root / path)
    return root


def test_lists_clips_in_order_and_keeps_chosen_ids(machine_tree):
    dataset = open_dataset(machine="fan", data_dir=machine_tree)
    assert (dataset.name, len(dataset.split("train")), len(dataset.split("test"))) == ("dcase2020", 24, 12)
    assert dataset.clips[0].file_name == "fan/train/normal_id_00_00000000.wav"
    assert dataset.warnings == () and "DCASE 2020 Task 2 layout (dcase2020)" in dataset.description
    only = open_dataset(machine="fan", data_dir=machine_tree, machine_ids=("id_02",))
    assert {clip.machine_id for clip in only.clips} == {"id_02"} and len(only.clips) == 18


def test_also_below_dev_data_and_by_the_releases_name(machine_tree, tmp_path):
    (tmp_path / "dev_data").mkdir()
    (tmp_path / "dev_data" / "slider").symlink_to(machine_tree / "fan")
    dataset = open_dataset(machine="slide_rail", data_dir=tmp_path)
    assert dataset.machine == "slide_rail"
    assert dataset.clips[0].file_name == "dev_data/slider/train/normal_id_00_00000000.wav"
    assert len(dataset.read(dataset.clips[0])) == 16_000


def test_the_machines_folder_itself(machine_tree):
    dataset = open_dataset(data_dir=machine_tree / "fan")
    assert dataset.machine == "fan" and dataset.clips[0].file_name == "train/normal_id_00_00000000.wav"
    assert open_dataset(machine="pump", data_dir=machine_tree / "fan").machine == "pump"  # nothing there says fan


def test_machine_may_be_left_out(tmp_path):
    own = tree(tmp_path / "Presse Süd", "normal/1.wav", "normal/2.wav", "abnormal/3.wav")
    assert only_machine(own) == "presse_süd" and open_dataset(data_dir=own).machine == "presse_süd"
    assert only_machine(tree(tmp_path / "a", "press/normal/1.wav")) == "press"
    two = tree(tmp_path / "b", "press/normal/1.wav", "lathe/normal/1.wav")
    assert machines_in(two) == ["lathe", "press"]
    with pytest.raises(InputError, match=r"`machine` is needed: .* has lathe, press"):
        only_machine(two)


def test_the_seed_splits_what_has_no_split(tmp_path):
    own = tree(tmp_path, *(f"normal/{i}.wav" for i in range(20)), "abnormal/1.wav", "abnormal/2.wav")
    tested = [{c.file_name for c in open_dataset(data_dir=own, split_seed=seed).split("test")} for seed in (0, 1)]
    assert len(tested[0]) == len(tested[1]) == 4 and tested[0] != tested[1]
    assert "split by seed 1" in open_dataset(data_dir=own, split_seed=1).description


def test_normal_recordings_alone_all_train(tmp_path):
    dataset = open_dataset(data_dir=tree(tmp_path, "normal/1.wav", "normal/week 2/2.flac"))
    assert len(dataset.split("train")) == 2 and dataset.split("test") == ()


def test_mimii_takes_one_microphone(tmp_path):
    samples = np.arange(8)[None, :] / 10 * np.ones((1600, 1))
    for label, index in (("normal", 0), ("normal", 1), ("abnormal", 0)):
        path = tmp_path / f"0_dB_fan/fan/id_00/{label}/{index:08d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, 16_000, subtype="FLOAT")
    first, third = (open_dataset(machine="fan", data_dir=tmp_path, channel=channel) for channel in (None, "3"))
    assert (first.channel, third.channel) == ("0", "3") and first.clips[0].attributes == "0_dB"
    np.testing.assert_allclose(first.read(first.clips[0]), 0.0)
    np.testing.assert_allclose(third.read(third.clips[0]), 0.3, atol=1e-6)


def test_mimii_at_two_ratios_is_refused(tmp_path):
    tree(tmp_path, "0_dB_fan/fan/id_00/normal/00000000.wav", "6_dB_fan/fan/id_00/normal/00000000.wav")
    with pytest.raises(InputError, match="have one name: the folder holds the same clip as 0_dB and 6_dB"):
        open_dataset(machine="fan", data_dir=tmp_path)


def test_toyadmos_takes_one_microphones_files(tmp_path):
    name = "{}/1{}00010001_ToyCar_case1_{}_IND_ch{}_000{}.wav"
    for channel in (1, 2):
        for index in (1, 2):
            tree(tmp_path / "ToyCar/case1", name.format("NormalSound_IND", channel, "normal", channel, index))
        tree(tmp_path / "ToyCar/case1", name.format("AnomalousSound_IND", channel, "ab01", channel, 1))
    for channel, microphone in ((None, "ch1"), ("1", "ch2")):
        clips = open_dataset(machine="toy_car", data_dir=tmp_path, channel=channel).clips
        assert len(clips) == 3 and {clip.attributes for clip in clips} == {microphone}
    for channel in ("7", "mix"):
        with pytest.raises(InputError, match=f"`channel`={channel}: no recordings of that microphone"):
            open_dataset(machine="toy_car", data_dir=tmp_path, channel=channel)


def test_several_layouts_of_one_machine_are_ambiguous(tmp_path):
    tree(tmp_path, "fan/train/normal_id_00_00000000.wav", "fan/id_00/normal/00000000.wav")
    with pytest.raises(
        InputError, match=r"laid out as dcase2020 \(1 files\), mimii \(1 files\); say which by `dataset`"
    ):
        open_dataset(machine="fan", data_dir=tmp_path)
    assert open_dataset(machine="fan", data_dir=tmp_path, dataset="mimii").clips[0].machine_id == "id_00"


def test_releases_go_by_their_own_year(tmp_path):
    tree(tmp_path, "fan/train/section_00_source_train_normal_0000_noAttribute.wav")
    dataset = open_dataset(machine="fan", data_dir=tmp_path, dataset="dcase2024")
    assert dataset.name == "dcase2024" and dataset.clips[0].attributes == "noAttribute"
    with pytest.raises(InputError, match=r"`dataset`=mimii: no recording in .* is named as in MIMII"):
        open_dataset(machine="fan", data_dir=tmp_path, dataset="mimii")


def test_an_anomaly_in_train_is_refused(tmp_path):
    tree(tmp_path, "fan/train/anomaly_id_00_00000000.wav")
    with pytest.raises(InputError, match="training takes normal clips only"):
        open_dataset(machine="fan", data_dir=tmp_path)


def test_a_name_that_is_not_the_releases(tmp_path):
    tree(tmp_path, "fan/train/normal_id_00_00000000.wav", "fan/train/monday.wav")
    with pytest.raises(InputError, match=r"monday.wav is not named as in DCASE 2020 .*`dataset=any_folder`"):
        open_dataset(machine="fan", data_dir=tmp_path)
    assert len(open_dataset(machine="fan", data_dir=tmp_path, dataset="any_folder").clips) == 2


def test_a_release_that_is_there_twice(tmp_path):
    tree(tmp_path, "fan/train/normal_id_00_00000000.wav", "dev_data/fan/train/normal_id_00_00000000.wav")
    with pytest.raises(InputError, match="have one name: the folder holds a release twice"):
        open_dataset(machine="fan", data_dir=tmp_path)


def test_test_clips_that_are_also_in_train_are_named(tmp_path):
    for index in range(4):
        write(tmp_path / f"fan/train/normal_id_00_{index:08d}.wav", bytes(20_000) + bytes([index]))
    write(tmp_path / "fan/test/normal_id_00_00000009.wav", bytes(20_000) + bytes([2]))
    write(tmp_path / "fan/test/anomaly_id_00_00000000.wav", bytes(20_000) + bytes([77]))
    (tmp_path / "fan/test/normal_id_00_00000008.wav").symlink_to(tmp_path / "fan/train/normal_id_00_00000000.wav")
    (warning,) = open_dataset(machine="fan", data_dir=tmp_path).warnings
    assert warning == (
        "warning: 2 test clip(s) are also in train, so their scores say little: fan/test/normal_id_00_00000008.wav is "
        "fan/train/normal_id_00_00000000.wav; fan/test/normal_id_00_00000009.wav is fan/train/normal_id_00_00000002.wav"
    )


def test_names_of_any_script_come_back_as_they_are_on_disk(tmp_path):
    names = [
        "Prüfstand.wav",
        unicodedata.normalize("NFD", "Prüfstand é.wav"),
        "圧縮機 1.wav",
        "мотор 🔧.wav",
        "a'b,c.wav",
    ]
    tree(tmp_path, *(f"normal/{name}" for name in names))
    assert [clip.file_name for clip in open_dataset(data_dir=tmp_path).clips] == sorted(f"normal/{n}" for n in names)


def test_a_name_that_is_no_unicode_is_refused(tmp_path):
    (tmp_path / "normal").mkdir()
    try:
        (tmp_path / "normal" / os.fsdecode(b"pr\xfcfstand.wav")).touch()
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    with pytest.raises(InputError, match="the file's name is not valid UTF-8; rename it"):
        open_dataset(data_dir=tmp_path)


def test_links_are_followed_and_circles_end(tmp_path):
    tree(tmp_path / "elsewhere", "1.wav", "2.wav")
    own = tree(tmp_path / "press", "normal/0.wav")
    (own / "normal" / "linked").symlink_to(tmp_path / "elsewhere")
    (own / "normal" / "circle").symlink_to(own)
    (own / "normal" / "gone.wav").symlink_to(tmp_path / "no such file")
    dataset = open_dataset(data_dir=own)
    names = [clip.file_name for clip in dataset.clips]
    assert names == ["normal/0.wav", "normal/gone.wav", "normal/linked/1.wav", "normal/linked/2.wav"]
    with pytest.raises(InputError, match=r"gone.wav cannot be read as audio \(a link to a file that is gone\)"):
        dataset.read(dataset.clips[1])


def test_what_copies_leave_behind_is_no_recording(tmp_path):
    tree(
        tmp_path, "normal/1.wav", "normal/._1.wav", "__MACOSX/normal/2.wav", ".hidden/normal/3.wav", "normal/notes.txt"
    )
    assert [clip.file_name for clip in open_dataset(data_dir=tmp_path).clips] == ["normal/1.wav"]


def test_formats_that_cannot_be_read_are_counted(tmp_path):
    tree(tmp_path, "normal/1.m4a", "normal/2.m4a")
    with pytest.raises(InputError, match=r"no recordings in it .*; convert its 2 \.m4a file\(s\) to \.wav or \.flac"):
        open_dataset(data_dir=tmp_path)


def test_a_folder_that_no_layout_makes_sense_of(tmp_path):
    with pytest.raises(InputError, match=r"no machine folder with train/ and test/.*; week 1/monday\.wav is none"):
        open_dataset(data_dir=tree(tmp_path, "week 1/monday.wav"))


def test_a_flat_folder_is_all_normal(tmp_path):
    clips = open_dataset(data_dir=tree(tmp_path, "monday 1.wav", "tuesday 2.wav", "fan_1.wav")).clips
    assert [(c.split, c.is_anomaly, c.machine_id) for c in clips] == [("train", False, "id_00")] * 3


@pytest.mark.parametrize(("good", "bad"), [("good", "bad"), ("OK", "faulty"), ("Good ones", "defective")])
def test_good_and_bad(tmp_path, good, bad):
    own = tree(tmp_path, *(f"{good.split()[0]}/{i} {good}.wav" for i in range(4)), f"{bad}/5.wav", f"{bad}/6.wav")
    clips = open_dataset(data_dir=own).clips
    assert sorted(c.is_anomaly for c in clips) == [False] * 4 + [True] * 2
    in_names = tree(tmp_path / "names", "test/1_ok.wav", "test/2_faulty.wav", "train/3.wav")
    assert {c.file_name: c.is_anomaly for c in open_dataset(data_dir=in_names).split("test")} == {
        "test/1_ok.wav": False,
        "test/2_faulty.wav": True,
    }


def test_machines_that_names_number(tmp_path):
    own = tree(tmp_path, *(f"normal/{name}.wav" for name in ("id_3 a", "id_3_b", "pump_2_a", "pump2 b", "pump_7", "c")))
    ids = {c.file_name.removeprefix("normal/"): c.machine_id for c in open_dataset(data_dir=own).clips}
    assert ids == {
        "id_3 a.wav": "id_3",
        "id_3_b.wav": "id_3",
        "pump_2_a.wav": "pump_2",
        "pump2 b.wav": "pump_2",
        "pump_7.wav": "id_00",
        "c.wav": "id_00",
    }


def test_dates_in_names_make_no_machines(tmp_path):
    days = tree(tmp_path / "days", *(f"fan_{day:02d}-05-2024.wav" for day in range(1, 9)))
    dataset = open_dataset(data_dir=days)
    assert {clip.machine_id for clip in dataset.clips} == {"id_00"} and dataset.warnings == ()
    folders = tree(tmp_path / "press", *(f"2024-05-{day:02d}/normal/1.wav" for day in range(1, 4)))
    assert {clip.machine_type for clip in open_dataset(data_dir=folders).clips} == {"press"}
    numbered = tree(tmp_path / "both", *(f"fan_{n}_2024-05-{day:02d}.wav" for n in (1, 12) for day in range(1, 4)))
    (said,) = open_dataset(data_dir=numbered).warnings
    assert said == "note: machine ids read from names, with their recordings: fan_1 (3), fan_12 (3)"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (
            ["fan_12_05_24", "fan_13_05_24"],
            r"fan_12_05_24.wav: the first number is that of a machine \(fan_12\), or all",
        ),
        ([f"fan_{n}_a" for n in range(6)], "fan_0_a.wav, .*: 6 machines with one recording each, or recordings of one"),
    ],
)
def test_numbers_that_may_be_of_machines_or_not(tmp_path, names, says):
    with pytest.raises(InputError, match=says):
        open_dataset(data_dir=tree(tmp_path, *(f"{name}.wav" for name in names)))


def test_a_flat_folder_of_several_machine_types_is_not_one_machine(tmp_path):
    tree(tmp_path, "fan_a.wav", "ToyCar_1.wav", "slider_x.wav", "ToyCar_2.wav")
    with pytest.raises(InputError, match=r"`machine` is needed: .* has fan, slide_rail, toy_car.*`dataset=any_folder`"):
        open_dataset(data_dir=tmp_path)
    assert [c.file_name for c in open_dataset(data_dir=tmp_path, machine="fan").clips] == ["fan_a.wav"]
    assert len(open_dataset(data_dir=tmp_path, machine="fan", dataset="any_folder").clips) == 4


def test_what_is_left_out_is_named_and_counted(tmp_path):
    tree(tmp_path, "press/normal/1.wav", "press/2.wav", "press/3.wav", "press/normal/4.m4a")
    dataset = open_dataset(data_dir=tmp_path)
    assert len(dataset.clips) == 1
    first, second = dataset.warnings
    assert "2 recording(s) left out" in first and "press/2.wav, press/3.wav" in first
    assert "1 .m4a file(s) left out" in second


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    own, scandir = tree(tmp_path, "normal/1.wav"), os.scandir

    def refuse(path):
        if str(path).endswith("normal"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"normal cannot be listed \(Permission denied\)"):
        open_dataset(data_dir=own)


def test_of_dcase_2026_the_near_microphone_is_read(tmp_path):
    """Its recordings alone are stereo, among those that are laid out like 2022's."""
    near, far = 0.25 * np.ones(1600), 0.75 * np.ones(1600)
    for machine, samples in (("ToyCarEmu", np.stack([near, far], axis=1)), ("bearing", near)):
        for path in ("train/section_00_source_train_normal_0000_noAttribute", "test/section_00_0000"):
            (tmp_path / f"{machine}/{path}").parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / f"{machine}/{path}.wav", samples, 16_000, subtype="FLOAT")
    write(tmp_path / "ToyCarEmu/train/section_00_source_train_normal_0000_a.wav")  # cannot be read, and comes first

    def opened(machine, channel=None, reference_channel="none"):
        settings = {"channel": channel, "reference_channel": reference_channel}
        dataset = open_dataset(machine=machine, data_dir=tmp_path, **settings)
        return dataset, dataset.read(dataset.split("test")[0])[0]

    dataset, sample = opened("ToyCarEmu")
    assert (dataset.channel, sample) == ("0", 0.25)
    assert "channel 0 (near the machine, as DCASE 2026 has it; `channel=mix`" in dataset.description
    assert [opened("ToyCarEmu", channel)[1] for channel in ("mix", "1")] == [0.5, 0.75]
    assert opened("ToyCarEmu", reference_channel=None)[0].channel == "0-1"  # see test_two_microphones
    assert opened("bearing", reference_channel=None)[0].channel == "mix"
    assert opened("ToyCarEmu", "mix")[0].channel == opened("bearing")[0].channel == "mix"


def test_supplemental_clips_are_counted_and_not_heard(tmp_path):
    """DCASE 2025 adds clips of the clean machine or of noise alone, whatever words are in their names."""
    tree(
        tmp_path / "ToyPet",
        "train/section_00_source_train_normal_0000_noAttribute.wav",
        "test/section_00_source_test_anomaly_0000_noAttribute.wav",
        "supplemental/section_00_machine_source_0000_noAttribute.wav",
        "supplemental/section_00_noise_0000_normal.wav",
    )
    dataset = open_dataset(data_dir=tmp_path)
    assert [clip.split for clip in dataset.clips] == ["train", "test"] and dataset.machine == "toy_pet"
    assert "1 to train and 1 to test, 2 supplemental clips left out" in dataset.description


def test_a_config_is_the_one_argument(machine_tree):
    data = DataConfig("fan", str(machine_tree), machine_ids=("id_02",))
    clips = open_dataset(data).clips
    assert clips == open_dataset(machine="fan", data_dir=machine_tree, machine_ids=("id_02",)).clips
    assert open_dataset(data, machine_ids=()).clips == open_dataset(machine="fan", data_dir=machine_tree).clips


def test_without_a_folder_there_is_the_synthetic_machine():
    assert open_dataset().machine == "slide_rail" and open_dataset().name == "synthetic"
    with pytest.raises(InputError, match="`machine`=fan needs recordings: pass their folder as `data_dir`"):
        open_dataset(machine="fan")
    with pytest.raises(InputError, match="`dataset`=mimii needs `data_dir`"):
        open_dataset(dataset="mimii")
    with pytest.raises(InputError, match="`dataset`=mnist: not known; there are synthetic, dcase2020"):
        open_dataset(dataset="mnist")
