import numpy as np
import pytest
import soundfile
import soxr

from asd_jax.datasets.audio import read_audio
from asd_jax.errors import InputError


@pytest.fixture
def tone():
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000)


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"), [("wav", "PCM_16", 5e-5), ("wav", "FLOAT", 1e-7), ("flac", "PCM_24", 1e-6)]
)
def test_reads_formats(tmp_path, tone, suffix, subtype, tolerance):
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, tone, 16_000, subtype=subtype)
    waveform = read_audio(path, sample_rate=16_000)
    assert waveform.dtype == np.float32
    np.testing.assert_allclose(waveform, tone, atol=tolerance)


def test_channels(tmp_path, tone):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.stack([tone, 0 * tone, -0.5 * tone], axis=1), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(path, sample_rate=16_000), tone / 6, atol=1e-7)
    np.testing.assert_allclose(read_audio(path, sample_rate=16_000, channel="2"), -0.5 * tone, atol=1e-7)
    with pytest.raises(InputError, match=r"`channel`=3: .*clip\.wav has 3 channel"):
        read_audio(path, sample_rate=16_000, channel="3")


def test_resamples_to_the_rate_asked_for(tmp_path):
    source = 0.5 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 48_000)
    path = tmp_path / "clip.wav"
    soundfile.write(path, source, 48_000, subtype="FLOAT")
    waveform = read_audio(path, sample_rate=16_000)
    np.testing.assert_array_equal(waveform, soxr.resample(source.astype(np.float32), 48_000, 16_000))
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000)
    np.testing.assert_allclose(waveform[500:-500], expected[500:-500], atol=1e-4)


def _cut(path, tone):
    soundfile.write(path, tone, 16_000)
    path.write_bytes(path.read_bytes()[:5_000])


def _nan(path, tone):
    tone[7] = np.nan
    soundfile.write(path, tone, 16_000, subtype="FLOAT")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_cut, "is truncated"),
        (_nan, "NaN"),
        (lambda path, tone: path.write_text("not audio " * 50), "cannot be read as audio"),
        (lambda path, tone: path.write_bytes(b""), "cannot be read as audio"),
        (lambda path, tone: soundfile.write(path, tone[:0], 16_000), "holds no samples"),
        (lambda path, tone: soundfile.write(path, tone[:1], 48_000), "holds no samples at 16000 Hz"),
        (lambda path, tone: None, "no such file"),
    ],
    ids=["truncated", "nan", "text", "empty file", "no samples", "none after resampling", "missing"],
)
def test_bad_files_are_named(tmp_path, tone, make, says):
    path = tmp_path / "bad.wav"
    make(path, tone)
    with pytest.raises(InputError, match=says) as error:
        read_audio(path, sample_rate=16_000)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_real_recordings(real_data):
    paths = sorted((real_data / "dcase2020_real_clips").rglob("*.wav"))
    assert len(paths) == 26
    for path in paths:
        assert len(read_audio(path, sample_rate=16_000)) in (160_000, 176_000)
