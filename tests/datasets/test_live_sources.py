"""Sources that come and go: opened again, pipes, folders that fill, recordings played, a thread that reads ahead."""

import io
import itertools
import os
import re
import threading
import time

import numpy as np
import pytest
import soundfile

from asd_jax.datasets.live import arriving as arriving_module
from asd_jax.datasets.live.ahead import ahead
from asd_jax.datasets.live.arriving import arriving
from asd_jax.datasets.live.blocks import Block, Break, Kind, SourceLost
from asd_jax.datasets.live.opening import open_source, reopening
from asd_jax.datasets.live.pcm import PcmFormat
from asd_jax.datasets.live.playback import playback
from asd_jax.errors import InputError

RATE = 16_000


def block(value=0.0):
    return Block(np.full(4, value, np.float32), RATE)


def record(path, value, *, seconds=0.05, rate=RATE, changed=None):
    soundfile.write(path, np.full(round(seconds * rate), value), rate, subtype="FLOAT", format="WAV")
    if changed is not None:
        os.utime(path, (changed, changed))


class FakeClock(threading.Event):
    """Seconds that pass where somebody waits; also a `stop` that is set when they have passed."""

    def __init__(self, until=np.inf):
        super().__init__()
        self.time, self.waited, self.until = 0.0, [], until

    def now(self):
        return self.time

    def wait(self, seconds=None):
        self.waited.append(seconds)
        self.time += seconds
        return self.is_set()

    def is_set(self):
        return self.time >= self.until


# Opened again.


@pytest.mark.parametrize("away", [0.0, 5.0, 60.0, 600.0])
def test_a_source_that_is_killed_is_opened_again_and_the_gap_is_told(away):
    clock, back_at = FakeClock(), None

    def opened():
        nonlocal back_at
        if back_at is None:
            yield block(0.1)
            back_at = clock.time + away
            raise SourceLost("pulled out")
        if clock.time < back_at:
            raise SourceLost("no such device")
        yield block(0.2)

    items = list(reopening(opened, threading.Event(), now=clock.now, wait=clock.wait))
    pauses = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, *[60.0] * 20]
    assert clock.waited == pauses[: len(clock.waited)]
    assert sum(clock.waited[:-1]) < max(away, 1.0) <= sum(clock.waited)
    kinds = [item.kind if isinstance(item, Break) else round(float(item.samples[0]), 3) for item in items]
    again = [Kind.WAITING] * (len(clock.waited) > 1)  # another reason is told once
    assert kinds == [0.1, Kind.WAITING, *again, Kind.BACK, 0.2]
    lost = [item.seconds for item in items if isinstance(item, Break)]
    assert lost == [0.0] * (1 + len(again)) + [clock.time]


def test_pauses_begin_anew_once_it_was_heard_and_a_break_is_no_sound():
    clock, openings = FakeClock(), itertools.count()

    def opened():
        number = next(openings)
        if number in (3, 5):
            yield Break(Kind.OVERFLOW, "lost", 0.1)
        if number == 3:
            yield block()
        if number == 6:
            yield block()
            return
        raise SourceLost("gone")

    items = list(reopening(opened, threading.Event(), now=clock.now, wait=clock.wait))
    assert clock.waited == [1.0, 2.0, 4.0, 1.0, 2.0, 4.0]
    told = [item.kind.value for item in items if isinstance(item, Break)]
    assert told == ["waiting", "overflow", "back", "waiting", "overflow", "back"]
    assert [item.seconds for item in items if isinstance(item, Break) and item.kind is Kind.BACK] == [7.0, 7.0]


def test_stop_ends_the_waiting_and_mistakes_are_not_tried_again():
    stop = threading.Event()

    def never():
        raise SourceLost("not there")
        yield

    assert [item.kind for item in reopening(never, stop, wait=lambda _: stop.set())] == [Kind.WAITING]

    def wrong():
        raise InputError("no such channel")
        yield

    with pytest.raises(InputError, match="no such channel"):
        list(reopening(wrong, threading.Event(), wait=lambda _: pytest.fail("it waited")))


