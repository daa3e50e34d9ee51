"""The cache of prepared recordings: exact waveforms, built once, rebuilt when stale, never half there."""

import dataclasses
import errno
import multiprocessing
import os
import signal
import threading

import numpy as np
import pytest
import soundfile

from asd_jax.datasets import Clip, Dataset, open_dataset, prepared
from asd_jax.datasets.audio import read_audio
from asd_jax.datasets.prepared_builder import NotInt16Error, Recordings, to_int16
from asd_jax.errors import InputError

RATE = 16_000
LEVEL = 0.3


def noise(n_samples=4_000, channels=1, seed=0):
    return LEVEL * np.random.default_rng(seed).uniform(-1.0, 1.0, (n_samples, channels))


@pytest.fixture
def folder(tmp_path):
    """Six clips, 16 bits at 16 kHz."""
    path = tmp_path / "recordings" / "fan" / "train"
    path.mkdir(parents=True)
    for index in range(6):
        soundfile.write(path / f"normal_id_00_{index:08d}.wav", noise(4_000 + index, seed=index), RATE)
    return tmp_path / "recordings"


class Counting:
    """A data set that counts how often each file is decoded."""

    def __init__(self, folder, *, channel="mix"):
        listed = open_dataset(machine="fan", data_dir=folder, channel=channel)
        self.counts = dict.fromkeys((clip.file_name for clip in listed.clips), 0)

        def read(clip):
            self.counts[clip.file_name] += 1
            return listed.read(clip)

        self.dataset = dataclasses.replace(listed, read=read)
        self.plain = listed.read

    def prepare(self, folder, cache_dir, **options):
        self.said = []
        options = {"sample_rate": RATE, "say": self.said.append} | options
        return prepared.prepared(self.dataset, data_dir=folder, cache_dir=cache_dir, **options)


def assert_same(dataset, plain):
    for clip in dataset.clips:
        found, expected = dataset.read(clip), plain(clip)
        assert found.dtype == expected.dtype == np.float32 and found.flags.writeable
        np.testing.assert_array_equal(found, expected)


def decoded_once(source):
    """Each clip but the first, which is looked at beforehand."""
    return list(source.counts.values()) == [2, *[1] * (len(source.counts) - 1)]


def builds(cache_dir):
    return sorted(path.parent.name for path in cache_dir.rglob("1.0.0"))


def test_clips_are_decoded_once(folder, tmp_path):
    cache = tmp_path / "cache"
    source = Counting(folder)
    dataset = source.prepare(folder, cache)
    assert decoded_once(source) and len(source.said) == 1
    assert_same(dataset, source.plain)
    assert_same(source.prepare(folder, cache), source.plain)
    assert decoded_once(source) and not source.said
    assert [name.rsplit("-", 1)[1] for name in builds(cache)] == ["int16"]


@pytest.mark.parametrize(
    ("subtype", "rate", "channels", "channel", "sample_type"),
    [
        ("PCM_16", RATE, 1, "mix", "int16"),
        ("PCM_16", RATE, 2, "1", "int16"),
        ("PCM_U8", RATE, 1, "mix", "int16"),
        ("PCM_16", RATE, 2, "mix", "float32"),
        ("PCM_16", 22_050, 1, "mix", "float32"),
        ("PCM_24", RATE, 1, "mix", "float32"),
        ("FLOAT", RATE, 1, "mix", "float32"),
    ],
)
def test_16_bits_where_they_change_nothing(folder, tmp_path, subtype, rate, channels, channel, sample_type):
    # One clip of another kind, the last, moves the whole machine to float32.
    for index in range(6) if channels == 2 else (5,):
        path = folder / "fan" / "train" / f"normal_id_00_{index:08d}.wav"
        soundfile.write(path, noise(4_000, channels), rate, subtype=subtype)
    source = Counting(folder, channel=channel)
    assert_same(source.prepare(folder, tmp_path / "cache", channel=channel), source.plain)
    assert [name.rsplit("-", 1)[1] for name in builds(tmp_path / "cache")] == [sample_type]


def test_full_scale_is_exact():
    whole = np.arange(-32_768, 32_768, dtype=np.int32).astype(np.int16)
    np.testing.assert_array_equal(to_int16(whole.astype(np.float32) / np.float32(32_768)), whole)
    for value in (1.0, -1.0 - 2**-15, 0.5 + 2**-17, np.nan):
        with pytest.raises(NotInt16Error):
            to_int16(np.asarray([0.0, value], np.float32))


