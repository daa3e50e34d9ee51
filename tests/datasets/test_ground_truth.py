import pytest

from asd_jax.datasets import open_dataset
from asd_jax.errors import InputError


def tree(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())  # not audio: nothing is decoded here
    return root


def labels(root, machine, **options):
    clips = open_dataset(machine=machine, data_dir=root, **options).split("test")
    return {clip.file_name.split("/")[-1]: (clip.is_anomaly, clip.domain, clip.attributes) for clip in clips}


def test_2020_list(tmp_path):
    tree(tmp_path, "fan/test/id_01_00000000.wav", "fan/test/id_01_00000001.wav", "slider/test/id_01_00000000.wav")
    assert labels(tmp_path, "fan")["id_01_00000000.wav"] == (None, "", "")
    (tmp_path / "eval_data_list_2020.csv").write_text(
        "slider\nid_01_00000000.wav,anomaly_id_01_00000003.wav,1\n"
        "fan\nid_01_00000000.wav,normal_id_01_00000098.wav,0\nid_01_00000001.wav,anomaly_id_01_00000001.wav,1\n"
    )
    assert labels(tmp_path, "fan") == {"id_01_00000000.wav": (False, "", ""), "id_01_00000001.wav": (True, "", "")}
    assert labels(tmp_path, "slide_rail") == {"id_01_00000000.wav": (True, "", "")}


def test_2021_labels_and_true_names(tmp_path):
    tree(tmp_path, "fan/source_test/section_03_source_test_0000.wav", "fan/target_test/section_03_target_test_0000.wav")
    truth = tmp_path / "ground_truth_data"
    truth.mkdir()
    (truth / "ground_truth_fan_section_03_source_test.csv").write_text("section_03_source_test_0000.wav,1\n")
    (truth / "ground_truth_pump_section_03_source_test.csv").write_text("section_03_source_test_0000.wav,0\n")
    (truth / "ground_truth_fan_section_03_target_test.csv").write_text(
        "section_03_target_test_0000.wav,section_03_target_test_normal_0044.wav\n"
    )
    assert labels(tmp_path, "fan") == {
        "section_03_source_test_0000.wav": (True, "source", ""),
        "section_03_target_test_0000.wav": (False, "target", ""),
    }


def test_2023_labels_domains_and_attributes(tmp_path):
    tree(tmp_path, "bandsaw/test/section_00_0000.wav", "bandsaw/test/section_00_0001.wav")
    tables = {"data": "0 1", "domain": "1 0"}
    for kind, values in tables.items():
        path = tmp_path / f"ground_truth_{kind}" / "ground_truth_bandsaw_section_00_test.csv"
        path.parent.mkdir()
        rows = [f"section_00_{index:04d}.wav,{value}\n" for index, value in enumerate(values.split())]
        path.write_text("".join(rows))
    expected = {"section_00_0000.wav": (False, "target", ""), "section_00_0001.wav": (True, "source", "")}
    assert labels(tmp_path, "bandsaw") == expected
    path = tmp_path / "ground_truth_attributes" / "ground_truth_bandsaw_section_00_test.csv"
    path.parent.mkdir()
    path.write_text("section_00_0000.wav,section_00_target_test_normal_0000_vel_12\n")
    assert labels(tmp_path, "bandsaw")["section_00_0000.wav"] == (False, "target", "vel_12")


@pytest.mark.parametrize(
    ("clip", "rows", "says"),
    [
        ("section_00_source_test_normal_0000_vel_1.wav", ",1", "line 1: .* is anomalous here, but normal by its name"),
        ("section_00_0000.wav", ",0\n{},1", "line 2: .* is anomalous here, but normal by .*ground_truth_fan_section"),
        ("section_00_0000.wav", ",maybe", "line 1: 'maybe' is neither 0, 1 nor the name of a labelled test clip"),
    ],
)
def test_contradictions_are_refused(tmp_path, clip, rows, says):
    tree(tmp_path, f"fan/test/{clip}")
    (tmp_path / "ground_truth_fan_section_00_test.csv").write_text(clip + rows.format(clip))
    with pytest.raises(InputError, match=f"ground_truth_fan_section_00_test.csv, {says}"):
        labels(tmp_path, "fan")


def test_other_tables_are_left_alone(tmp_path):
    tree(tmp_path, "fan/test/section_00_0000.wav")
    (tmp_path / "fan" / "attributes_00.csv").write_text("file_name,d1p,d1v\nfan/test/section_00_0000.wav,vel,1\n")
    (tmp_path / "scores.csv").write_text("section_00_0000.wav,1\n")
    assert labels(tmp_path, "fan") == {"section_00_0000.wav": (None, "", "")}


def test_a_table_that_is_not_text(tmp_path):
    tree(tmp_path, "fan/test/section_00_0000.wav")
    (tmp_path / "ground_truth_fan_section_00_test.csv").write_bytes(b"\xff\xfe\x00s")
    with pytest.raises(InputError, match="cannot be read as a ground-truth table"):
        labels(tmp_path, "fan")
