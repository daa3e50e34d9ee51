import dataclasses

import numpy as np
import pytest

from asd_jax.datasets.clips import Clip
from asd_jax.detectors.thresholds import decide
from asd_jax.errors import InputError
from asd_jax.evaluation.score_files import Scored, read_scores, scores_csv, service_csv

CLIPS = (
    Clip("fan/test/a, b.wav", "section_00", "test", True, "source"),
    Clip('fan/test/"ü".wav', "section_00", "test", False, "target"),
    Clip("fan/test/c.wav", "section_01", "test", start_seconds=2.5),
)
SCORES = {"mse": np.array([0.1, 2e-9, np.nan]), "gmm": np.array([1 / 3, -4.0, 5e20])}


def test_what_is_written_is_read(tmp_path):
    text = scores_csv(CLIPS, SCORES, decide(SCORES["mse"], 0.05), selection="label-free")
    (tmp_path / "scores.csv").write_text(text, encoding="utf-8")
    header, first, *_, last = text.splitlines()
    assert header == "file_name,machine_id,domain,is_anomaly,mse,gmm,decision,worst_start_seconds,selection"
    assert first.endswith("anomalous,0.000,label-free")
    assert last == "fan/test/c.wav,section_01,,,nan,5e+20,no verdict,2.500,label-free"
    found = read_scores(tmp_path / "scores.csv")
    assert found.clips == (*CLIPS[:2], dataclasses.replace(CLIPS[2], start_seconds=0.0))
    assert found.decisions == (True, False, None)
    for name, values in SCORES.items():
        np.testing.assert_allclose(found.scores[name], values, rtol=1e-8)


def test_runs_of_before_are_read(tmp_path):
    (tmp_path / "scores.csv").write_text(
        "file_name,machine_id,domain,is_anomaly,mse,decision,selection,worst_start_seconds\n"
        "a.wav,id_00,,1,0.5,1,label-free,3.000\nb.wav,id_00,,0,0.25,0,label-free,0.000\n"
        "c.wav,id_00,,,nan,,label-free,0.000\n"
    )
    found = read_scores(tmp_path / "scores.csv")
    assert found.decisions == (True, False, None) and found.scores["mse"][:2].tolist() == [0.5, 0.25]


def test_service_has_one_header_and_the_columns_of_a_run_in_their_order():
    run = scores_csv(CLIPS, {"mse": SCORES["mse"]}, decide(SCORES["mse"], 0.05), selection="").splitlines()[0]
    full = Scored("a, b.wav", "id_00", 0.5, "anomalous", 12.5, 0.25, 60, 0.125, "")
    header, lines = service_csv(
        "mse", [full, Scored("c", "", np.nan, "no verdict", np.nan, np.nan, 0, np.nan, "bad")], scored_at="now"
    )
    assert service_csv("mse", [], scored_at="later") == (header, "")
    common = [name for name in header.strip().split(",") if name in run.split(",")]
    assert common == [name for name in run.split(",") if name in common]
    assert common == ["file_name", "machine_id", "mse", "decision", "worst_start_seconds"]
    assert lines.splitlines() == [
        '"a, b.wav",id_00,0.5,anomalous,12.500,0.25,60,0.1250,,now',
        "c,,,no verdict,,,,,bad,now",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no clips"),
        ("file_name,machine_id,domain,is_anomaly,mse,decision\n", "holds no clips"),
        ("file_name,score\na.wav,1\n", "not what a run writes"),
        ("file_name,machine_id,domain,is_anomaly,mse,decision\na,b,,2,1.0,0\n", "line 2: not as a run writes it"),
        ("file_name,machine_id,domain,is_anomaly,mse,decision\na,b,,1,high,0\n", "line 2: not as a run writes it"),
        ("file_name,machine_id,domain,is_anomaly,mse,decision\na,b,,1,0.5,0\na,b\n", "line 3: not as a run writes it"),
    ],
)
def test_other_files_are_refused(text, says, tmp_path):
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(InputError, match=says):
        read_scores(tmp_path / "scores.csv")


def test_a_folder_without_scores(tmp_path):
    with pytest.raises(InputError, match=r"no scores\.csv in it"):
        read_scores(tmp_path / "scores.csv")
