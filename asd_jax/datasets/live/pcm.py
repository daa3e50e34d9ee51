"""Samples from a pipe: raw, or WAV of known or unknown length, one stream after another."""

import dataclasses
import struct
from collections.abc import Callable
from typing import NoReturn, Protocol, runtime_checkable

import numpy as np

from asd_jax.datasets.live.blocks import BLOCK_SECONDS, Block, Break, Kind, SourceLost, Stream, mono
from asd_jax.errors import InputError
from asd_jax.features.shapes import Float

_MOST_FORMAT = 1 << 16  # bytes; it has 16 to 40
_ENDLESS = 0x7FFF0000  # bytes; writers to a pipe announce this much or more, or nothing at all
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
SAMPLE_FORMATS = ("s16le", "s24le", "s32le", "f32le")
_FLOATS = {"f32le": "<f4", "f64le": "<f8"}


@runtime_checkable
class Bytes(Protocol):
    """A file of bytes, or what reads like one."""

    def read(self, n_bytes: int, /) -> bytes:
        """So many bytes, fewer only at the end."""


@dataclasses.dataclass(frozen=True)
class PcmFormat:
    """How samples lie in bytes, little-endian, channels side by side.

    Attributes:
        sample_rate: in Hz.
        n_channels: at least one.
        sample_format: `s16le`, `s24le` and `s32le` are signed integers, `f32le` floating-point numbers, `f64le` and
            `u8`, which only WAV has, likewise.
    """

    sample_rate: int
    n_channels: int = 1
    sample_format: str = "s16le"

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return int(self.sample_format.strip("sfule")) // 8 * self.n_channels

    def decode(self, content: bytes) -> Float[np.ndarray, "n_samples n_channels"]:
        """Whole frames as floating-point numbers, full scale at 1."""
        if self.sample_format in _FLOATS:
            values = np.frombuffer(content, _FLOATS[self.sample_format]).astype(np.float32)
        elif self.sample_format == "u8":
            values = (np.frombuffer(content, np.uint8).astype(np.float32) - 128) / 128
        elif self.sample_format == "s24le":
            whole = np.zeros((len(content) // 3, 4), np.uint8)
            whole[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
            values = whole.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
        else:
            bits = int(self.sample_format[1:3])
            values = np.frombuffer(content, f"<i{bits // 8}").astype(np.float32) / np.float32(2 ** (bits - 1))
        return values.reshape(-1, self.n_channels)


def pcm_stream(file: Bytes, raw: PcmFormat, *, channel: str) -> Stream:
    """The sound that comes through a pipe, until it ends.

    What begins as a WAV file is read as its header says; when its samples end another may follow (`cat a.wav b.wav`).
    Anything else is raw.

    Args:
        file: waits for what it is asked for.
        raw: how samples lie where there is no header.
        channel: see `mono`.

    Raises:
        InputError: a WAV header that says what cannot be read, or no such channel.
        SourceLost: it ends within a header.
    """
    begin, first = file.read(4), True
    if begin != b"RIFF":
        yield from _samples(_after(begin, file), raw, None, channel)
        return
    while begin == b"RIFF":
        if not first:
            yield Break(Kind.RECORDING, "another recording begins")
        first = False
        found, n_bytes = _wav_header(file)
        yield from _samples(file.read, found, n_bytes, channel)
        if n_bytes is None:
            return
        if n_bytes % 2:
            file.read(1)
        begin = _next_riff(file)


def _after(begin: bytes, file: Bytes) -> Callable[[int], bytes]:
    """Reads bytes that were read already, then those of the file."""
    left = [begin]

    def read(n_bytes: int) -> bytes:
        head = left.pop() if left else b""
        return head + file.read(n_bytes - len(head))

    return read


def _samples(read: Callable[[int], bytes], found: PcmFormat, n_bytes: int | None, channel: str) -> Stream:
    """Blocks of at most a tenth of a second until the bytes end, or so many of them are read."""
    block = max(1, round(found.sample_rate * BLOCK_SECONDS)) * found.frame_bytes
    left = np.inf if n_bytes is None else n_bytes
    while left > 0 and (content := read(int(min(block, left)))):
        left -= len(content)
        if whole := len(content) // found.frame_bytes * found.frame_bytes:  # an end within a sample is no sample
            yield Block(mono(found.decode(content[:whole]), channel), found.sample_rate)


def _exactly(file: Bytes, n_bytes: int) -> bytes:
    content = file.read(n_bytes) if n_bytes else b""
    if len(content) < n_bytes:
        raise SourceLost("the stream ended within a WAV header")
    return content


def _next_riff(file: Bytes) -> bytes:
    """The first bytes of a WAV file that follows, chunks behind the samples passed over; else nothing."""
    while len(name := file.read(4)) == 4 and name != b"RIFF" and len(size := file.read(4)) == 4:
        _pass_over(file, struct.unpack("<I", size)[0])
    return name


def _wav_header(file: Bytes) -> tuple[PcmFormat, int | None]:
    """Format and number of bytes of the samples that follow, None where it is not known; after `RIFF`."""
    _size(file)
    if _exactly(file, 4) != b"WAVE":
        _refuse("RIFF, but no WAVE")
    found = None
    while True:
        name, size = _exactly(file, 4), _size(file)
        if name == b"fmt ":
            if size > _MOST_FORMAT:
                _refuse(f"a format of {size} bytes")
            found = _format(_exactly(file, size))
            _exactly(file, size % 2)
        elif name == b"data":
            if found is None:
                _refuse("no format before the samples")
            return found, None if size == 0 or size >= _ENDLESS else size
        else:
            _pass_over(file, size)


def _format(content: bytes) -> PcmFormat:
    if len(content) < 16:
        _refuse("its format is cut short")
    kind, n_channels, sample_rate, _, _, bits = struct.unpack("<HHIIHH", content[:16])
    if kind == _EXTENSIBLE and len(content) >= 26:
        kind = struct.unpack("<H", content[24:26])[0]
    names = {(_PCM, 8): "u8", (_FLOAT, 32): "f32le", (_FLOAT, 64): "f64le"}
    names |= {(_PCM, wide): f"s{wide}le" for wide in (16, 24, 32)}
    if (kind, bits) not in names or not (n_channels and sample_rate):
        _refuse(f"format {kind} of {bits} bits at {sample_rate} Hz in {n_channels} channels; give PCM or float samples")
    return PcmFormat(sample_rate, n_channels, names[kind, bits])


def _size(file: Bytes) -> int:
    return struct.unpack("<I", _exactly(file, 4))[0]


def _pass_over(file: Bytes, n_bytes: int) -> None:
    left = n_bytes + n_bytes % 2
    while left > 0 and (content := file.read(min(left, 1 << 16))):
        left -= len(content)


def _refuse(why: str) -> NoReturn:
    raise InputError(f"the stream's WAV header cannot be read: {why}")
