"""Every command of docs/in_service.md, run one after another as its reader would."""

import re
import shlex
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


@pytest.mark.slow
def test_every_command_of_the_page(run_script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record(Path("press/normal"), 12, hum=180.0, seed=0)
    record(Path("press_after/normal"), 5, hum=184.0, seed=1)
    record(Path("new"), 2, hum=180.0, seed=2)
    record(Path("new/night"), 1, hum=180.0, seed=3, fault=True)
    commands = re.findall(
        r"^```sh\npython -m experiments\.(\w+) (.*)\n```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [name for name, _ in commands] == ["gmm", "score", "score", "score", "score", "evaluate", "recalibrate"]
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
    assert "new clips above the old threshold" in said[6] and Path("watch_after/config.json").exists()