def test_rate_and_channel_have_their_own_caches(folder, tmp_path):
    source = Counting(folder)
    source.prepare(folder, tmp_path / "cache")
    source.prepare(folder, tmp_path / "cache", channel="0")
    assert len(builds(tmp_path / "cache")) == 2


@pytest.mark.parametrize("change", ["content", "new", "gone", "touched"])
def test_a_changed_source_is_prepared_again(folder, tmp_path, change):
    cache = tmp_path / "cache"
    Counting(folder).prepare(folder, cache)
    first = folder / "fan" / "train" / "normal_id_00_00000000.wav"
    if change == "content":
        soundfile.write(first, noise(7_000), RATE)
    elif change == "new":
        soundfile.write(first.with_name("normal_id_00_00000009.wav"), noise(), RATE)
    elif change == "gone":
        first.unlink()
    else:  # the same size at another time
        soundfile.write(first, noise(4_000, seed=9), RATE)
        os.utime(first, ns=(1, 1))
    source = Counting(folder)
    assert_same(source.prepare(folder, cache), source.plain)
    assert source.said and len(builds(cache)) == 1


def test_labels_do_not_make_a_cache_stale(folder, tmp_path):
    source = Counting(folder)
    source.prepare(folder, tmp_path / "cache")
    relabelled = tuple(dataclasses.replace(clip, split="test", is_anomaly=True) for clip in source.dataset.clips)
    source.dataset = dataclasses.replace(source.dataset, clips=relabelled[::-1])
    assert_same(source.prepare(folder, tmp_path / "cache"), source.plain)
    assert not source.said


