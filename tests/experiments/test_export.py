"""From a run to one file and verdicts from it: `export`, `score --model`, and the script of docs/deploy.md."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax2onnx")
pytest.importorskip("onnxruntime")


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_script_writes_both_kinds(gmm_run, tmp_path, run_script):
    for kind in ("onnx", "stablehlo"):
        out = tmp_path / f"d.{kind}"
        arguments = [f"--format={kind}", f"--out={out}", "--machine_id=id_02", "--scorer=knn", "--noprepare"]
        status, stdout, stderr = run_script("export", f"--checkpoint={gmm_run}", *arguments)
        assert status == 0, stderr
        assert "knn of id_02" in stdout and out.is_file()
    status, stdout, _ = run_script("export", f"--checkpoint={gmm_run}", "--noprepare")
    assert status == 0 and (gmm_run / "export" / "gmm.onnx").is_file()


def test_score_takes_the_file_in_place_of_the_run(gmm_run, detector_file, machine_tree, tmp_path, run_script):
    test = machine_tree / "fan" / "test"
    found = {}
    for name, source in (("run", f"--checkpoint={gmm_run}"), ("file", f"--model={detector_file}")):
        status, _, stderr = run_script("score", source, f"--workdir={tmp_path / name}", test)
        assert status == 0, stderr
        found[name] = {row["file_name"]: row for row in rows(tmp_path / name / "scores.csv")}
    assert found["run"].keys() == found["file"].keys()
    for name, row in found["run"].items():
        if name.endswith("2.wav"):  # 1.3 s long: scored whole by the run, cut by the file
            continue
        ours = found["file"][name]
        assert float(ours["gmm"]) == pytest.approx(float(row["gmm"]), rel=1e-3)
        assert [ours[key] for key in ("decision", "machine_id", "remarks")] == [
            row[key] for key in ("decision", "machine_id", "remarks")
        ]


def test_score_with_a_file_imports_no_jax(detector_file, machine_tree, tmp_path):
    code = (
        "import runpy, sys, atexit; atexit.register(lambda: print('jax' in sys.modules)); "
        "runpy.run_module('experiments.score', run_name='__main__', alter_sys=True)"
    )
    clip = machine_tree / "fan" / "test" / "anomaly_id_00_00000000.wav"
    command = [sys.executable, "-c", code, f"--model={detector_file}", f"--workdir={tmp_path}", str(clip)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 anomalous" in done.stdout and done.stdout.endswith("False\n")


def test_the_script_of_the_page_does_without_asd_jax(gmm_run, detector_file, machine_tree, tmp_path):
    from asd_jax import load_detector
    from asd_jax.datasets.audio import read_audio

    page = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
    script = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "import wave" in block)
    assert len([line for line in script.splitlines() if line.strip()]) <= 30
    (tmp_path / "listen.py").write_text(script, encoding="utf-8")
    files = sorted((machine_tree / "fan" / "test").glob("*_id_02_*0.wav"))
    command = [sys.executable, "-I", "listen.py", str(detector_file), "id_02", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    waveforms = [read_audio(file, sample_rate=16_000) for file in files]
    verdict = load_detector(gmm_run).judge(waveforms, sample_rate=16_000, machine_id="id_02")
    lines = done.stdout.splitlines()
    assert len(lines) == len(files) == 2
    for line, score, is_anomalous in zip(lines, verdict.scores, verdict.is_anomalous, strict=True):
        assert float(re.search(r"clip 0: (\S+)", line)[1]) == pytest.approx(score, rel=1e-3)
        assert ("anomalous" if is_anomalous else "normal") in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--checkpoint=nowhere"], "nowhere: not the folder of a run"),
        (["--machine_id=id_09"], "--machine_id=id_09: not known; the run has id_00, id_02"),
        (["--scorer=lof"], "scorer lof cannot be exported.* gmm, ocsvm, knn.* Take one by --scorer"),
        (["--scorer=svm"], "scorer 'svm' is not in this detector, which has gmm"),
        (["--out=."], "--out=. is a folder"),
        (["--threshold=gamma_2"], "--threshold=gamma_2: not known"),
        (["--data_dir=nowhere"], "--data_dir=.*nowhere"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(gmm_run, tmp_path, monkeypatch, run_script, arguments, says):
    monkeypatch.chdir(tmp_path)
    before = [] if "--out=." in arguments else ["--out=d.onnx"]
    status, _, stderr = run_script("export", f"--checkpoint={gmm_run}", "--noprepare", *before, *arguments)
    assert status == 1
    assert re.fullmatch(f"error: .*{says}.*\n", stderr), stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_bundle_and_a_check_that_fails(gmm_run, tmp_path, monkeypatch, run_script):
    run = shutil.copytree(gmm_run, tmp_path / "run")
    monkeypatch.setattr("asd_jax.runs.exporting.compare", lambda *args: _compare(*args, tolerance=-1.0))
    from asd_jax.detectors.export.check import compare as _compare

    status, _, stderr = run_script("export", f"--checkpoint={run}", f"--out={tmp_path / 'd.onnx'}", "--noprepare")
    assert status == 1 and "does not agree with the detector on 12 of 12 clips" in stderr
    shutil.rmtree(run / "checkpoints")
    status, _, stderr = run_script("export", f"--checkpoint={run}", f"--out={tmp_path / 'd.onnx'}")
    assert status == 1 and "no checkpoint there" in stderr
    assert not (tmp_path / "d.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model=nothing.onnx"], "nothing.onnx: no such file"),
        (["--model=bad.onnx"], "bad.onnx is damaged, cut short"),
        (["--model=bad.onnx", "--checkpoint=run"], "--checkpoint and --model: give one"),
        ([], "--checkpoint is needed, .* or --model"),
    ],
)
def test_score_refuses_bad_files(tmp_path, monkeypatch, run_script, arguments, says):
    monkeypatch.chdir(tmp_path)
    Path("bad.onnx").write_bytes(b"no graph")
    status, _, stderr = run_script("score", *arguments, "clip.wav")
    assert status == 1
    assert re.fullmatch(f"error: .*{says}.*\n", stderr), stderr


@pytest.mark.slow
def test_real_recordings_are_judged_alike(real_data, tmp_path):
    import jax

    from asd_jax import models
    from asd_jax.datasets import extract, open_dataset
    from asd_jax.detectors import Detector, ScorerSpec, exported, fit_scorers
    from asd_jax.detectors.export import Program, contents
    from asd_jax.detectors.export.check import compare
    from asd_jax.features import FrontEnd
    from asd_jax.features.scaling import standardize
    from asd_jax.models.network import Network
    from asd_jax.representations import ClipSummary
    from asd_jax.representations.residual import Residual

    dataset = open_dataset(data_dir=real_data / "toycar_resynthesized")
    train, clips = extract(dataset.split("train")[::4], dataset.read, FrontEnd()), dataset.split("test")[::10]
    network = Network(models.LSTMPredictorConfig(hidden_size=32), 128)
    params, state = network.init(key=jax.random.key(0))
    residual = Residual(network, params, state, standardize(train.frames.values))
    waveforms, machines = [dataset.read(clip) for clip in clips], [clip.machine for clip in clips]
    seconds = float(np.median([len(waveform) for waveform in waveforms])) / 16_000
    assert {len(waveform) for waveform in waveforms} == {round(16_000 * seconds)}
    for representation, names in ((ClipSummary(), ("gmm", "knn", "ocsvm")), (residual, ("mse", "mahalanobis"))):
        own = [clip.machine for clip in train.clips]
        fitted = fit_scorers(representation(train.frames, own), own, specs=[ScorerSpec(name) for name in names])
        detector = Detector(FrontEnd(), representation, fitted, names[0], clip_seconds=seconds)
        for name in names:
            program = Program.of(detector, machines=detector.machines, scorer=name)
            file = tmp_path / name
            file.write_bytes(contents(program, "onnx", about={}))
            found = compare(detector, exported.load(file), waveforms, machines, [clip.file_name for clip in clips])
            assert found.largest_difference < 2e-4
