"""The monitor itself, by a judge that measures the level of one-second clips: what it tells, keeps and survives."""

import dataclasses
import datetime
import errno
import json
import math
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting
from asd_jax.datasets.live.blocks import Block, Break, Kind
from asd_jax.detectors.exported import ExportedScorer
from asd_jax.detectors.judging import Judge
from asd_jax.detectors.stream.alarms import AlarmRule, Votes
from asd_jax.detectors.stream.drift import Drift, DriftRule, normal_spread
from asd_jax.detectors.stream.normal_sound import NormalSound
from asd_jax.detectors.thresholds import Method, Source, Threshold
from asd_jax.errors import InputError
from asd_jax.report.live.evidence import Kept
from asd_jax.report.live.monitor import Monitor, MonitorConfig, identity
from asd_jax.report.live.state import State

RATE, MACHINE = 2_000, Machine("fan", "id_00")
QUIET, LOUD, LIMIT = 0.01, 0.5, -20.0  # levels and a threshold in dB
NORMAL = np.sort(np.random.default_rng(9).normal(-40.0, 1.0, 50))


@dataclasses.dataclass(frozen=True)
class Level(Judge):
    """Scores a clip by its level in dB."""

    fitted: Mapping[str, Mapping[Machine, ExportedScorer]]
    headline_scorer: str = "level"
    cutting: Cutting | None = None
    clip_seconds: float | None = 1.0
    health: Mapping[Machine, Any] = dataclasses.field(default_factory=dict)

    @property
    def sample_rate(self):
        return RATE

    def score_pieces(self, pieces, held_against, scorer):
        levels = [10 * np.log10(np.mean(np.square(piece.waveform)) + 1e-12) for piece in pieces]
        return np.asarray([[np.nan, level] for level in levels])

    def too_short(self, waveform):
        return "" if len(waveform) >= RATE - 2 else f"{len(waveform) / RATE:g} s is too short"


def scorer():
    return ExportedScorer(NORMAL, Threshold("gamma_0.9", LIMIT, Method.GAMMA, 50, Source.OUT_OF_FOLD))


JUDGE = Level({"level": {Machine("fan", "id_09"): scorer(), MACHINE: scorer()}})


def noise(seconds, level=QUIET, seed=0, rate=RATE):
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


def blocks(samples, seconds=0.1, rate=RATE):
    size = max(1, round(seconds * rate))
    return [Block(samples[at : at + size], rate) for at in range(0, len(samples), size)]


class Listening:
    """A monitor and what it told."""

    def __init__(self, *, judge=JUDGE, machine=MACHINE, folder=None, drift=None, **options):
        self.events = []
        rule = AlarmRule(Votes(3, 5), Votes(5, 5), options.pop("quiet_minutes", 0.0))
        settings = {"window_seconds": 1.0, "hop_seconds": 0.5, "threshold": LIMIT, "rule": rule}
        settings |= {name: options.pop(name) for name in [*settings, "keep_sound"] if name in options}
        if folder:
            options["kept"] = Kept(folder, most_bytes=1e9, days=30.0)
        options.setdefault("normal", NormalSound.unknown(judge.sample_rate))
        self.monitor = Monitor(
            judge, machine, MonitorConfig(**settings), tell=self.events.append,
            drift=drift or Drift(DriftRule(), spread=1.0), **options,
        )  # fmt: skip

    def hear(self, *items):
        for item in items:
            for of in blocks(item) if isinstance(item, np.ndarray) else [item]:
                self.monitor.take(of)
        return self

    def end(self, reason="the source ended"):
        self.monitor.end(reason)
        return self

    def of(self, *kinds):
        json.dumps(self.events, allow_nan=False)  # plain values all of them
        return [event for event in self.events if event["event"] in kinds]


# Scores.


@pytest.mark.parametrize("rate", [RATE, 4_410])
@pytest.mark.parametrize("size", [0.013, 0.1, 7.0])
def test_scores_are_those_of_the_same_windows_alone(rate, size):
    signal = noise(6.3, 0.1, rate=rate) * np.linspace(0.1, 3.0, round(6.3 * rate), dtype=np.float32)
    listening = Listening()
    listening.hear(*blocks(signal, size, rate))
    scores = listening.of("score")
    assert [event["seconds"] for event in scores] == [1.0 + index / 2 for index in range(11)]
    for index, event in enumerate(scores):
        start = index * round(rate / 2)
        window = signal[start : start + rate]
        alone = JUDGE.judge(window, sample_rate=rate, machine_id="id_00")
        assert event["score"] == pytest.approx(float(alone.scores), abs=1e-4)
        assert event["above"] == bool(alone.is_anomalous)
        assert event["share_of_normal_above"] == np.mean(event["score"] < NORMAL)
    expected = soxr.resample(signal[:rate], rate, RATE) if rate != RATE else signal[:rate]
    assert scores[0]["score"] == pytest.approx(10 * np.log10(np.mean(np.square(expected))), abs=1e-4)


