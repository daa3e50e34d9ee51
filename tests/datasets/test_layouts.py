"""Each layout reads back every tree that it could have made, and is the only one to be recognised in it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asd_jax.datasets import canonical_machine, layouts, open_dataset
from asd_jax.datasets.layouts import ClipName
from asd_jax.datasets.recognition import Folder
from asd_jax.errors import InputError

MACHINES = st.sampled_from(["fan", "slider", "ToyCar", "ToyRCCar", "3DPrinter", "bearingEmu"])
ABOVE = st.sampled_from(["", "dev_data/", "eval_data/", "deep/er/"])
LABELS = st.sampled_from([("normal", False), ("anomaly", True)])
ATTRIBUTES = st.sampled_from(
    ["", "noAttribute", "car_C2_spd_34V_mic_1", "vel_21", "volt_1.5", "0_g_25_mm_2000_mV_none"]
)
# Names in any script that say nothing: without ASCII letters there is none of the words.
LETTERS = st.characters(min_codepoint=0x80, categories=("Lu", "Ll", "Lo"), include_characters=" -_.'0123456789")
PLAIN = st.text(LETTERS, max_size=6).map("7{}7".format)


@st.composite
def dcase2020(draw):
    above, machine, number, index = (
        draw(ABOVE),
        draw(MACHINES),
        draw(st.integers(0, 99)),
        draw(st.integers(0, 10**8 - 1)),
    )
    split, label = draw(st.sampled_from([("train", "normal"), ("test", "normal"), ("test", "anomaly"), ("test", None)]))
    name = f"{label}_id_{number:02d}_{index:08d}" if label else f"id_{number:02d}_{index:08d}"
    said = {"normal": False, "anomaly": True, None: None}[label]
    return f"{above}{machine}/{split}/{name}.wav", ClipName(machine, f"id_{number:02d}", "", split, said, "")


def section_name(draw, split, domain, said):
    section, index, attributes = draw(st.integers(0, 5)), draw(st.integers(0, 9999)), draw(ATTRIBUTES)
    label = {False: "_normal", True: "_anomaly", None: ""}[said]
    tail = f"_{attributes}" if attributes else ""
    return f"section_{section:02d}", f"section_{section:02d}_{domain}_{split}{label}_{index:04d}{tail}", attributes


@st.composite
def dcase2021(draw):
    above, machine, domain = draw(ABOVE), draw(MACHINES), draw(st.sampled_from(["source", "target"]))
    split = draw(st.sampled_from(["train", "test"]))
    said = False if split == "train" else draw(st.sampled_from([False, True, None]))
    section, name, attributes = section_name(draw, split, domain, said)
    folder = "train" if split == "train" else f"{domain}_test"
    return f"{above}{machine}/{folder}/{name}.wav", ClipName(machine, section, domain, split, said, attributes)


@st.composite
def dcase2022(draw):
    above, machine, domain = draw(ABOVE), draw(MACHINES), draw(st.sampled_from(["source", "target"]))
    kind = draw(st.sampled_from(["train", "test", "anonymous", "supplemental"]))
    if kind == "supplemental":
        section, what = draw(st.integers(0, 5)), draw(st.sampled_from(["machine_source", "noise_target", "noise"]))
        path = f"{above}{machine}/supplemental/section_{section:02d}_{what}_0000_noAttribute.wav"
        attributes = "noise" if what.startswith("noise") else "clean_machine"
        domain = what.partition("_")[2]
        return path, ClipName(machine, f"section_{section:02d}", domain, "supplemental", None, attributes)
    if kind == "anonymous":
        section, index = draw(st.integers(0, 5)), draw(st.integers(0, 9999))
        path = f"{above}{machine}/test/section_{section:02d}_{index:04d}.wav"
        return path, ClipName(machine, f"section_{section:02d}", "", "test", None, "")
    said = False if kind == "train" else draw(st.booleans())
    section, name, attributes = section_name(draw, kind, domain, said)
    return f"{above}{machine}/{kind}/{name}.wav", ClipName(machine, section, domain, kind, said, attributes)


@st.composite
def mimii(draw):
    snr = draw(st.sampled_from(["-6_dB", "0_dB", "6_dB", ""]))
    machine, number = draw(st.sampled_from(["fan", "pump", "slider", "valve"])), draw(st.sampled_from([0, 2, 4, 6]))
    label, index = draw(st.sampled_from(["normal", "abnormal"])), draw(st.integers(0, 1200))
    above = f"{snr}_{machine}/" if snr else ""
    path = f"{above}{machine}/id_{number:02d}/{label}/{index:08d}.wav"
    return path, ClipName(machine, f"id_{number:02d}", "", "", label == "abnormal", snr)


@st.composite
def toyadmos(draw):
    machine, case, channel = (
        draw(st.sampled_from(["ToyCar", "ToyTrain"])),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
    )
    index, is_anomaly = draw(st.integers(1, 9999)), draw(st.booleans())
    folder, label = ("AnomalousSound_IND", "ab01") if is_anomaly else ("NormalSound_IND", "normal")
    path = (
        f"{machine}/case{case}/{folder}/1{channel}00010001_{machine}_case{case}_{label}_IND_ch{channel}_{index:04d}.wav"
    )
    return path, ClipName(machine, f"case{case}", "", "", is_anomaly, f"ch{channel}")


@st.composite
def any_folder(draw):
    machine = draw(st.sampled_from(["", "press", "Förderband 3", "プレス機"]))
    nested = "".join(f"{part}/" for part in draw(st.lists(PLAIN, max_size=2)))
    name, ending = draw(PLAIN), draw(st.sampled_from([".wav", ".flac", ".ogg", ".mp3", ".WAV"]))
    word, is_anomaly = draw(st.sampled_from([("normal", False), ("abnormal", True), ("Anomaly", True)]))
    above = f"{machine}/" if machine else ""
    machine_id = draw(st.sampled_from(["", "id_03"]))
    name = f"{machine_id}_{name}" if machine_id else name
    style = draw(st.sampled_from(["label folder", "both folders", "split folder", "train", "unlabelled"]))
    path, split, said = {
        "label folder": (f"{word}/{nested}{name}", "", is_anomaly),
        "both folders": (f"test/{word}/{nested}{name}", "test", is_anomaly),
        "split folder": (f"test/{nested}{word}_{name}", "test", is_anomaly),
        "train": (f"Train/{nested}{name}", "train", False),
        "unlabelled": (f"test/{nested}{name}", "test", None),
    }[style]
    return f"{above}{path}{ending}", ClipName(machine, machine_id or "id_00", "", split, said, "")


CLIPS = {
    "dcase2020": dcase2020(),
    "dcase2021": dcase2021(),
    "dcase2022": dcase2022(),
    "mimii": mimii(),
    "toyadmos": toyadmos(),
    "any_folder": any_folder(),
}


def test_every_layout_is_generated():
    assert set(CLIPS) == {layout.name for layout in layouts.REGISTRY.values()}


@pytest.mark.parametrize("name", CLIPS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_path_is_read_back(name, data):
    path, expected = data.draw(CLIPS[name])
    assert layouts.REGISTRY[name].parse(path) == expected


@pytest.mark.parametrize("name", CLIPS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_tree_is_recognised_and_read_back(name, data):
    """Every clip of a tree comes back, by its machine, under the layout that made it."""
    made = dict(data.draw(st.lists(CLIPS[name], min_size=1, max_size=12)))
    with tempfile.TemporaryDirectory(prefix="own") as folder:
        for path in made:
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        found = Folder(folder)
        own = canonical_machine(Path(folder).name)
        machines = {canonical_machine(clip.machine_type) or own for clip in made.values()}
        assert set(found.machines()) == machines
        for machine in machines:
            mine = {p: c for p, c in made.items() if (canonical_machine(c.machine_type) or own) == machine}
            only_training = all(clip.split == "train" for clip in mine.values())
            if name in ("dcase2021", "dcase2022") and only_training:
                with pytest.raises(InputError, match=r"dcase2021 \(\d+ files\), dcase2022 \(\d+ files\).*`dataset`"):
                    found.recognise(machine)
                recognised = Folder(folder, layout=name).recognise(machine)
            else:
                recognised = found.recognise(machine)
            assert recognised[0] == name and recognised[2] == mine


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        ("dcase2020", "test/anomaly_6_00000000.wav"),
        ("dcase2020", "fan/id_00_00000000.wav"),
        ("dcase2021", "fan/source_test/section_00_target_test_normal_0000.wav"),
        ("dcase2021", "fan/train/section_00_source_test_normal_0000.wav"),
        ("dcase2022", "fan/test/section_00_source_train_normal_0000_noAttribute.wav"),
        ("dcase2022", "fan/test/section_0_0000.wav"),
        ("mimii", "fan/id_00/anomaly/00000000.wav"),
        ("toyadmos", "ToyCar/case1/NormalSound_CNT/1.wav"),
        ("any_folder", "press/monday.wav"),
        ("any_folder", "normality/monday.wav"),
    ],
)
def test_other_paths_are_not_of_the_layout(layout, path):
    assert layouts.REGISTRY[layout].parse(path) is None


@pytest.mark.parametrize(
    ("path", "says"),
    [("normal/anomaly_1.wav", "both normal and anomalous"), ("train/test/1.wav", "both train and test")],
)
def test_a_path_that_contradicts_itself(path, says):
    with pytest.raises(InputError, match=f"{path}: folders and name say {says}"):
        layouts.REGISTRY["any_folder"].parse(path)


def test_words_within_other_words_say_nothing():
    parse = layouts.REGISTRY["any_folder"].parse
    assert parse("press/normal/abnormally_loud_test.wav").split == ""
    assert parse("press/Test_Abnormal/1.wav") == ClipName("press", "id_00", "", "test", True, "")


def test_real_excerpts_are_read_as_they_stand(real_data):
    found = Folder(real_data / "dcase2020_real_clips")
    assert found.machines() == ["fan", "pump", "slide_rail", "toy_car", "toy_conveyor", "valve"]
    dataset = open_dataset(machine="slider", data_dir=real_data / "dcase2020_real_clips")
    assert dataset.name == "dcase2020" and len(dataset.clips) == 4
    labels = {clip.file_name.split("/")[1]: (clip.machine_id, clip.is_anomaly) for clip in dataset.clips}
    assert labels["anomaly_id_06_00000071.wav"] == ("id_06", True)
    assert labels["normal_id_00_00000018.wav"] == ("id_00", False)
    assert all(len(dataset.read(clip)) == 160_000 for clip in dataset.clips)