def test_parts_of_one_recording_are_told_apart(folder, tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Part(Clip):
        start_seconds: float = 0.0

    name = "fan/train/normal_id_00_00000000.wav"
    waveform = read_audio(folder / name, sample_rate=RATE)
    parts = tuple(Part(name, "id_00", "train", False, start_seconds=start) for start in (0.0, 0.1))
    reads = []

    def read(clip):
        reads.append(clip)
        start = round(clip.start_seconds * RATE)
        return waveform[start : start + 1_600]

    dataset = prepared.prepared(
        Dataset("parts", "fan", parts, read), data_dir=folder, cache_dir=tmp_path, sample_rate=RATE, say=lambda _: None
    )
    for part in parts:
        np.testing.assert_array_equal(dataset.read(part), waveform[round(part.start_seconds * RATE) :][:1_600])
    assert len(reads) == 3  # the first is looked at beforehand


@pytest.mark.parametrize("name", ["Förderband ①", os.fsdecode(b"not UTF-8 \xff"), "m" * 300])
def test_names_in_any_script(tmp_path, name):
    folder = tmp_path / name[:100]
    folder.mkdir()
    clips = tuple(Clip(f"{name}/{part}.wav", "id_00", "train") for part in ("ä", name))
    waveform = noise()[:, 0].astype(np.float32)
    dataset = prepared.prepared(
        Dataset("any_folder", name, clips, lambda clip: waveform),
        data_dir=folder,
        cache_dir=tmp_path / "cache",
        sample_rate=RATE,
        say=lambda _: None,
    )
    np.testing.assert_array_equal(dataset.read(clips[1]), waveform)
    assert len(builds(tmp_path / "cache")) == 1


def test_bad_files_raise_what_they_raised(folder, tmp_path):
    train = folder / "fan" / "train"
    (train / "normal_id_00_00000001.wav").write_bytes(b"no sound")
    soundfile.write(train / "normal_id_00_00000003.wav", np.full(4_000, np.nan), RATE, subtype="FLOAT")
    source = Counting(folder)
    for _ in range(2):
        dataset = source.prepare(folder, tmp_path / "cache")
        for index, clip in enumerate(dataset.clips):
            if index in (1, 3):
                with pytest.raises(InputError) as expected:
                    source.plain(clip)
                with pytest.raises(InputError, match=clip.file_name) as found:
                    dataset.read(clip)
                assert str(found.value) == str(expected.value)
            else:
                np.testing.assert_array_equal(dataset.read(clip), source.plain(clip))
    for path in train.iterdir():
        path.write_bytes(b"no sound")
    dataset = Counting(folder).prepare(folder, tmp_path / "cache")
    with pytest.raises(InputError, match="cannot be read as audio"):
        dataset.read(dataset.clips[0])


@pytest.mark.parametrize("damage", ["truncated", "emptied", "description", "bytes"])
def test_a_damaged_cache_is_no_harm(folder, tmp_path, damage):
    cache = tmp_path / "cache"
    Counting(folder).prepare(folder, cache)
    (records,) = cache.rglob("*.array_record*")
    content = records.read_bytes()
    if damage == "truncated":
        records.write_bytes(content[: len(content) // 2])
    elif damage == "emptied":
        records.write_bytes(b"")
    elif damage == "description":
        next(cache.rglob("dataset_info.json")).write_text("{")
    else:  # in the middle of the records, which only their checksums tell
        records.write_bytes(content[:20_000] + bytes(2_000) + content[22_000:])
    source = Counting(folder)
    assert_same(source.prepare(folder, cache), source.plain)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(folder, tmp_path, monkeypatch, number):
    class FullDisk:
        def __init__(self, path, options):
            open(path, "wb").close()

        def write(self, record):
            if number == errno.ENOSPC:  # as ArrayRecord's own writer says it
                raise RuntimeError(f"write() failed: {os.strerror(number)}; writing x; at byte 12")
            raise OSError(number, os.strerror(number))

        def close(self):
            pass

    cache = tmp_path / "cache"
    with monkeypatch.context() as patch:
        patch.setattr("asd_jax.datasets.prepared_builder.ArrayRecordWriter", FullDisk)
        with pytest.raises(InputError, match=r"cache.prepared: no space left .* `cache_dir`, .* `cache_dir=None`"):
            Counting(folder).prepare(folder, cache)
    assert not [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]
    source = Counting(folder)  # space was made
    assert_same(source.prepare(folder, cache), source.plain)


def test_a_full_file_system(folder, tmp_path):
    """The same on a file system of 64 KiB, where this process may mount one."""
    cache = tmp_path / "small"
    cache.mkdir()
    if os.system(f"mount -t tmpfs -o size=64k tmpfs {cache} 2>/dev/null") != 0:
        pytest.skip("may not mount a file system")
    try:
        with pytest.raises(InputError, match="no space left"):
            Counting(folder).prepare(folder, cache)
        assert not list(cache.rglob("dataset_info.json"))
    finally:
        os.system(f"umount {cache}")


def test_an_unwritable_cache(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file.prepared: cannot be written .* `cache_dir`, or pass `cache_dir=None`"):
        Counting(folder).prepare(folder, tmp_path / "file")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "somewhere")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)  # root may write everywhere
    with pytest.raises(InputError, match=r"cannot be written .Permission denied"):
        Counting(folder).prepare(folder, tmp_path / "cache")


def test_two_runs_build_once(folder, tmp_path):
    source, results = Counting(folder), []
    barrier, said = threading.Barrier(2), []

    def run():
        barrier.wait()
        options = {"data_dir": folder, "cache_dir": tmp_path / "cache", "sample_rate": RATE, "say": said.append}
        results.append(prepared.prepared(source.dataset, **options))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert decoded_once(source)
    assert sum("kept 6 decoded" in line for line in said) == 1
    for dataset in results:
        assert_same(dataset, source.plain)


def _killed_half_way(folder, cache):
    source = Counting(folder)
    inner, read = source.dataset.read, []

    def die_half_way(clip):
        read.append(clip)
        if len(read) == 6:
            os.kill(os.getpid(), signal.SIGKILL)
        return inner(clip)

    source.dataset = dataclasses.replace(source.dataset, read=die_half_way)
    source.prepare(folder, cache)


def test_killed_half_way(folder, tmp_path):
    cache = tmp_path / "cache"
    process = multiprocessing.get_context("spawn").Process(target=_killed_half_way, args=(folder, cache))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [path for path in cache.rglob("incomplete*")] and not builds(cache)
    source = Counting(folder)
    assert_same(source.prepare(folder, cache), source.plain)
    assert not list(cache.rglob("incomplete*"))


def test_a_run_goes_on_reading_while_another_rebuilds(folder, tmp_path):
    source = Counting(folder)
    dataset = source.prepare(folder, tmp_path / "cache")
    expected = [source.plain(clip) for clip in dataset.clips]
    os.utime(folder / dataset.clips[0].file_name, ns=(1, 1))
    Counting(folder).prepare(folder, tmp_path / "cache")
    before = dict(source.counts)
    for clip, waveform in zip(dataset.clips, expected, strict=True):
        np.testing.assert_array_equal(dataset.read(clip), waveform)
    assert source.counts == before


def test_it_is_a_tfds_data_set_without_tensorflow(folder, tmp_path):
    import sys

    import tensorflow_datasets as tfds

    Counting(folder).prepare(folder, tmp_path / "cache")
    (build,) = (tmp_path / "cache").rglob("1.0.0")
    builder = tfds.builder_from_directory(build)
    assert builder.name == Recordings.name == "recordings"
    assert len(builder.as_data_source("clips")) == 6
    assert "tensorflow" not in sys.modules