def test_a_recording_that_comes_later_is_played_once(tmp_path, monkeypatch):
    path, stop, waited = tmp_path / "later.wav", threading.Event(), []
    monkeypatch.setattr(stop, "wait", lambda seconds: waited.append(seconds) or (len(waited) > 1 and record(path, 0.5)))
    items = list(open_source(str(path), stop, raw=PcmFormat(RATE), speed=0.0))
    assert waited == [1.0, 2.0]
    assert [item.kind for item in items[:2]] == [Kind.WAITING, Kind.BACK]
    assert items[0].reason == f"{path}: no such file yet"
    assert [len(item.samples) for item in items[2:]] == [800]


@pytest.mark.parametrize("content", [b"", b"no sound" * 100])
def test_what_is_no_recording_is_waited_for(tmp_path, content):
    path, stop = tmp_path / "a.wav", threading.Event()
    path.write_bytes(content)
    (found,) = itertools.islice(open_source(str(path), stop, raw=PcmFormat(RATE)), 1)
    assert found.kind is Kind.WAITING
    assert found.reason.startswith(f"{path}: cannot be read as audio (")


# A named pipe.


def listening(source):
    """What a source has given so far, read by a thread."""
    items = []
    thread = threading.Thread(target=lambda: [items.append(item) for item in source], daemon=True)
    thread.start()
    return items, thread


