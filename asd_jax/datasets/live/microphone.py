"""A microphone, by sounddevice (the extra `live`)."""

import collections
import threading
from typing import Any

import numpy as np

from asd_jax.datasets.live.blocks import BLOCK_SECONDS, Block, Break, Kind, SourceLost, Stream, mono
from asd_jax.errors import InputError

_MOST_BLOCKS = 100  # ten seconds that wait to be taken
_SILENT_SECONDS = 5.0  # without a block the device is gone


def microphone(device: str, stop: threading.Event, *, channel: str, sample_rate: int | None = None) -> Stream:
    """What a microphone hears, until `stop`.

    Args:
        device: its number or a part of its name; empty for the system's default.
        stop: ends it.
        channel: see `mono`.
        sample_rate: in Hz; that of the device where None.

    Raises:
        InputError: sounddevice or PortAudio is not installed, or no such channel.
        SourceLost: there is no such device, or it stopped.
    """
    sound = _sounddevice()
    waiting: collections.deque[tuple[int, np.ndarray]] = collections.deque()  # each with what was lost before it
    lost, there = [0], threading.Event()

    def take(samples: np.ndarray, n_frames: int, _: Any, status: Any) -> None:
        if status.input_overflow:  # how much is not said: a block at least
            lost[0] += n_frames
        if len(waiting) < _MOST_BLOCKS:
            waiting.append((lost[0], samples.copy()))
            lost[0] = 0
        else:
            lost[0] += n_frames
        there.set()

    try:
        found = sound.query_devices(int(device) if device.isdecimal() else device or None, "input")
        rate = sample_rate or round(found["default_samplerate"])
        block = round(rate * BLOCK_SECONDS)
        opened = sound.InputStream(
            rate, block, found["index"], found["max_input_channels"], dtype="float32", callback=take
        )
        with opened:
            while not stop.is_set():
                if not there.wait(_SILENT_SECONDS):
                    raise SourceLost(f"the microphone gave nothing for {_SILENT_SECONDS:g} s")
                there.clear()
                while waiting:
                    n_lost, samples = waiting.popleft()
                    if n_lost:
                        yield Break(Kind.OVERFLOW, "samples of the microphone were lost", n_lost / rate)
                    yield Block(mono(samples, channel), rate)
    except InputError:
        raise
    except (sound.PortAudioError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise SourceLost(f"microphone {device or 'by default'}: {why}") from error


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise InputError("`source=mic` needs sounddevice; pip install sounddevice") from error
    except OSError as error:  # the package is there, the library that it calls is not
        raise InputError("`source=mic` needs PortAudio; apt install libportaudio2 (brew install portaudio)") from error
    return sounddevice
