"""Samples from pipes, held against soundfile's decoding of the same bytes."""

import io
import os
import struct
import threading
import time

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from asd_jax.datasets.live.blocks import Block, Break, Kind, SourceLost, mono
from asd_jax.datasets.live.pcm import SAMPLE_FORMATS, PcmFormat, pcm_stream
from asd_jax.datasets.live.pipe import Pipe
from asd_jax.errors import InputError

RAW = PcmFormat(16_000)
SUBTYPES = {"s16le": "PCM_16", "s24le": "PCM_24", "s32le": "PCM_32", "f32le": "FLOAT"}
ARECORD, ARECORD_2, FFMPEG = 0x7FFFFFFF, 0x7FFF0000, 0xFFFFFFFF


def noise(n_samples, n_channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (n_samples, n_channels))


def wav(values, rate=16_000, subtype="PCM_16", kind="WAV"):
    file = io.BytesIO()
    soundfile.write(file, values, rate, subtype=subtype, format=kind)
    return file.getvalue()


def decoded(content):
    return soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)[0]


def with_size(content, size):
    """The file as it is written to a pipe, its length not known."""
    at = content.index(b"data") + 4
    return content[:4] + struct.pack("<I", 0xFFFFFFFF) + content[8:at] + struct.pack("<I", size) + content[at + 4 :]


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def heard(content, raw=RAW, channel="0"):
    """The streams between breaks, each as one array, and their rates."""
    parts, rates = [[]], []
    for item in pcm_stream(io.BytesIO(content), raw, channel=channel):
        if isinstance(item, Break):
            assert item == Break(Kind.RECORDING, "another recording begins")
            parts.append([])
        else:
            assert 0 < len(item.samples) <= round(item.sample_rate / 10)
            assert item.samples.dtype == np.float32
            parts[-1].append(item.samples)
            rates.append(item.sample_rate)
    return [np.concatenate(part) if part else np.zeros(0, np.float32) for part in parts], rates


@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_raw_samples_are_as_soundfile_decodes_them(sample_format, n_channels):
    file = io.BytesIO()
    soundfile.write(file, noise(5_000, n_channels), 8_000, subtype=SUBTYPES[sample_format], format="RAW")
    about = {"channels": n_channels, "samplerate": 8_000, "subtype": SUBTYPES[sample_format], "format": "RAW"}
    expected = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32", always_2d=True, **about)[0]
    raw = PcmFormat(8_000, n_channels, sample_format)
    for channel in range(n_channels):
        (found,), rates = heard(file.getvalue(), raw, str(channel))
        np.testing.assert_array_equal(found, expected[:, channel])
        assert set(rates) == {8_000}
    (mixed,), _ = heard(file.getvalue(), raw, "mix")
    np.testing.assert_allclose(mixed, expected.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])  # WAVE_FORMAT_EXTENSIBLE
@pytest.mark.parametrize("size", [None, 0, ARECORD, ARECORD_2, FFMPEG])
def test_wav_of_known_and_unknown_length(subtype, kind, size):
    content = wav(noise(4_801, 2), 48_000, subtype, kind)
    expected = decoded(content)
    if size is not None:
        content = with_size(content, size)
    (found,), rates = heard(content, channel="1")
    expected = expected[:, 1]
    np.testing.assert_array_equal(found[: len(expected)], expected)
    trailing = len(found) - len(expected)  # of no known length: chunks behind the samples are taken for some
    assert trailing == 0 or (size is not None and trailing < 20)
    assert set(rates) == {48_000}