def until(holds, seconds=5.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def test_the_writer_of_a_named_pipe_comes_goes_and_comes_back(tmp_path, monkeypatch):
    path, stop = tmp_path / "pipe", threading.Event()
    os.mkfifo(path)
    monkeypatch.setattr("asd_jax.datasets.live.opening._FIRST_PAUSE", 0.05)
    items, thread = listening(open_source(str(path), stop, raw=PcmFormat(RATE)))
    for times, value in ((1, 1_000), (2, -2_000)):
        time.sleep(0.05)
        with path.open("wb") as file:
            file.write(np.full(10_000, value, "<i2").tobytes())
        until(lambda times=times: [of.kind for of in items if isinstance(of, Break)].count(Kind.WAITING) == times)
    stop.set()
    thread.join(2.0)
    assert not thread.is_alive()  # nobody writes, and it ends all the same
    told = [item for item in items if isinstance(item, Break)]
    assert [item.kind for item in told] == [Kind.WAITING, Kind.BACK, Kind.WAITING]
    assert told[0].reason == f"{path}: nobody writes to it"
    assert told[1].seconds > 0.0
    samples = np.concatenate([item.samples for item in items if isinstance(item, Block)])
    np.testing.assert_array_equal(samples * 2**15, np.repeat([1_000, -2_000], 10_000))


def test_a_writer_that_is_killed_within_a_header_is_waited_for(tmp_path, monkeypatch):
    path, stop = tmp_path / "pipe", threading.Event()
    os.mkfifo(path)
    monkeypatch.setattr("asd_jax.datasets.live.opening._FIRST_PAUSE", 0.05)
    items, thread = listening(open_source(str(path), stop, raw=PcmFormat(RATE)))
    with path.open("wb") as file:
        file.write(b"RIFF....WAVEfm")
    until(lambda: items)
    assert items[0] == Break(Kind.WAITING, "the stream ended within a WAV header")
    with path.open("wb") as file:
        file.write(bytes(3_200))
    until(lambda: len(items) > 2)
    assert [item.kind for item in items[1:2]] == [Kind.BACK]
    stop.set()
    thread.join(2.0)
    assert not thread.is_alive()


def test_standard_input_that_ends_within_a_header_is_one_line(monkeypatch):
    monkeypatch.setattr("asd_jax.datasets.live.opening.Pipe", lambda *_: io.BytesIO(b"RIFF1234WA"))
    with pytest.raises(InputError, match="standard input: the stream ended within a WAV header"):
        list(open_source("-", threading.Event(), raw=PcmFormat(RATE)))


# A folder that fills.


class Folder:
    """A folder that is looked at each time the test has changed it: `steps` are called in place of the pauses."""

    def __init__(self, monkeypatch, *steps):
        self.stop, self._steps = threading.Event(), iter(steps)
        monkeypatch.setattr(self.stop, "wait", self._next)

    def _next(self, seconds):
        assert seconds == arriving_module._POLL_SECONDS
        step = next(self._steps, self.stop.set)
        step()


def heard(items):
    """Names of recordings and what was left out, each recording with its first sample."""
    found = []
    for item in items:
        if isinstance(item, Break):
            found.append(item.reason if item.kind is Kind.RECORDING else item.kind.value)
        else:
            found.append(round(float(item.samples[0]), 3))
    return found


def nothing():
    pass


def test_new_recordings_are_heard_once_they_stop_growing(tmp_path, monkeypatch):
    folder, done = tmp_path / "in", []
    folder.mkdir()
    record(folder / "old.wav", 0.9, changed=1_000)

    def begins():
        record(folder / "b.wav", 0.2, changed=2_000)
        record(folder / ".hidden.wav", 0.9, changed=2_000)
        (folder / "notes.txt").write_text("no recording")

    def grows():
        record(folder / "b.wav", 0.3, seconds=0.06, changed=2_001)

    def moves():  # it keeps its time, which is older than that of those heard
        record(tmp_path / "aside.wav", 0.4, changed=1_500)
        (tmp_path / "aside.wav").rename(folder / "a.wav")

    def damaged():
        (folder / "c.flac").write_bytes(b"no sound")
        record(folder / "d.wav", 0.5, changed=time.time() + 9)

    def goes():
        (folder / "b.wav").unlink()

    changes = (begins, grows, nothing, moves, nothing, goes, damaged, nothing, nothing)
    watched = Folder(monkeypatch, *changes)
    items = list(arriving(folder, watched.stop, channel="mix", done=done.append))
    assert heard(items) == ["b.wav", 0.3, "a.wav", 0.4, "c.flac", "unreadable", "d.wav", 0.5]
    assert done == sorted(done) and done[:2] == [2_001, 2_001]
    assert "c.flac: cannot be read as audio" in next(item.reason for item in items if "unreadable" in heard([item]))


def test_many_that_arrive_at_once_are_heard_in_order(tmp_path, monkeypatch):
    def arrive():
        for index in (3, 1, 2):
            record(tmp_path / f"{9 - index}.wav", index / 10, changed=index)

    watched = Folder(monkeypatch, arrive, nothing, nothing)
    assert heard(arriving(tmp_path, watched.stop, channel="mix")) == ["8.wav", 0.1, "7.wav", 0.2, "6.wav", 0.3]


def test_a_monitor_that_goes_on_hears_what_came_while_it_was_away_and_nothing_twice(tmp_path, monkeypatch):
    for index in range(4):
        record(tmp_path / f"{index}.wav", index / 10, changed=1_000 + index)
    watched = Folder(monkeypatch, nothing, nothing)
    assert heard(arriving(tmp_path, watched.stop, channel="mix", since=1_001.0)) == ["2.wav", 0.2, "3.wav", 0.3]


def test_a_folder_that_is_not_there_is_waited_for_and_forgets_nothing(tmp_path, monkeypatch):
    folder, other = tmp_path / "in", tmp_path / "unmounted"

    def made():
        folder.mkdir()
        record(folder / "old.wav", 0.9, changed=1_000)

    def one():
        record(folder / "a.wav", 0.1, changed=1_001)

    def back():
        other.rename(folder)
        record(folder / "b.wav", 0.2, changed=1_002)

    steps = iter([made, one, nothing, lambda: folder.rename(other), back, nothing])
    stop = threading.Event()
    monkeypatch.setattr(stop, "wait", lambda _: next(steps, stop.set)())
    items = list(open_source(f"dir:{folder}", stop, raw=PcmFormat(RATE)))
    assert heard(items) == ["waiting", "a.wav", "back", 0.1, "waiting", "b.wav", "back", 0.2]
    assert items[0].reason == f"{folder}: No such file or directory"


# Read ahead.


def numbers(stream):
    return [int(item.samples[0]) for item in stream if item is not None]


def test_ahead_gives_all_in_order_and_none_meanwhile(monkeypatch):
    monkeypatch.setattr("asd_jax.datasets.live.ahead._LOOK_SECONDS", 0.01)

    def stream():
        for index in range(50):
            if index == 25:
                time.sleep(0.05)
            yield block(index)

    items = list(ahead(stream(), threading.Event()))
    assert numbers(items) == list(range(50))
    assert 1 <= items.count(None) < 20


def test_a_source_faster_than_its_reader_waits():
    given = []
    stream = ahead((given.append(index) or block(index) for index in range(200)), threading.Event())
    assert numbers([next(stream)]) == [0]
    time.sleep(0.1)
    assert len(given) <= 22
    assert numbers(stream) == list(range(1, 200))


@pytest.mark.parametrize("error", [InputError("bad channel"), MemoryError()])
def test_errors_of_a_source_reach_the_reader(error):
    def stream():
        yield block(1)
        raise error

    found = []
    with pytest.raises(type(error)):
        for item in ahead(stream(), threading.Event()):
            found.append(item)
    assert numbers(found) == [1]


def test_stop_ends_it_while_the_source_blocks():
    stop, never = threading.Event(), threading.Event()

    def stream():
        yield block(1)
        never.wait()

    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    assert numbers(ahead(stream(), stop)) == [1]
    assert time.monotonic() - begun < 2.0
    never.set()


# A recording played.


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_a_recording_is_played_at_its_pace(tmp_path, speed):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 10_500).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 10_000, subtype="FLOAT")
    clock, times, blocks = FakeClock(), [], []
    for item in playback(tmp_path / "a.wav", clock, channel="mix", speed=speed, now=clock.now):
        times.append(clock.time)
        blocks.append(item.samples)
        clock.time += 0.01 if len(times) != 4 else 0.5  # whoever takes it needs time, which is made up for
    np.testing.assert_array_equal(np.concatenate(blocks), samples)
    ends = np.minimum(np.arange(1, 12) * 0.1, 1.05) / speed
    late = [at - end for at, end in zip(times, ends, strict=True)]
    assert min(late) > -1e-9  # no sound before its time
    assert max(late[:4]) < 1e-9
    if speed == 1.0:
        assert max(late[10:]) < 1e-9


