import numpy as np
import pytest

from asd_jax.datasets.clips import Clip
from asd_jax.detectors.thresholds import decide
from asd_jax.errors import InputError
from asd_jax.evaluation.score_files import read_scores, scores_csv

CLIPS = (
    Clip("fan/test/a, b.wav", "section_00", "test", True, "source"),
    Clip('fan/test/"ü".wav', "section_00", "test", False, "target"),
    Clip("fan/test/c.wav", "section_01", "test"),
)
SCORES = {"mse": np.array([0.1, 2e-9, np.nan]), "gmm": np.array([1 / 3, -4.0, 5e20])}


def test_what_is_written_is_read(tmp_path):
    text = scores_csv(CLIPS, SCORES, decide(SCORES["mse"], 0.05), selection="label-free")
    cut = {"selection": "oracle", "worst_start_seconds": np.array([0.0, 10.0, 0.0])}
    longer = scores_csv(CLIPS, SCORES, decide(SCORES["mse"], 9.0), **cut)
    (tmp_path / "longer.csv").write_text(longer)
    assert list(read_scores(tmp_path / "longer.csv").scores) == ["mse", "gmm"]
    (tmp_path / "scores.csv").write_text(text, encoding="utf-8")
    assert text.splitlines()[0] == "file_name,machine_id,domain,is_anomaly,mse,gmm,decision,selection"
    assert text.splitlines()[3] == "fan/test/c.wav,section_01,,,nan,5e+20,,label-free"
    found = read_scores(tmp_path / "scores.csv")
    assert found.clips == CLIPS and found.decisions == (True, False, None)
    for name, values in SCORES.items():
        np.testing.assert_allclose(found.scores[name], values, rtol=1e-8)


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