@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_a_detector_of_the_library_scores_a_stream_alike(made, rate):
    detector = made.detectors.system
    machine, column = detector.machines[1], noise(3.0, 0.05, rate=rate)
    name = detector.headline_scorer
    listening = Listening(judge=detector, machine=machine, window_seconds=0.5, hop_seconds=0.25)
    listening.hear(*blocks(column, 0.1, rate))
    starts = np.arange(11) * round(rate / 4)
    windows = [column[start : start + round(rate / 2)] for start in starts]
    alone = detector.score(windows, sample_rate=rate, machine_id=machine.machine_id)
    np.testing.assert_allclose([event["score"] for event in listening.of("score")], alone, rtol=1e-4)
    assert name == "mahalanobis"


@pytest.mark.parametrize("broken", [np.nan, np.inf, 0.0])
def test_broken_samples_give_no_verdict_and_no_alarm(broken):
    listening = Listening(threshold=-1_000.0)  # whatever has a score is above
    listening.hear(noise(0.5), np.full(30 * RATE, broken, np.float32))
    scores = listening.of("score")
    assert len(scores) == 60 and not listening.of("alarm")
    assert {(of["score"], of["above"], of["share_of_normal_above"]) for of in scores} == {(None, None, None)}
    says = "no sound: a quarter of the samples or more is zero" if broken == 0.0 else "NaN or infinite samples"
    assert all(says in event["remarks"] for event in scores)
    listening.hear(noise(3.0)).end()
    assert listening.of("score")[-1]["score"] == pytest.approx(-40.0, abs=0.5)
    (status,) = listening.of("status")
    # Half a second more is heard of the broken ones in the first window after them.
    assert (status["no_verdict"], status["above"], status["below"]) == (61, 5, 0)


def test_a_gap_is_never_scored_and_the_clock_goes_over_it():
    listening = Listening()
    listening.hear(
        noise(1.7), Break(Kind.WAITING, "pulled out"), None, Break(Kind.BACK, "back", 60.0), noise(2.2, LOUD)
    )
    scores = listening.of("score")
    assert [event["seconds"] for event in scores] == pytest.approx([1.0, 1.5, 62.7, 63.2, 63.7])
    assert [event["above"] for event in scores] == [False, False, True, True, True]
    assert [(of["event"], of["seconds"], of.get("lost_seconds")) for of in listening.of("waiting", "back")] == [
        ("waiting", 1.7, None),
        ("back", 61.7, 60.0),
    ]
    listening.end()
    assert listening.of("status")[0]["lost_seconds"] == 60.0


def test_recordings_in_a_row_are_scored_each_even_where_one_is_a_window_at_most():
    listening = Listening()
    listening.hear(noise(1.0)[:-1], Break(Kind.RECORDING, "b"), noise(0.4), Break(Kind.RECORDING, "c"), noise(1.1))
    listening.end()
    assert [event["remarks"] for event in listening.of("score")] == ["", "0.4 s is too short", ""]


# Alarms.


def faulty(listening, *, before=30.0, fault=4.0, after=15.0):
    return listening.hear(noise(before), noise(fault, LOUD, 1), noise(after, seed=2))


def test_the_folder_of_an_alarm_is_complete(tmp_path):
    mean = NormalSound.unknown(RATE).log_mel(noise(30.0)).mean(axis=0)
    normal = dataclasses.replace(NormalSound.unknown(RATE), mean=mean, spread=np.ones(128))
    listening = faulty(Listening(folder=tmp_path, normal=normal), before=80.0).end()
    (alarm,), (clear,) = listening.of("alarm"), listening.of("clear")
    assert 82.0 <= alarm["seconds"] <= 84.0 < clear["seconds"] <= 90.0
    assert alarm["score"] > LIMIT and alarm["threshold"] == LIMIT
    (folder,) = tmp_path.iterdir()
    assert folder.name == alarm["folder"]
    assert sorted(path.name for path in folder.iterdir()) == ["alarm.json", "picture.png", "sound.flac"]
    about = json.loads((folder / "alarm.json").read_text())
    assert about["machine"] == ["fan", "id_00"] and about["scorer"] == "level" and about["drivers"]
    sound, rate = soundfile.read(folder / "sound.flac", dtype="float32")
    begins = about["sound_begins"]
    assert rate == RATE and len(sound) / rate == about["sound_seconds"] == pytest.approx(60.0, abs=0.2)
    assert begins + about["sound_seconds"] == pytest.approx(10.0, abs=0.6)  # it reaches so far beyond the alarm
    whole = np.concatenate([noise(80.0), noise(4.0, LOUD, 1), noise(15.0, seed=2)])
    first = round((alarm["seconds"] + begins) * RATE)
    np.testing.assert_allclose(sound, np.clip(whole[first : first + len(sound)], -1, 1), atol=1e-4)


