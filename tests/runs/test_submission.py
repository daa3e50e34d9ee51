"""Names and lines of the submission files, as the challenges' pages and evaluators have them."""

import json

import numpy as np
import pytest

from asd_jax.datasets.clips import Clip
from asd_jax.detectors.thresholds import decide
from asd_jax.errors import InputError
from asd_jax.evaluation.score_files import ScoredClips, scores_csv
from asd_jax.runs import submission


def files(dataset, machine, clips, scores=None):
    scores = np.arange(len(clips)) + 0.5 if scores is None else scores
    scored = ScoredClips(tuple(clips), {"mse": scores}, tuple(decide(scores, 1.0).tolist()))
    return submission.files(scored, headline="mse", machine=machine, dataset=dataset)


def test_2020():
    names = ["slider/test/id_01_00000001.wav", "slider/test/id_01_00000000.wav", "slider/test/id_03_00000000.wav"]
    clips = [Clip(name, name[12:17], "test") for name in names]
    assert files("dcase2020", "slide_rail", clips) == {
        "anomaly_score_slider_id_01.csv": "id_01_00000000.wav,1.5\nid_01_00000001.wav,0.5\n",
        "anomaly_score_slider_id_03.csv": "id_03_00000000.wav,2.5\n",
        "decision_result_slider_id_01.csv": "id_01_00000000.wav,1\nid_01_00000001.wav,0\n",
        "decision_result_slider_id_03.csv": "id_03_00000000.wav,1\n",
    }


def test_2021_has_a_file_a_section_and_domain():
    clips = [
        Clip("ToyCar/source_test/section_03_source_test_0000.wav", "section_03", "test", None, "source"),
        Clip("ToyCar/target_test/section_03_target_test_0000.wav", "section_03", "test", None, "target"),
    ]
    assert files("dcase2021", "toy_car", clips) == {
        "anomaly_score_ToyCar_section_03_source_test.csv": "section_03_source_test_0000.wav,0.5\n",
        "anomaly_score_ToyCar_section_03_target_test.csv": "section_03_target_test_0000.wav,1.5\n",
        "decision_result_ToyCar_section_03_source_test.csv": "section_03_source_test_0000.wav,0\n",
        "decision_result_ToyCar_section_03_target_test.csv": "section_03_target_test_0000.wav,1\n",
    }


@pytest.mark.parametrize("year", range(2022, 2027))
def test_2022_and_later(year):
    clips = [
        Clip("bearing/test/section_00_0000.wav", "section_00", "test", None, "source"),
        Clip("bearing/test/section_00_0001.wav", "section_00", "test", None, "target"),
    ]
    assert files(f"dcase{year}", "bearing", clips) == {
        "anomaly_score_bearing_section_00_test.csv": "section_00_0000.wav,0.5\nsection_00_0001.wav,1.5\n",
        "decision_result_bearing_section_00_test.csv": "section_00_0000.wav,0\nsection_00_0001.wav,1\n",
    }


def test_machine_types_are_spelt_as_in_the_releases():
    assert submission.machine_type("slide_rail") == "slider" and submission.machine_type("toy_rc_car") == "ToyRCCar"
    assert submission.machine_type("slide_rail", "dev_data/SlideRail/test/a.wav") == "SlideRail"
    assert submission.machine_type("crusher", "test/a.wav") == "crusher"


def test_what_no_challenge_takes():
    clips = [Clip(f"{folder}/fan/test/section_00_0000.wav", "section_00", "test") for folder in "ab"]
    with pytest.raises(InputError, match="have the same name"):
        files("dcase2023", "fan", clips)
    with pytest.raises(InputError, match=r"section_00_0000\.wav is nan"):
        files("dcase2023", "fan", clips[:1], np.array([np.nan]))
    with pytest.raises(InputError, match="has no domain"):
        files("dcase2021", "fan", clips[:1])


def test_from_the_folder_of_a_run(tmp_path):
    clips = [Clip("fan/test/id_01_00000000.wav", "id_01", "test")]
    text = scores_csv(clips, {"gmm": np.ones(1)}, decide(np.ones(1), 0.5), selection="label-free")
    (tmp_path / "scores.csv").write_text(text)
    report = {"headline_scorer": "gmm", "scorers": {}, "machine": "fan", "dataset": "dcase2020"}
    (tmp_path / "metrics.json").write_text(json.dumps(report))
    paths = submission.write(tmp_path)
    assert [path.name for path in paths] == ["anomaly_score_fan_id_01.csv", "decision_result_fan_id_01.csv"]
    assert paths[0].read_text() == "id_01_00000000.wav,1\n" and paths[0].parent == tmp_path / "submission"
