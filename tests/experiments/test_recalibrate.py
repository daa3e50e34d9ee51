"""A detector after service, as its engineer refits it."""

import json
import shutil

import jax
import numpy as np
import pytest
import soundfile

from asd_jax import load_detector


@pytest.fixture(scope="module")
def louder(machine_tree, tmp_path_factory):
    """The machine's training recordings after service: 6 dB louder, no test clips."""
    root = tmp_path_factory.mktemp("after")
    for path in sorted((machine_tree / "fan" / "train").glob("*.wav")):
        waveform, rate = soundfile.read(path)
        (root / "fan" / "train").mkdir(parents=True, exist_ok=True)
        soundfile.write(root / "fan" / "train" / path.name, 2 * waveform, rate, subtype="PCM_16")
    return root


@pytest.mark.parametrize("system", ["lstm_pred", pytest.param("gmm", marks=pytest.mark.slow)])
def test_thresholds_move_and_the_representation_stays(system, machine_tree, louder, run_script, tmp_path):
    settings = ["--epochs=1", "--hidden_size=4", "--context_frames=3", "--scorers="] if system == "lstm_pred" else []
    run, after = tmp_path / "run", tmp_path / "after"
    data = [f"--data_dir={machine_tree}", "--machine=fan", "--noprepare", f"--workdir={run}"]
    status, _, stderr = run_script(system, *data, *settings)
    assert status == 0, stderr
    before = sorted((p, p.stat().st_mtime_ns) for p in run.rglob("*"))
    status, stdout, stderr = run_script(
        "recalibrate", f"--checkpoint={run}", f"--data_dir={louder}", f"--workdir={after}", "--noprepare"
    )
    assert status == 0, stderr
    assert before == sorted((p, p.stat().st_mtime_ns) for p in run.rglob("*"))
    assert "new clips above the old threshold" in stdout and "false alarms a day" in stdout
    config = json.loads((after / "config.json").read_text())
    assert config["recalibrated_from"] == str(run) and config["settings"]["data"]["data_dir"] == str(louder)
    old, new = load_detector(run), load_detector(after)
    if system == "lstm_pred":
        jax.tree.map(np.testing.assert_array_equal, old.representation.params, new.representation.params)
    waveform = soundfile.read(louder / "fan" / "train" / "normal_id_00_00000000.wav", dtype="float32")[0]
    verdicts = [d.judge(waveform, sample_rate=16_000, machine_id="id_00") for d in (old, new)]
    assert verdicts[1].scores < verdicts[0].scores or system == "lstm_pred"
    assert not verdicts[1].is_anomalous
    fitted = new.fitted[new.headline_scorer][new.machines[0]]
    assert len(fitted.normal_scores) == 12


@pytest.mark.slow
def test_what_is_refused(machine_tree, louder, run_script, tmp_path):
    run = tmp_path / "run"
    status, _, _ = run_script("knn", f"--data_dir={machine_tree}", "--machine=fan", "--noprepare", f"--workdir={run}")
    assert status == 0
    few = tmp_path / "few"
    shutil.copytree(louder, few)
    for path in sorted((few / "fan" / "train").glob("*_id_02_*"))[3:]:
        path.unlink()

    def refused(says, *arguments):
        status, _, stderr = run_script("recalibrate", f"--checkpoint={run}", "--noprepare", *arguments)
        assert status == 1 and says in stderr, stderr

    refused("3 normal clips of id_02 are too few", f"--data_dir={few}", f"--workdir={tmp_path / 'a'}")
    assert not (tmp_path / "a").exists()
    refused("--data_dir is needed", f"--workdir={tmp_path / 'b'}")
    refused("is not empty", f"--data_dir={louder}", f"--workdir={run}")
    for path in sorted((few / "fan" / "train").glob("*_id_02_*")):
        path.rename(path.with_name(path.name.replace("id_02", "id_05")))
    refused(
        "recordings of id_05, but the detector knows id_00, id_02", f"--data_dir={few}", f"--workdir={tmp_path / 'c'}"
    )