@pytest.mark.parametrize("how", ["end", "lost"])
def test_it_is_kept_where_the_source_ends_before_the_sound_after_it(tmp_path, how):
    listening = faulty(Listening(folder=tmp_path), after=0.0)
    if how == "lost":
        listening.hear(Break(Kind.WAITING, "pulled out"))
    listening.end()
    (folder,) = tmp_path.iterdir()
    about = json.loads((folder / "alarm.json").read_text())
    assert about["sound_begins"] + about["sound_seconds"] < 4.0
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_alarms_that_follow_each_other_fast_are_all_kept(tmp_path):
    listening = Listening(folder=tmp_path)
    listening.hear(noise(5), *[noise(4, LOUD), noise(6)] * 3, noise(12)).end()
    alarms = listening.of("alarm")
    assert len(alarms) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [alarm["folder"] for alarm in alarms]


def test_without_sound_and_with_broken_samples_before_it(tmp_path):
    listening = Listening(folder=tmp_path, keep_sound=False)
    broken = np.full(RATE, np.nan, np.float32)
    faulty(listening.hear(noise(2.0), broken)).end()
    assert not listening.of("error")
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["alarm.json", "picture.png"]


def test_a_full_disk_is_an_error_event_and_scoring_goes_on(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    listening = Listening(folder=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        faulty(listening, after=12.0)
        listening.monitor._writer.submit(int).result()
        listening.hear(noise(3.0))
    (error,) = listening.of("error")
    assert "cannot be written (No space left on device); make room or choose" in error["reason"]
    assert list(tmp_path.iterdir()) == []
    assert listening.of("score")[-1]["seconds"] > error["seconds"]
    faulty(listening).end()
    assert [path.name for path in tmp_path.iterdir()] == [listening.of("alarm")[1]["folder"]]
    assert listening.of("stop")[0]["reason"] == "the source ended"


def test_a_picture_that_fails_does_not_end_the_listening(tmp_path, monkeypatch):
    def failing(*_, **__):
        raise ValueError("no colours left")

    monkeypatch.setattr("asd_jax.report.live.monitor.picture", failing)
    listening = Listening(folder=tmp_path)
    faulty(listening, after=12.0)
    listening.hear(noise(3.0))
    listening.end()
    (error,) = listening.of("error")
    assert "could not be kept: ValueError: no colours left" in error["reason"]
    assert list(tmp_path.iterdir()) == []
    assert listening.of("score")[-1]["seconds"] > listening.of("alarm")[0]["seconds"] + 12.0


def test_the_picture_s_sound_of_another_rate_after_a_reconnect(tmp_path):
    listening = Listening(folder=tmp_path)
    listening.hear(noise(5.0), Break(Kind.WAITING, "gone"), Break(Kind.BACK, "back", 2.0))
    fast = np.concatenate([noise(5.0, rate=4_410), noise(4.0, LOUD, rate=4_410), noise(12.0, rate=4_410)])
    listening.hear(*blocks(fast, 0.1, 4_410)).end()
    (folder,) = tmp_path.iterdir()
    about, rate = json.loads((folder / "alarm.json").read_text()), soundfile.info(folder / "sound.flac").samplerate
    assert rate == 4_410 and about["sound_seconds"] < 21.1
    assert listening.of("score")[-1]["seconds"] == pytest.approx(28.0, abs=0.5)


# What it says of itself.


def test_a_clock_that_is_set_back_changes_nothing_but_the_time(tmp_path):
    def run(times, folder):
        now = iter(times)
        listening = Listening(now=lambda: next(now), folder=folder)
        faulty(listening).end()
        return [{k: v for k, v in event.items() if k not in ("time", "folder")} for event in listening.events], [
            event["time"] for event in listening.events
        ]

    begin = datetime.datetime(2026, 11, 24, 2, 30, tzinfo=datetime.UTC)
    steady = [begin + datetime.timedelta(seconds=index) for index in range(1_000)]
    back = [time - datetime.timedelta(hours=index > 50) for index, time in enumerate(steady)]
    first, second = run(steady, tmp_path / "a"), run(back, tmp_path / "b")
    assert first[0] == second[0]
    assert first[1] != second[1] and first[1][0] == "2026-11-24T02:30:00.000+00:00"


def test_status_counts_what_was_heard_each_hour():
    listening = Listening(window_seconds=1.0, hop_seconds=1.0, quiet_minutes=600.0)
    for index in range(360):
        seconds = noise(9.0 if index else 10.0)
        listening.hear(*blocks(seconds, 1.0), *blocks(noise(1.0, LOUD), 1.0))
    for _ in range(2):
        listening.hear(*blocks(noise(8.0, LOUD), 1.0), *blocks(noise(8.0), 1.0))
    listening.hear(Break(Kind.OVERFLOW, "lost", 2.5)).end("SIGTERM")
    first, second = listening.of("status")
    assert first["seconds"] == 3_600.0
    assert (first["above"], first["below"], first["no_verdict"], first["alarms"]) == (359, 3_241, 0, 0)
    assert (second["above"], second["below"], second["alarms"]) == (17, 16, 1)
    assert (second["suppressed_alarms"], second["lost_seconds"]) == (1, 2.5)
    assert not second["alarm_is_active"]
    assert listening.events[-1]["event"] == "stop" and listening.events[-1]["reason"] == "SIGTERM"


def days(listening, hours, level):
    """Hours of one window a minute, as if the rest had been lost."""
    for _ in range(round(hours * 60)):
        listening.hear(Block(noise(1.0, level, len(listening.events)), RATE), Break(Kind.OVERFLOW, "lost", 59.0))


@pytest.mark.service
def test_drift_is_told_and_what_is_known_of_it_survives_a_restart(tmp_path):
    path, who = tmp_path / "state.json", identity(JUDGE, MACHINE, "level")
    state = State.read(path, who)
    assert (state.clock, state.since) == (0.0, None)
    listening = Listening(drift=state.drift(NORMAL))
    days(listening, 50, QUIET)
    state.heard(123.5)
    state.write(listening.monitor.clock, listening.monitor.drift)

    again = State.read(path, who)
    assert again.clock == listening.monitor.clock and again.since == 123.5
    listening = Listening(drift=again.drift(NORMAL), clock=again.clock)
    assert listening.monitor.clock == again.clock and listening.monitor.drift.baseline_hours == 48
    days(listening, 12, QUIET * 1.6)
    (drift,) = listening.of("drift")
    assert drift["direction"] == "higher" and drift["in_normal"] == pytest.approx(4.1, abs=0.5)
    assert "recalibrate" in drift["sentence"] and drift["since"] == pytest.approx(50 * 3600, abs=3600)
    assert not listening.of("alarm")

    other = State.read(path, "another detector")
    assert other.drift(NORMAL).baseline_hours == 0 and other.clock == again.clock
    assert identity(JUDGE, MACHINE, "level") == who and normal_spread(NORMAL) > 0


@pytest.mark.parametrize("content", ["", "[]", "{", '{"clock": null}', '{"clock": "soon"}', '{"since": "soon"}'])
def test_a_damaged_state_is_one_line(tmp_path, content):
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(InputError, match=r"state\.json is damaged; delete it"):
        State.read(tmp_path / "state.json", "x")


def test_what_is_shown_is_the_latest_hop_and_nothing_is_kept_without_a_folder():
    shown = []
    listening = Listening(show=shown.append, threshold=math.inf)
    faulty(listening).end()
    assert len(shown) == len(listening.of("score")) and {of.shape[1] for of in shown} == {128}
    assert {event["threshold"] for event in listening.of("score")} == {None} and not listening.of("alarm")


@pytest.mark.service
def test_memory_stays_flat_over_many_hours(tmp_path):
    events = 0

    def count(_):
        nonlocal events
        events += 1

    listening = Listening(folder=tmp_path, window_seconds=1.0, hop_seconds=60.0)
    listening.monitor._tell = count
    quiet, grown = Block(noise(60.0), RATE), []
    tracemalloc.start()
    try:
        for hour in range(26):
            for _ in range(60):
                listening.monitor.take(quiet)
            if hour in (1, 25):
                grown.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    listening.end()
    assert events > 1_500
    assert grown[1] - grown[0] < 200_000