def test_other_chunks_before_and_after_and_recordings_in_a_row():
    first, second = wav(noise(3_001, seed=1), subtype="PCM_U8"), wav(noise(2_000, 2, seed=2), 44_100)
    at = first.index(b"data")
    listed = chunk(b"LIST", b"INFOISFT" + struct.pack("<I", 5) + b"abcde")
    first = first[:at] + listed + chunk(b"fact", b"1234") + first[at:]
    first += b"\0" * (len(first) % 2)
    content = first + chunk(b"LIST", b"odd") + second + listed + first
    parts, rates = heard(content)
    for found, of in zip(parts, (first, second, first), strict=True):
        np.testing.assert_array_equal(found, decoded(of)[:, 0])
    assert list(dict.fromkeys(rates)) == [16_000, 44_100]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_wherever_a_stream_is_cut_what_was_whole_is_heard(data):
    content = wav(noise(400, 2), 8_000, "PCM_24") + chunk(b"LIST", b"abc") + wav(noise(300, 2, seed=3), 8_000, "PCM_24")
    expected = [decoded(wav(noise(n, 2, seed=seed), 8_000, "PCM_24"))[:, 0] for n, seed in ((400, 0), (300, 3))]
    cut = data.draw(st.integers(0, len(content)))
    found = []
    try:
        for item in pcm_stream(io.BytesIO(content[:cut]), RAW, channel="0"):
            if isinstance(item, Block):
                found.append(item.samples)
    except SourceLost as error:
        assert str(error) == "the stream ended within a WAV header"
    if cut >= 4:  # fewer bytes are no header, and two are a sample
        found = np.concatenate([*found, np.zeros(0, np.float32)])
        np.testing.assert_array_equal(found, np.concatenate(expected)[: len(found)])
        assert len(found) >= min(400, (cut - 44) // 6)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_garbage_is_raw_samples_or_one_clear_line(content, is_riff):
    content = b"RIFF\0\0\0\0WAVE" + content if is_riff else content
    try:
        list(pcm_stream(io.BytesIO(content), RAW, channel="mix"))
    except (InputError, SourceLost) as error:
        assert "\n" not in str(error) and "WAV header" in str(error)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"RIFF....AVI ", "RIFF, but no WAVE"),
        (b"RIFF....WAVE" + chunk(b"data", b"12"), "no format before the samples"),
        (b"RIFF....WAVE" + chunk(b"fmt ", b"12"), "its format is cut short"),
        (b"RIFF....WAVEfmt \xff\xff\xff\xff" + bytes(40), "a format of 4294967295 bytes"),
        (wav(noise(10), subtype="MS_ADPCM"), "format 2 of 4 bits at 16000 Hz in 1 channels; give PCM or float"),
    ],
)
def test_a_header_that_says_what_cannot_be_read(content, says):
    with pytest.raises(InputError, match=rf"the stream's WAV header cannot be read: .*{says}"):
        heard(content)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=30))
def test_the_sizes_in_which_a_writer_writes_do_not_matter(sizes):
    content = with_size(wav(noise(1_000)), FFMPEG)
    reader, writer = os.pipe()

    def write():
        at = 0
        for size in [*sizes, len(content)]:
            os.write(writer, content[at : at + size])
            at += size
        os.close(writer)

    threading.Thread(target=write, daemon=True).start()
    blocks = list(pcm_stream(Pipe(reader, threading.Event()), RAW, channel="0"))
    os.close(reader)
    found = np.concatenate([block.samples for block in blocks])
    np.testing.assert_array_equal(found, decoded(content)[:1_000, 0])


def test_a_pipe_can_be_left_while_nobody_writes():
    reader, writer = os.pipe()
    os.write(writer, bytes(100))
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    (block,) = pcm_stream(Pipe(reader, stop), RAW, channel="mix")
    assert time.monotonic() - begun < 2.0
    assert len(block.samples) == 50
    os.close(reader), os.close(writer)


def test_mono():
    samples = np.asarray([[0.5, 0.0, 1.0], [0.5, 1.0, 1.0]], np.float32)
    np.testing.assert_array_equal(mono(samples, "1"), [0.0, 1.0])
    np.testing.assert_allclose(mono(samples, "mix"), [0.5, 2.5 / 3])
    np.testing.assert_array_equal(mono(samples[:, :1], "mix"), [0.5, 0.5])
    for channel in ("3", "-1", "left", "²"):
        with pytest.raises(InputError, match=rf"`channel={channel}`: the source has 3 channel\(s\), numbered from 0"):
            mono(samples, channel)
