"""What is kept of alarms: whole or not there, within bounds; and its picture."""

import errno
import io
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from asd_jax.detectors.stream.normal_sound import NormalSound
from asd_jax.errors import InputError
from asd_jax.report.live.evidence import Kept
from asd_jax.report.live.picture import picture

DAY = 86_400.0
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(np.float32)


def keep(kept, *, n_bytes=1_000, **options):
    name = kept.next_name()
    kept.keep(name, {"event": "alarm", "score": 1.0}, picture=bytes(n_bytes), **options)
    return name


def there(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_alarm_is_a_folder_of_three_files(tmp_path):
    kept = Kept(tmp_path / "new" / "alarms", most_bytes=1e9, days=30.0, now=lambda: 0.0)
    name = keep(kept, sound=2 * NOISE, sample_rate=16_000)
    assert name == "19700101T000000Z_0001"
    folder = kept.folder / name
    assert there(kept.folder) == [name]
    assert there(folder) == ["alarm.json", "picture.png", "sound.flac"]
    assert json.loads((folder / "alarm.json").read_text()) == {"event": "alarm", "score": 1.0}
    sound, rate = soundfile.read(folder / "sound.flac")
    assert rate == 16_000
    np.testing.assert_allclose(sound, np.clip(2 * NOISE, -1, 1), atol=1e-4)
    assert there(kept.folder / keep(kept)) == ["alarm.json", "picture.png"]
    assert there(kept.folder / keep(kept, sound=NOISE[:0], sample_rate=16_000)) == ["alarm.json", "picture.png"]


@pytest.mark.parametrize("where", ["picture", "sound", "json", "rename"])
def test_on_a_full_disk_nothing_of_it_is_left(tmp_path, monkeypatch, where):
    kept = Kept(tmp_path, most_bytes=1e9, days=30.0)
    before = keep(kept)
    real, full = Path.write_bytes, OSError(errno.ENOSPC, "No space left on device")

    def write_bytes(path, content):
        real(path, content[:10])
        raise full

    def fails(*_, **__):
        raise full

    def no_flac(path, *_, **__):
        real(Path(path), b"half")
        raise soundfile.LibsndfileError(2, "System error.")

    target = {"picture": (Path, "write_bytes", write_bytes), "sound": (soundfile, "write", no_flac)}
    target |= {"json": (Path, "write_text", fails), "rename": (Path, "rename", fails)}
    with (
        monkeypatch.context() as patch,
        pytest.raises(InputError, match=rf"{tmp_path}.* cannot be written \(") as error,
    ):
        patch.setattr(*target[where])
        keep(kept, sound=NOISE, sample_rate=16_000)
    assert "\n" not in str(error.value)
    assert there(tmp_path) == [before]
    assert keep(kept).endswith("_0003")  # and the next is kept again


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/alarms cannot be written"):
        Kept(tmp_path / "file" / "alarms", most_bytes=1e9, days=30.0)


def test_the_oldest_go_where_all_take_too_much(tmp_path):
    kept = Kept(tmp_path, most_bytes=3_500.0, days=30.0)
    names = [keep(kept) for _ in range(6)]
    assert there(tmp_path) == names[-3:]
    assert there(Kept(tmp_path, most_bytes=0.0, days=30.0).folder) == []


def test_the_old_go_while_no_alarm_comes_too(tmp_path):
    now = [time.time()]
    kept = Kept(tmp_path, most_bytes=1e9, days=30.0, now=lambda: now[0])
    names = [keep(kept) for _ in range(3)]
    for name, days in zip(names, (31, 29, 1), strict=True):
        os.utime(tmp_path / name, (now[0] - days * DAY,) * 2)
    kept.prune()
    assert there(tmp_path) == names[1:]
    now[0] += 2 * DAY
    Kept(tmp_path, most_bytes=1e9, days=30.0, now=lambda: now[0])  # a monitor that begins
    assert there(tmp_path) == names[2:]


def test_the_numbers_go_on_where_the_clock_is_set_back(tmp_path):
    now = [time.time()]
    kept = Kept(tmp_path, most_bytes=2_500.0, days=30.0, now=lambda: now[0])
    first = keep(kept)
    now[0] -= 3_600.0
    second, third = keep(kept), keep(kept)
    assert second < first  # by its time
    assert there(tmp_path) == [second, third]  # the oldest went all the same
    now[0] -= DAY
    again = Kept(tmp_path, most_bytes=1e9, days=30.0, now=lambda: now[0])
    assert again.next_name().endswith("_0004")


def test_what_is_not_ours_stays(tmp_path):
    others = ["notes", "20260101T000000Z", "20260101T000000Z_0001x", ".hidden"]
    for name in others:
        (tmp_path / name).mkdir()
        (tmp_path / name / "big").write_bytes(bytes(10_000))
    (tmp_path / "20260101T000000Z_0009").write_text("a file")
    (tmp_path / ".20260101T000000Z_0001.aside").mkdir()  # of a monitor that was killed
    kept = Kept(tmp_path, most_bytes=500.0, days=0.0)
    keep(kept)
    assert there(tmp_path) == sorted([*others, "20260101T000000Z_0009"])


def test_a_folder_that_someone_takes_away_meanwhile(tmp_path, monkeypatch):
    kept = Kept(tmp_path, most_bytes=1e9, days=30.0)
    gone = tmp_path / "20260101T000000Z_0001"
    real = kept._there
    monkeypatch.setattr(kept, "_there", lambda: [gone, *real()])
    name = keep(kept)
    assert there(tmp_path) == [name]


# The picture.


def drawn(log_mel, mean, **options):
    sound = NormalSound.unknown(16_000)
    given = {
        "frequencies": sound.frequencies,
        "seconds": 60.0,
        "first_second": -50.0,
        "shown": (-10.0, 0.0),
        "title": "fan id_00: score 5 above 3",
        "text": "what drove it " * 40,
    }
    image = Image.open(io.BytesIO(picture(log_mel, mean, **(given | options))))
    image.load()
    assert image.format == "PNG"
    return image


def test_the_picture_opens_and_has_a_panel_more_where_normal_is_known():
    log_mel = np.random.default_rng(0).normal(-50, 5, (500, 128)).astype(np.float32)
    log_mel[400:480, 60:70] += 30
    known, unknown = drawn(log_mel, np.full(128, -50.0)), drawn(log_mel, np.zeros(0))
    assert known.size == (1000, 58 + 2 * 264 + 40) and unknown.size == (1000, 58 + 264 + 40)
    pixels = np.asarray(known).astype(int)
    # The loud bands at their time are red in the difference: right of the middle, a little above it.
    at = np.s_[58 + 264 + 108 : 58 + 264 + 118, 64 + 750 : 64 + 860]
    red = (pixels[at][..., 0] - pixels[at][..., 2]).mean()
    elsewhere = pixels[58 + 264 + 108 : 58 + 264 + 118, 100:600]
    assert red > 60 and abs((elsewhere[..., 0] - elsewhere[..., 2]).mean()) < 20


@pytest.mark.parametrize("n_frames", [0, 1, 2, 4_000])
@pytest.mark.parametrize("is_known", [True, False])
def test_it_is_drawn_of_any_amount_of_sound(n_frames, is_known):
    log_mel = np.full((n_frames, 128), -50.0, np.float32)
    image = drawn(
        log_mel, np.full(128, -50.0) if is_known else np.zeros(0), seconds=n_frames * 0.032, first_second=0.0, text=""
    )
    assert image.width == 1000
