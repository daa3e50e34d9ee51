"""Real recordings of any length: trained on, evaluated, judged by the scripts as their user runs them."""

import csv
import dataclasses
import shutil

import numpy as np
import pytest
import soundfile

from asd_jax import load_detector
from asd_jax.detectors import Detectors
from asd_jax.scorers import from_state, to_state

pytestmark = pytest.mark.slow

RATE, SECONDS = 16_000, 6.368
SCORER = "mahalanobis"


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def toy_car(real_data):
    """Waveforms of ToyCar id_02 by split and label."""
    root = real_data / "toycar_resynthesized" / "ToyCar"
    names = {"train": "train/normal", "normal": "test/normal", "faulty": "test/anomaly"}
    return {
        kind: [soundfile.read(path, dtype="float32")[0] for path in sorted(root.glob(f"{name}_id_02_*"))]
        for kind, name in names.items()
    }


def write(folder, recordings):
    folder.mkdir(parents=True)
    for index, waveform in enumerate(recordings):
        soundfile.write(folder / f"{index:03d}.wav", waveform, RATE)


@pytest.fixture(scope="module")
def run(toy_car, tmp_path_factory, request):
    """A run on short normal recordings."""
    folder = tmp_path_factory.mktemp("car")
    write(folder / "car" / "normal", toy_car["train"])
    return folder


@pytest.fixture
def trained(run, run_script):
    if not (run / "run").exists():
        arguments = [f"--data_dir={run / 'car'}", f"--workdir={run / 'run'}", "--noprepare"]
        status, _, stderr = run_script("gmm", *arguments, f"--scorers={SCORER}")
        assert status == 0, stderr
    return run / "run"


def test_a_fault_spliced_into_ten_minutes(trained, toy_car, tmp_path, run_script):
    normal = (toy_car["normal"] * 2)[:94]
    write(
        tmp_path / "new", [np.concatenate(part) for part in (normal, normal[:47] + toy_car["faulty"][:5] + normal[47:])]
    )
    files = sorted((tmp_path / "new").iterdir())
    arguments = [f"--checkpoint={trained}", f"--scorer={SCORER}", f"--workdir={tmp_path / 'out'}", *files]
    status, stdout, stderr = run_script("score", *arguments)
    assert status == 0 and stderr == "", stderr
    faulty, normal = sorted(read_csv(tmp_path / "out" / "scores.csv"), key=lambda row: row["decision"])
    assert (normal["decision"], faulty["decision"]) == ("normal", "anomalous")
    assert faulty["file_name"] == str(files[1])
    assert 46 * SECONDS < float(faulty["worst_start_seconds"]) < 51 * SECONDS
    assert "0:05:0" in stdout
    timeline = [row for row in read_csv(tmp_path / "out" / "timeline.csv") if row["file_name"] == str(files[1])]
    assert len(timeline) == 99
    above = np.asarray([float(row["above_threshold"]) for row in timeline])
    assert (above[47:52] > 0).sum() >= 4 and np.mean(np.delete(above, range(46, 53)) > 0) < 0.2


def test_joined_normal_clips_raise_few_alarms(trained, toy_car):
    detector = load_detector(trained)
    rng, clips = np.random.default_rng(0), toy_car["normal"]
    for count, n_recordings in ((1, 60), (10, 30), (54, 10)):
        recordings = [np.concatenate([clips[i] for i in rng.permutation(60)[:count]]) for _ in range(n_recordings)]
        if count == 1:
            recordings = clips
        found = detector.judge(recordings, sample_rate=RATE, scorer=SCORER)
        assert found.is_anomalous.mean() <= 0.2
        assert {len(of.scores) for of in found.timelines} == {count}


def test_what_breaks_off_gets_no_verdict(trained, toy_car, tmp_path, run_script):
    whole = toy_car["normal"][0]
    write(tmp_path / "new", [whole, whole[: int(0.47 * len(whole))], whole[:2]])
    arguments = [f"--checkpoint={trained}", f"--workdir={tmp_path / 'out'}", *sorted((tmp_path / "new").iterdir())]
    status, stdout, stderr = run_script("score", *arguments)
    assert status == 1 and stderr.count("\n") == 2 and stderr.count("is shorter than half of 6.368 s") == 2
    rows = read_csv(tmp_path / "out" / "scores.csv")
    assert [row["decision"] for row in rows] == ["normal", "no verdict", "no verdict"]
    assert all("is shorter than half of 6.368 s" in row["remarks"] for row in rows[1:])
    assert "shorter than half of 6.368 s" in stdout


