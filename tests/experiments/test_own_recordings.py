"""Long recordings of one's own: cut into clips, split, scored and decided by recording."""

import csv
import json
import re

import numpy as np
import pytest
import soundfile

from asd_jax import load_detector
from asd_jax.datasets.audio import read_audio

pytestmark = pytest.mark.slow

FAULT_AT = 3.0  # seconds


@pytest.fixture(scope="module")
def press(tmp_path_factory):
    """A humming press: twelve normal recordings of 6 to 7 s and two with a second tone for one second."""
    root = tmp_path_factory.mktemp("own") / "My Press"
    rng = np.random.default_rng(0)
    for folder, count in (("normal", 12), ("abnormal", 2)):
        (root / folder).mkdir(parents=True)
        for index in range(count):
            time = np.arange(int((6 + index / 12) * 16_000)) / 16_000
            waveform = 0.1 * np.sin(2 * np.pi * 180 * time) + 0.02 * rng.standard_normal(len(time))
            if folder == "abnormal":
                during = (time >= FAULT_AT) & (time < FAULT_AT + 1)
                waveform += 0.1 * during * np.sin(2 * np.pi * 3_000 * time)
            soundfile.write(root / folder / f"Schicht {index}.flac", waveform, 16_000)
    return root


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "run"


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


CUT = ["--clip_seconds=1", "--clip_hop_seconds=0.5"]


def test_scores_are_those_of_recordings(press, workdir, run_script):
    status, stdout, stderr = run_script("gmm", f"--data_dir={press}", f"--workdir={workdir}", *CUT, "--report")
    assert status == 0, stderr
    assert "gmm on my_press: any folder layout (any_folder)" in stdout and "split by seed 0" in stdout
    assert re.search(r"only 10 normal training recordings of id_00 \(1\d\d clips\)", stdout)
    metrics = json.loads((workdir / "metrics.json").read_text())
    at = metrics["thresholds"]["gmm"]["gamma_0.9"]["id_00"]
    assert (at["n_normal"], at["fitted_on"]) == (123, "out-of-fold training clips")
    measures = metrics["scorers"]["gmm"]["machine_ids"]["id_00"]
    assert (measures["n_normal"], measures["n_anomaly"], measures["auc"]) == (2, 2, 1.0)
    rows = read_csv(workdir / "scores.csv")
    assert list(rows[0])[-3:] == ["decision", "worst_start_seconds", "selection"] and len(rows) == 4
    for row in rows:
        if row["is_anomaly"] == "1":
            assert FAULT_AT - 1.5 < float(row["worst_start_seconds"]) < FAULT_AT + 1 and row["decision"] == "anomalous"
            shown = f"worst part from {float(row['worst_start_seconds']):g} s on"
            assert shown in (workdir / "report.html").read_text()


def test_the_score_script_and_the_library_cut_likewise(press, workdir, run_script):
    expected = {row["file_name"]: row for row in read_csv(workdir / "scores.csv")}
    files = [press / name for name in expected]
    status, stdout, stderr = run_script("score", f"--checkpoint={workdir}", *files)
    assert status == 0, stderr
    assert "worst clip at" in stdout and "0:00:02.5" in stdout
    verdict = load_detector(workdir).judge([read_audio(path, sample_rate=16_000) for path in files], sample_rate=16_000)
    found = {row["file_name"]: row for row in read_csv(workdir / "score" / "scores.csv")}
    for index, path in enumerate(files):
        row, own = found[str(path)], expected[path.relative_to(press).as_posix()]
        assert float(row["gmm"]) == pytest.approx(float(own["gmm"]), rel=1e-5)
        assert verdict.scores[index] == pytest.approx(float(own["gmm"]), rel=1e-5)
        assert float(row["worst_start_seconds"]) == float(own["worst_start_seconds"])
        assert verdict.worst_start_seconds[index] == pytest.approx(float(own["worst_start_seconds"]), abs=5e-4)
        assert row["decision"] == own["decision"] and (row["decision"] == "anomalous") == verdict.is_anomalous[index]


def test_evaluation_cuts_as_the_run_did(workdir, run_script):
    status, _, stderr = run_script("evaluate", f"--checkpoint={workdir}")
    assert status == 0, stderr
    assert (workdir / "evaluate" / "scores.csv").read_text() == (workdir / "scores.csv").read_text()


def test_normal_recordings_alone_give_a_detector(press, tmp_path, run_script):
    own = tmp_path / "press"
    (own).mkdir()
    (own / "normal").symlink_to(press / "normal")
    run = tmp_path / "run"
    status, stdout, stderr = run_script("gmm", f"--data_dir={own}", f"--workdir={run}", *CUT)
    assert status == 0, stderr
    assert "no test clips: the detector is saved, and there is nothing to evaluate" in stdout
    status, stdout, _ = run_script("score", f"--checkpoint={run}", *sorted((press / "abnormal").iterdir()))
    assert status == 0 and "2 of 2 anomalous" in stdout


def test_a_recording_that_breaks_off_is_left_out(press, workdir, tmp_path, run_script):
    whole, broken = press / "normal" / "Schicht 0.flac", tmp_path / "broken.flac"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    arguments = [f"--checkpoint={workdir}", f"--workdir={tmp_path}", broken, whole]
    status, _, stderr = run_script("score", *arguments)
    assert status == 1 and "broken.flac" in stderr
    status, stdout, _ = run_script("score", *arguments, "--skip_bad_files")
    assert status == 0 and "warning: left out" in stdout


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--clip_seconds=0"], "--clip_seconds=0"),
        (["--clip_hop_seconds=1"], "--clip_hop_seconds needs --clip_seconds"),
        (["--clip_seconds=1", "--clip_hop_seconds=2"], "--clip_hop_seconds=2 is more than --clip_seconds=1"),
        ([*CUT, "--oracle_search"], "leave out --clip_seconds"),
        ([*CUT, "--dataset=mimii"], "--dataset=mimii: no recording"),
    ],
)
def test_mistakes(press, tmp_path, run_script, flags, says):
    status, _, stderr = run_script("gmm", f"--data_dir={press}", f"--workdir={tmp_path / 'run'}", *flags)
    assert status == 1 and says in stderr and stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
