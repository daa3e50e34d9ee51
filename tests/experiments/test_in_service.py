"""Every command of docs/in_service.md that stands alone, run one after another as its reader would."""

import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

PAGE = Path(__file__).parents[2] / "docs" / "in_service.md"


def record(folder, count, *, hum, seed, fault=False):
    """Six seconds each of a humming machine, with a second tone where it is faulty."""
    rng, time = np.random.default_rng(seed), np.arange(6 * 16_000) / 16_000
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        waveform = 0.1 * np.sin(2 * np.pi * hum * time) + 0.02 * rng.standard_normal(len(time))
        waveform += fault * 0.1 * np.sin(2 * np.pi * 3_000 * time)
        soundfile.write(folder / f"day {index}.wav", waveform, 16_000, subtype="PCM_16")


def record_night():
    """Half a minute as it should be, and 20 seconds of a fault."""
    record(Path("parts/normal"), 5, hum=180.0, seed=4)
    record(Path("parts/faulty"), 3, hum=180.0, seed=5, fault=True)
    parts = [*sorted(Path("parts/normal").iterdir()), *sorted(Path("parts/faulty").iterdir())]
    soundfile.write("night.wav", np.concatenate([soundfile.read(part)[0] for part in parts]), 16_000)


@pytest.fixture
def same_signals():
    """A monitor handles signals of its process, which here is that of the tests."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.slow
def test_every_command_of_the_page(run_script, tmp_path, monkeypatch, same_signals):
    monkeypatch.chdir(tmp_path)
    record_night()
    record(Path("press/normal"), 12, hum=180.0, seed=0)
    record(Path("press_after/normal"), 5, hum=184.0, seed=1)
    record(Path("new"), 2, hum=180.0, seed=2)
    record(Path("new/night"), 1, hum=180.0, seed=3, fault=True)
    commands = re.findall(
        r"^```sh\npython -m experiments\.(\w+) (.*)\n```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    others = ["score", "score", "score", "score", "evaluate", "monitor", "recalibrate"]
    assert [name for name, _ in commands] == ["gmm", *others]
    said = {}
    for number, (name, arguments) in enumerate(commands):
        status, stdout, stderr = run_script(
            name, *shlex.split(arguments), "--noprepare" if name == "gmm" else "--nodebug"
        )
        assert status == (3 if "--status" in arguments else 0), (name, stderr)
        said[number] = stdout
    assert "false alarms a day" in said[0] and "cannot show what happens less often" in said[0]
    assert "next: python -m experiments.score --checkpoint=watch" in said[0]
    assert re.search(r"night/day 0\.wav +\S+ +anomalous", said[1]) and "1 of 3 anomalous" in said[1]
    assert "machine id" not in said[1]  # there is only one
    assert "look at watch/score/report.html" in said[4]
    page = Path("watch/score/report.html").read_text(encoding="utf-8")
    assert "3 recordings scored" in page and "night/day 0.wav" in page and "louder there by" in page
    assert "3 kHz (louder there" in page  # where the fault is
    assert Path("watch/score/timeline.csv").exists() and Path("log/scores_log.csv").exists()
    events = [json.loads(line) for line in said[6].splitlines()]
    alarms = [event for event in events if event["event"] == "alarm"]
    assert [event["event"] for event in events if event["event"] != "score"] == ["start", "alarm", "status", "stop"]
    assert 30.0 < alarms[0]["seconds"] < 48.0  # in the fault
    kept = {path.name for path in (Path("watch/monitor/alarms") / alarms[0]["folder"]).iterdir()}
    assert kept == {"alarm.json", "picture.png", "sound.flac"}
    assert "new clips above the old threshold" in said[7] and Path("watch_after/config.json").exists()


def test_flags_of_commands_that_need_a_microphone_or_a_server_are_those_of_the_script():
    done = subprocess.run([sys.executable, "-m", "experiments.monitor", "--help"], capture_output=True, text=True)
    known = set(re.findall(r"^  --(?:\[no\])?(\w+):", done.stdout, re.MULTILINE))
    commands = []
    for page in (PAGE, PAGE.parent / "deploy.md", PAGE.parents[1] / "README.md"):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        commands += re.findall(r"experiments\.monitor\b(.*)|press-monitor (--.*)", text)
    given = {flag for command in commands for flag in re.findall(r"--(?:no)?(\w+)", " ".join(command))}
    assert {"checkpoint", "model", "source", "workdir", "webhook", "page", "prometheus"} <= given
    assert sorted(given - known) == []
