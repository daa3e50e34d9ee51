"""A microphone, by a stand-in for sounddevice."""

import sys
import threading
import types

import numpy as np
import pytest

from asd_jax.datasets.live import microphone as module
from asd_jax.datasets.live.blocks import Block, Break, Kind, SourceLost
from asd_jax.datasets.live.microphone import microphone
from asd_jax.datasets.live.opening import open_source
from asd_jax.datasets.live.pcm import PcmFormat
from asd_jax.errors import InputError

RATE, N_BLOCK = 8_000, 800


class FakeSound(types.ModuleType):
    """`blocks` are what the device gives, each with whether there was an overflow; then it gives nothing."""

    class PortAudioError(Exception):
        """As sounddevice has it."""

    def __init__(self, blocks, *, n_channels=1):
        super().__init__("sounddevice")
        self.blocks, self.n_channels, self.asked, self.is_open = blocks, n_channels, [], False

    def query_devices(self, device, kind):
        self.asked.append((device, kind))
        if device == "none":
            raise ValueError("No input device matching 'none'\nmore")
        return {"index": 7, "default_samplerate": float(RATE), "max_input_channels": self.n_channels}

    def InputStream(self, rate, block, index, n_channels, *, dtype, callback):
        assert (rate, block, index, n_channels, dtype) == (RATE, N_BLOCK, 7, self.n_channels, "float32")
        outer = self

        class Opened:
            def __enter__(self):
                outer.is_open = True
                buffer = np.zeros((N_BLOCK, outer.n_channels), np.float32)  # PortAudio's own, used again
                for value, overflow in outer.blocks:
                    buffer[:] = value
                    callback(buffer, N_BLOCK, None, types.SimpleNamespace(input_overflow=overflow))

            def __exit__(self, *_):
                outer.is_open = False

        return Opened()


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.05)

    def put(blocks, **options):
        sound = FakeSound(blocks, **options)
        monkeypatch.setitem(sys.modules, "sounddevice", sound)
        return sound

    return put


def until_lost(stream):
    items = []
    with pytest.raises(SourceLost) as lost:
        for item in stream:
            items.append(item)
    return items, str(lost.value)


def values(items):
    return [round(float(item.samples[0]), 3) if isinstance(item, Block) else item for item in items]


def test_blocks_come_in_order_and_a_device_that_falls_silent_is_gone(fake):
    sound = fake([(0.1, False), (0.2, False), (0.3, False)])
    items, why = until_lost(microphone("", threading.Event(), channel="mix"))
    assert values(items) == [0.1, 0.2, 0.3]
    assert {(len(item.samples), item.sample_rate, item.samples.dtype.name) for item in items} == {
        (800, RATE, "float32")
    }
    assert why == "the microphone gave nothing for 0.05 s"
    assert sound.asked == [(None, "input")] and not sound.is_open


def test_an_overflow_is_told_where_the_samples_are_missing(fake):
    fake([(0.1, False), (0.2, True), (0.3, True), (0.4, False)])
    items, _ = until_lost(microphone("3", threading.Event(), channel="mix"))
    lost = Break(Kind.OVERFLOW, "samples of the microphone were lost", 0.1)
    assert values(items) == [0.1, lost, 0.2, lost, 0.3, 0.4]


def test_blocks_that_nobody_takes_are_bounded_and_counted(fake, monkeypatch):
    monkeypatch.setattr(module, "_MOST_BLOCKS", 4)
    sound = fake([(index / 100, False) for index in range(10)])
    stream = microphone("", threading.Event(), channel="mix")
    assert values([next(stream)]) == [0.0]
    assert values([next(stream) for _ in range(3)]) == [0.01, 0.02, 0.03]
    with pytest.raises(SourceLost):
        next(stream)
    assert not sound.is_open


def test_channels_and_devices_that_are_not_there(fake):
    sound = fake([(0.5, False)], n_channels=2)
    items, _ = until_lost(microphone("USB", threading.Event(), channel="1"))
    assert values(items) == [0.5] and sound.asked == [("USB", "input")]
    with pytest.raises(InputError, match="`channel=2`: the source has 2"):
        list(microphone("", threading.Event(), channel="2"))
    _, why = until_lost(microphone("none", threading.Event(), channel="mix"))
    assert why == "microphone none: No input device matching 'none'"
    sound.query_devices = lambda *_: (_ for _ in ()).throw(FakeSound.PortAudioError())
    assert until_lost(microphone("", threading.Event(), channel="mix"))[1] == "microphone by default: "


def test_as_a_source_it_is_opened_again_and_stop_ends_it(fake, monkeypatch):
    sound, stop, waited = fake([(0.5, False)]), threading.Event(), []
    monkeypatch.setattr("asd_jax.datasets.live.opening._FIRST_PAUSE", 0.01)
    for item in open_source("mic:2", stop, raw=PcmFormat(RATE)):
        waited.append(item.kind.value if isinstance(item, Break) else "sound")
        if len(waited) == 5:
            stop.set()
    assert waited == ["sound", "waiting", "back", "sound", "waiting"]
    assert sound.asked == [(2, "input")] * 2 and not sound.is_open


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ImportError("no module"), "`source=mic` needs sounddevice; pip install sounddevice"),
        (OSError("PortAudio library not found"), r"`source=mic` needs PortAudio; apt install libportaudio2"),
    ],
)
def test_without_the_library_one_line_says_what_to_install(monkeypatch, error, says):
    class Missing:
        def find_spec(self, name, *_):
            if name == "sounddevice":
                raise error

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(InputError, match=says):
        list(open_source("mic", threading.Event(), raw=PcmFormat(RATE)))
