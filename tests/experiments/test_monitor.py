"""The monitor as its user runs it: an exported detector listens to a stream through standard input."""

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

RATE = 16_000
NO_JAX = (
    "import sys, runpy; sys.modules['jax'] = None; "
    "runpy.run_module('experiments.monitor', run_name='__main__', alter_sys=True)"
)
PARTS = ((0.0, 12.0, False), (12.0, 20.0, True), (20.0, 34.0, False))  # seconds, and whether faulty


@pytest.fixture(autouse=True)
def own_signals():
    """The script's handlers of signals end with its test."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def hum(seconds, *, is_faulty, seed):
    """Machine id_00 of `machine_tree`, as 16-bit samples."""
    time = np.arange(round(seconds * RATE)) / RATE
    waveform = 0.1 * np.sin(2 * np.pi * 180 * time) + 0.02 * np.random.default_rng(seed).standard_normal(len(time))
    waveform += is_faulty * 0.1 * np.sin(2 * np.pi * 3_000 * time)
    return np.round(waveform * 2**15).astype("<i2").tobytes()


def stream():
    return b"".join(hum(end - start, is_faulty=of, seed=index) for index, (start, end, of) in enumerate(PARTS))


def command(*arguments):
    return [sys.executable, "-c", NO_JAX, *map(str, arguments)]


@contextlib.contextmanager
def running(*arguments, **options):
    """The script in a process of its own, which is ended in the end."""
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with subprocess.Popen(command(*arguments), **options) as process:
        try:
            yield process
        finally:
            process.kill()


def run(*arguments, content=b"", **options):
    done = subprocess.run(command(*arguments), input=content, capture_output=True, timeout=60, **options)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def of(events, *kinds):
    return [event for event in events if event["event"] in kinds]


@pytest.fixture(scope="module")
def usual(detector_file):
    return [f"--model={detector_file}", "--machine_id=id_00", "--source=-"]


@pytest.fixture(scope="module")
def heard(usual, tmp_path_factory):
    """Status, events, errors and folder of a stream with a faulty stretch; JAX cannot be imported there."""
    folder = tmp_path_factory.mktemp("monitor") / "kept"
    return *run(*usual, f"--workdir={folder}", "--quiet_minutes=0", content=stream()), folder


def test_the_alarm_is_where_the_fault_is(heard):
    status, events, stderr, folder = heard
    assert status == 0, stderr
    assert [event["event"] for event in (events[0], *events[-2:])] == ["start", "status", "stop"]
    assert events[0]["window_seconds"] == 1.0 and events[0]["threshold"] > 0
    assert events[-1]["reason"] == "the source ended" and events[-1]["seconds"] == 34.0
    scores = of(events, "score")
    assert [event["seconds"] for event in scores] == list(range(1, 35))
    assert [event["above"] for event in scores] == [12 < event["seconds"] <= 20 for event in scores]
    (alarm,), (clear,) = of(events, "alarm"), of(events, "clear")
    assert 14.0 <= alarm["seconds"] <= 15.0 and 24.0 <= clear["seconds"] <= 25.0
    kept = folder / "alarms" / alarm["folder"]
    assert sorted(path.name for path in kept.iterdir()) == ["alarm.json", "picture.png", "sound.flac"]
    about = json.loads((kept / "alarm.json").read_text())
    assert re.search(r"[23]\.?\d* k?Hz", about["drivers"]), about["drivers"]
    assert json.loads((folder / "state.json").read_text())["clock"] == 34.0


def test_the_scores_are_those_of_the_detector(heard, gmm_run):
    from asd_jax import load_detector

    samples = np.frombuffer(stream(), "<i2").astype(np.float32) / 2**15
    windows = samples.reshape(-1, RATE)
    alone = load_detector(gmm_run).score(windows, sample_rate=RATE, machine_id="id_00")
    np.testing.assert_allclose([event["score"] for event in of(heard[1], "score")], alone, rtol=1e-3)


def test_a_run_in_place_of_the_file_says_the_same(heard, gmm_run, tmp_path, run_script):
    soundfile.write(tmp_path / "a.wav", np.frombuffer(stream(), "<i2"), RATE)
    status, stdout, stderr = run_script(
        "monitor", f"--checkpoint={gmm_run}", "--machine_id=id_00", f"--source={tmp_path / 'a.wav'}", "--speed=0",
        "--quiet_minutes=0", f"--workdir={tmp_path / 'kept'}",
    )  # fmt: skip
    assert status == 0, stderr
    events = [json.loads(line) for line in stdout.splitlines()]
    ours, theirs = of(events, "score"), of(heard[1], "score")
    np.testing.assert_allclose([e["score"] for e in ours], [e["score"] for e in theirs], rtol=1e-3)
    assert [e["seconds"] for e in of(events, "alarm", "clear")] == [
        e["seconds"] for e in of(heard[1], "alarm", "clear")
    ]


def wait_for(process, kind):
    """Events up to the first of a kind."""
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == kind:
            return events
    raise AssertionError(process.stderr.read().decode())


def test_sigterm_ends_it_with_a_last_line_and_another_on_its_folder_is_refused(usual, tmp_path):
    with running(*usual, f"--workdir={tmp_path}") as process:
        process.stdin.write(hum(3.05, is_faulty=False, seed=0))
        process.stdin.flush()
        wait_for(process, "score")
        status, events, stderr = run(*usual, f"--workdir={tmp_path}")
        assert (status, events) == (1, [])
        assert stderr == (f"error: {tmp_path}: another monitor writes into this folder; choose another --workdir\n")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in process.stdout]
        assert process.wait(10) == 0 and time.monotonic() - begun < 3.0
        assert [event["event"] for event in rest[-2:]] == ["status", "stop"] and rest[-1]["reason"] == "SIGTERM"
        assert process.stderr.read() == b""
    # The next goes on where it was.
    _, events, _ = run(*usual, f"--workdir={tmp_path}", content=hum(1.0, is_faulty=False, seed=1))
    assert 3.0 <= events[0]["seconds"] <= 3.1 and of(events, "score")[0]["seconds"] >= 4.0


@pytest.mark.slow
def test_it_starts_before_its_source_exists_and_nobody_who_does_not_read_holds_it_up(usual, tmp_path):
    pytest.importorskip("prometheus_client")
    source = tmp_path / "pipe"
    options = [f"--workdir={tmp_path / 'kept'}", f"--source={source}", "--page=0", "--prometheus=0"]
    with running(*usual, *options) as process:
        assert wait_for(process, "waiting")[-1]["reason"] == f"{source}: no such file yet"
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline().decode())[1])
        asking = socket.create_connection(("127.0.0.1", port))
        with asking:
            with contextlib.suppress(OSError):  # the page may hang up
                for _ in range(200):
                    asking.sendall(b"GET /state.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            os.mkfifo(source)
            with source.open("wb") as file:
                file.write(hum(5.0, is_faulty=False, seed=0))
            assert of(wait_for(process, "score"), "back")
            assert wait_for(process, "waiting")[-1]["reason"] == f"{source}: nobody writes to it"
        process.send_signal(signal.SIGINT)
        assert json.loads(process.stdout.readlines()[-1])["reason"] == "SIGINT"
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model="], "--model= is empty|give --checkpoint.* or --model"),
        (["--checkpoint=run"], "give --checkpoint, the folder of a finished run, or --model"),
        (["--source="], "--source is needed: mic, -, dir:FOLDER|--source= is empty"),
        (["--alarm=6/5"], "--alarm=6/5: give windows of windows, such as 3/5"),
        (["--clear=none"], "--clear=none: give windows of windows"),
        (["--machine_id=id_09"], "id_09.*id_00, id_02"),
        (["--machine_id=id_00,id_02"], "--machine_id: give one id"),
        (["--scorer=knn"], "--scorer=knn: the detector has gmm"),
        (["--hop_seconds=2"], "--hop_seconds=2 is longer than a window, 1 s"),
        (["--channel=1"], "--channel=1: the source has 1 channel"),
        (["--webhook=ftp://host"], "--webhook: give an address that begins with http"),
        (["--sample_format=s8"], "--sample_format"),
        (["--page=PORT"], "--page=PORT: the port is taken by another program; choose another"),
        (["--prometheus=PORT"], "--prometheus=PORT: .*in use; choose another port"),
        (["--threshold=gamma_2"], "--threshold=gamma_2"),
        (["clip.wav"], "'clip.wav' is not a flag"),
    ],
)
def test_a_mistake_is_one_line(detector_file, tmp_path, monkeypatch, run_script, arguments, says):
    if "--prometheus=PORT" in arguments:
        pytest.importorskip("prometheus_client")
    monkeypatch.setattr("asd_jax.datasets.live.opening.Pipe", lambda *_: io.BytesIO(bytes(3_200)))
    usual = [f"--model={detector_file}", "--machine_id=id_00", "--source=-", f"--workdir={tmp_path / 'kept'}"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, _, stderr = run_script("monitor", *usual, *(of.replace("PORT", port) for of in arguments))
    assert status == 1
    assert re.fullmatch(f"error: .*({says.replace('PORT', port)}).*\n", stderr), stderr
    if not any(of.startswith(("--channel", "--page", "--prometheus", "--webhook")) for of in arguments):
        assert not (tmp_path / "kept").exists()


def test_help_lists_all_and_answers_fast():
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "experiments.monitor", "--help"], capture_output=True, text=True)
    assert time.monotonic() - begun < 10.0  # 0.5 s where nothing else runs
    own = "model source hop_seconds speed alarm clear quiet_minutes false_alarms_per_week keep_gb keep_days keep_sound "
    own += "webhook prometheus page sample_rate channels sample_format checkpoint machine_id channel scorer threshold"
    for name in own.split():
        assert re.search(rf"--(\[no\])?{name}\b", done.stdout), name


@pytest.mark.slow
def test_recordings_of_a_real_machine_in_a_row(real_data, tmp_path, run_script):
    """Clips as `cat` gives them: normal, ten faulty, normal, ten faulty, normal."""
    pytest.importorskip("jax2onnx")
    machine_id, tree = "id_02", real_data / "toycar_resynthesized"
    run_folder = tmp_path / "run"
    status, _, stderr = run_script(
        "gmm", "--machine=toy_car", f"--data_dir={tree}", f"--machine_id={machine_id}", "--noprepare",
        f"--workdir={run_folder}", "--threshold=gamma_0.9",
    )  # fmt: skip
    assert status == 0, stderr
    file = tmp_path / "gmm.onnx"
    status, _, stderr = run_script("export", f"--checkpoint={run_folder}", f"--out={file}", "--noprepare")
    assert status == 0, stderr
    clips = {of: sorted((tree / "ToyCar" / "test").glob(f"{of}_{machine_id}_*")) for of in ("normal", "anomaly")}
    for of_kind in clips.values():
        np.random.default_rng(0).shuffle(of_kind)
    normal, faulty = clips["normal"], clips["anomaly"]
    order = [*normal[:20], *faulty[:10], *normal[20:40], *faulty[10:20], *normal[40:60]]
    content, seconds = b"".join(path.read_bytes() for path in order), 6.368
    status, events, stderr = run(
        f"--model={file}", "--source=-", f"--workdir={tmp_path / 'kept'}", "--threshold=gamma_0.9",
        "--quiet_minutes=0", content=content,
    )  # fmt: skip
    assert status == 0, stderr
    alarms = [event["seconds"] / seconds for event in of(events, "alarm")]
    assert all(20 < at <= 30 or 50 < at <= 60 for at in alarms), alarms
    assert any(20 < at <= 30 for at in alarms) and any(50 < at <= 60 for at in alarms)
    assert len(list((tmp_path / "kept" / "alarms").iterdir())) == len(alarms)