def test_long_recordings_beside_short_ones_leave_the_threshold_where_it_is(trained, toy_car, tmp_path, run_script):
    short, long = toy_car["train"][:80], toy_car["train"][80:120] * 14  # an hour, which repeats itself
    write(tmp_path / "car" / "normal", [*short, np.concatenate(toy_car["train"][120:]), np.concatenate(long)])
    write(tmp_path / "car" / "abnormal", [*toy_car["faulty"][:3], np.concatenate(toy_car["faulty"][3:10])])
    arguments = [f"--data_dir={tmp_path / 'car'}", f"--workdir={tmp_path / 'run'}", "--noprepare"]
    status, stdout, stderr = run_script("gmm", *arguments, f"--scorers={SCORER}")
    assert status == 0, stderr
    assert "3 recording(s) longer than 1.5 times 6.368 s, the usual length, are cut into clips of that length" in stdout
    of_short, mixed = (load_detector(of) for of in (trained, tmp_path / "run"))
    assert mixed.clip_seconds == of_short.clip_seconds == pytest.approx(SECONDS)
    before, after = (of.fitted[SCORER][of.machines[0]].threshold for of in (of_short, mixed))
    assert after.value == pytest.approx(before.value, rel=0.15) and after.fitted_on == before.fitted_on
    rows = read_csv(tmp_path / "run" / "scores.csv")  # evaluation and verdicts decide alike, a row a recording
    faulty = [row for row in rows if row["is_anomaly"] == "1"]
    assert len(faulty) == 4
    waveforms = [soundfile.read(tmp_path / "car" / row["file_name"])[0] for row in rows]
    found = mixed.judge(waveforms, sample_rate=RATE)
    assert found.is_anomalous.tolist() == [row["decision"] == "anomalous" for row in rows]
    np.testing.assert_allclose(found.scores, [float(row["gmm"]) for row in rows], rtol=1e-4)
    np.testing.assert_allclose(
        found.worst_start_seconds, [float(row["worst_start_seconds"]) for row in rows], atol=1e-3
    )
    status, _, stderr = run_script("evaluate", f"--checkpoint={tmp_path / 'run'}")
    assert status == 0, stderr
    assert (tmp_path / "run" / "evaluate" / "scores.csv").read_text() == (tmp_path / "run" / "scores.csv").read_text()


def test_a_detector_that_can_never_alarm_says_so(run, toy_car, tmp_path, run_script):
    write(tmp_path / "car" / "normal", toy_car["train"][:8])
    arguments = [f"--data_dir={tmp_path / 'car'}", f"--workdir={tmp_path / 'run'}", "--noprepare"]
    says = "id_00: conformal has 8 unseen normal clips (out-of-fold training clips) and needs 9 normal clips: it never"
    status, stdout, stderr = run_script("gmm", *arguments, "--threshold=conformal")
    assert status == 0 and says in stdout, stderr
    write(tmp_path / "new", toy_car["faulty"][:1])
    status, stdout, _ = run_script("score", f"--checkpoint={tmp_path / 'run'}", tmp_path / "new" / "000.wav")
    assert status == 0 and says in stdout


def test_scores_that_are_not_finite_are_no_verdict(trained, toy_car, tmp_path, run_script):
    detector = load_detector(trained)
    machine, fitted = next(iter(detector.fitted["gmm"].items()))
    state = {
        key: value * np.nan if isinstance(value, np.ndarray) else value
        for key, value in to_state(fitted.scorer).items()
    }
    broken = dataclasses.replace(fitted, scorer=from_state("gmm", state))
    Detectors(dataclasses.replace(detector, fitted=detector.fitted | {"gmm": {machine: broken}})).save(tmp_path / "run")
    write(tmp_path / "new", toy_car["normal"][:2])
    arguments = [f"--checkpoint={tmp_path / 'run'}", f"--workdir={tmp_path / 'out'}"]
    shutil.copy(trained / "config.json", tmp_path / "run")
    status, stdout, stderr = run_script("score", *arguments, *sorted((tmp_path / "new").iterdir()))
    assert status == 1 and stderr.count("the score at 0 s is not finite") == 2 and "0 of 2 anomalous" in stdout
    rows = read_csv(tmp_path / "out" / "scores.csv")
    assert [row["decision"] for row in rows] == ["no verdict"] * 2
    assert all(row["remarks"].startswith("the score at 0 s is not finite") for row in rows)