def test_as_fast_as_it_goes_waits_for_nobody_and_stop_ends_it(tmp_path):
    record(tmp_path / "a.flac", 0.1, seconds=0.0)
    soundfile.write(tmp_path / "a.flac", np.zeros((3_500, 2)), 1_000)
    clock = FakeClock()
    stream = playback(tmp_path / "a.flac", clock, channel="1", now=clock.now)
    assert [len(item.samples) for item in stream] == [1_000, 1_000, 1_000, 500]
    assert clock.waited == []
    clock = FakeClock(until=0.25)
    stream = playback(tmp_path / "a.flac", clock, channel="1", speed=1.0, now=clock.now)
    assert [len(item.samples) for item in stream] == [100, 100]
    with pytest.raises(InputError, match="`channel=2`"):
        next(playback(tmp_path / "a.flac", FakeClock(), channel="2"))
    with pytest.raises(SourceLost, match="no such file yet"):
        next(playback(tmp_path / "b.flac", FakeClock(), channel="mix"))


def test_a_damaged_recording_is_heard_until_there_and_not_again(tmp_path):
    path, stop = tmp_path / "a.flac", threading.Event()
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 100_000), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *heard, last = open_source(str(path), stop, raw=PcmFormat(RATE), speed=0.0)
    assert 2 * RATE <= sum(len(item.samples) for item in heard) <= 50_000
    assert last.kind is Kind.UNREADABLE
    assert re.fullmatch(rf"{path}: cannot be read as audio \(.*\) after [23]\.\d s", last.reason)
