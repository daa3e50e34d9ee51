import os
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asd_jax.datasets import Cutting, DataConfig, open_dataset
from asd_jax.datasets.audio import read_audio
from asd_jax.errors import InputError


@given(st.floats(0.1, 1e5), st.floats(1.0, 60.0), st.floats(0.25, 1.0))
def test_clips_cover_a_recording_and_stay_inside(duration, clip_seconds, share):
    cutting = Cutting(clip_seconds, clip_seconds * share)
    starts = np.asarray(cutting.starts(duration))
    assert starts[0] == 0 and (starts >= 0).all()
    if duration <= clip_seconds:
        assert len(starts) == 1
    else:
        assert starts[-1] + clip_seconds == pytest.approx(duration, abs=1e-5)
        assert (np.diff(starts) > 0).all() and np.diff(starts).max(initial=0) <= cutting.hop_seconds + 1e-6


def test_starts_by_hand():
    assert Cutting(10.0, 10.0).starts(30.0) == [0, 10, 20]
    assert Cutting(10.0, 5.0).starts(22.0) == [0, 5, 10, 12]
    assert Cutting(10.0, 10.0).starts(4.0) == [0]


@pytest.mark.parametrize(
    ("clip", "hop"), [(0.0, 1.0), (-1.0, -1.0), (10.0, 0.0), (10.0, 11.0), (np.nan, 1.0), (np.inf, 1.0), (0.05, 0.05)]
)
def test_impossible_cuttings(clip, hop):
    with pytest.raises(InputError, match="`clip_"):
        Cutting(clip, hop)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_a_clip_is_that_part_of_the_recording(tmp_path, ending):
    rng = np.random.default_rng(0)
    path = tmp_path / "normal" / f"a.{ending}"
    path.parent.mkdir()
    soundfile.write(path, 0.3 * rng.standard_normal((8 * 16_000, 2)).clip(-3, 3), 16_000)
    whole = read_audio(path, sample_rate=16_000)
    dataset = open_dataset(data_dir=tmp_path, clip_seconds=2.0, clip_hop_seconds=1.5)
    names = [clip.file_name for clip in dataset.clips]
    assert (
        names[:2] == [f"normal/a.{ending}@0.000s", f"normal/a.{ending}@1.500s"] and len(set(names)) == len(names) == 5
    )
    for clip in dataset.clips:
        assert clip.recording == f"normal/a.{ending}" and clip.split == "train"
        first = round(clip.start_seconds * 16_000)
        # MP3 frames depend on those before them, so that a seek is not exact to the bit.
        np.testing.assert_allclose(
            dataset.read(clip), whole[first : first + 32_000], atol=2e-3 if ending == "mp3" else 0
        )


def write_hours_of_silence(path, hours, rate=16_000):
    """A WAV file whose samples are a hole in the disk's file."""
    n_bytes = int(hours * 3600 * rate * 2)
    header = b"RIFF" + struct.pack("<I", 36 + n_bytes) + b"WAVEfmt "
    header += struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16) + b"data" + struct.pack("<I", n_bytes)
    path.write_bytes(header)
    os.truncate(path, len(header) + n_bytes)


def test_ten_hours_are_never_read_whole(tmp_path):
    (tmp_path / "normal").mkdir()
    write_hours_of_silence(tmp_path / "normal" / "day.wav", 10)
    dataset = open_dataset(data_dir=tmp_path, clip_seconds=10.0)
    assert len(dataset.clips) == 3600
    tracemalloc.start()
    waveform = dataset.read(dataset.clips[-1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert waveform.shape == (160_000,) and peak < 4e6
    with pytest.raises(InputError, match=r"day.wav is 600 minutes long; .* by `clip_seconds=10`"):
        open_dataset(data_dir=tmp_path).read(open_dataset(data_dir=tmp_path).clips[0])


def test_an_unreadable_recording_stays_one_clip(tmp_path):
    (tmp_path / "normal").mkdir()
    (tmp_path / "normal" / "a.wav").write_bytes(b"")
    dataset = open_dataset(data_dir=tmp_path, clip_seconds=10.0)
    assert [clip.file_name for clip in dataset.clips] == ["normal/a.wav"]
    with pytest.raises(InputError, match=r"a.wav cannot be read as audio \(the file is empty, 0 bytes\)"):
        dataset.read(dataset.clips[0])


def test_without_recordings_there_is_nothing_to_cut():
    with pytest.raises(InputError, match="`clip_seconds`"):
        open_dataset(machine="slide_rail", clip_seconds=10.0)


def test_recordings_far_longer_than_the_others_are_cut(tmp_path):
    (tmp_path / "normal").mkdir()
    (tmp_path / "test").mkdir()
    lengths = {"normal/a.wav": 10, "normal/b.wav": 9, "normal/c.wav": 15, "normal/d.wav": 4, "normal/e.wav": 3600}
    for name, seconds in (lengths | {"test/new.wav": 600}).items():
        write_hours_of_silence(tmp_path / name, seconds / 3600)
    dataset = open_dataset(data_dir=tmp_path)
    counts = {name: sum(clip.recording == name for clip in dataset.clips) for name in (*lengths, "test/new.wav")}
    assert counts == dict(zip(counts, (1, 1, 1, 1, 30, 60), strict=True))  # the hour trains with 30 of its 360 clips
    starts = np.asarray([clip.start_seconds for clip in dataset.clips if clip.recording == "normal/e.wav"])
    assert starts.tolist() == list(range(0, 3600, 120))
    assert {len(dataset.read(clip)) for clip in dataset.clips if clip.recording == "test/new.wav"} == {160_000}
    said = " ".join(dataset.warnings)
    assert "2 recording(s) longer than 1.5 times 10 s" in said
    assert "warning: 1 training recording(s) are shorter than half of 10 s" in said
    given = DataConfig(data_dir=str(tmp_path)).open(usual_seconds=5.0)  # what a detector was trained on
    assert sum(clip.recording == "test/new.wav" for clip in given.clips) == 120
    whole = DataConfig(data_dir=str(tmp_path)).open(usual_seconds=np.inf)
    assert len(whole.clips) == 6
