"""Times in names, and which dates of files may be recording times."""

import datetime

import pytest

from asd_jax.datasets.recording_times import recording_times, time_in


def at(*parts):
    return datetime.datetime(*parts)


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("2026-11-24T10-00-00.wav", at(2026, 11, 24, 10)),
        ("pump_2_20261124_100005.wav", at(2026, 11, 24, 10, 0, 5)),
        ("2026-11-24_10h07.wav", at(2026, 11, 24, 10, 7)),
        ("fan 2026-11-24 10.07.30 (3).flac", at(2026, 11, 24, 10, 7, 30)),
        ("20261124T1007_id_02.wav", at(2026, 11, 24, 10, 7)),
        ("20261124T100730Z_0001.wav", at(2026, 11, 24, 10, 7, 30)),
        ("rec20261124235959.wav", at(2026, 11, 24, 23, 59, 59)),
        ("a/2026-11-24/10-07-30.wav", at(2026, 11, 24, 10, 7, 30)),
        ("a/2026/11/24/10_07.wav", at(2026, 11, 24, 10, 7)),
        ("2026-11-24.wav", at(2026, 11, 24)),
        ("2026-11-24_0012.wav", at(2026, 11, 24)),  # the twelfth of that day, or twelve past midnight
        ("1764000000.wav", at(2025, 11, 24, 16)),
        ("id_00_1764000000.wav", at(2025, 11, 24, 16)),
        ("1764000000123.wav", at(2025, 11, 24, 16)),
        ("17_1764000000.wav", None),
        ("24-11-2026.wav", None),
        ("03-04-2026_10-00.wav", None),  # March or April
        ("normal_id_00_00000003.wav", None),
        ("section_00_source_test_anomaly_0027_vel_6.wav", None),
        ("2026-02-31.wav", None),
        ("10-00-00.wav", None),
        ("20261199.wav", None),
    ],
)
def test_times_in_names(name, time):
    assert time_in(name) == time


def test_names_come_first():
    names = ["2026-11-24_10h00.wav", "2026-11-24_11h00.wav", "note.wav"]
    known = recording_times(names, modified=lambda name: 1e9 * len(name))
    assert (
        known.are_of_names and known.times[2] is None and known.times[1] - known.times[0] == datetime.timedelta(0, 3600)
    )
    assert recording_times([names[0]] * 3) is None  # all at once: there is no time to draw over
    assert recording_times(["a.wav", "b.wav"]) is None


def test_dates_of_files_that_may_be_recording_times():
    names = [f"{k}.wav" for k in range(20)]
    dates = {name: 1.7e9 + 600.0 * k for k, name in enumerate(names)}
    known = recording_times(names, seconds=[10.0] * 20, modified=dates.get)
    assert not known.are_of_names and known.times[3] - known.times[2] == datetime.timedelta(seconds=600)
    copied = {name: 1.7e9 + 0.02 * k + 90_000 * (k > 10) for k, name in enumerate(names)}  # on two days
    assert recording_times(names, seconds=[10.0] * 20, modified=copied.get) is None
    # Two recorders side by side, one file after another of ten seconds each.
    both = {name: 1.7e9 + 10.0 * (k // 2) for k, name in enumerate(names)}
    assert recording_times(names, seconds=[10.0] * 20, modified=both.get) is None
    assert recording_times(names, seconds=[10.0] * 20, machines=[k % 2 for k in range(20)], modified=both.get)


def test_a_file_that_is_gone_has_no_date():
    def gone(name):
        raise FileNotFoundError(name)

    assert recording_times(["a.wav", "b.wav"], modified=gone) is None
