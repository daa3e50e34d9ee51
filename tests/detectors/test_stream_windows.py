"""Windows of a stream are those of the whole signal, however it comes; what is kept is bounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asd_jax.detectors.stream.windows import Memory, Windows

RATE = 100


def pushed(windows, signal, sizes, rate=RATE):
    found, at = [], 0
    for size in [*sizes, len(signal)]:
        found += list(windows.push(signal[at : at + size], rate))
        at += size
    return found


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 900), st.integers(1, 200), st.integers(1, 300), st.lists(st.integers(0, 400), max_size=20),
    st.floats(0, 1e6),
)  # fmt: skip
def test_they_equal_slices_of_the_whole_signal_whatever_the_blocks(n_samples, length, hop, sizes, begin):
    signal = np.arange(n_samples, dtype=np.float32)
    windows = Windows(seconds=length / RATE, hop_seconds=hop / RATE)
    windows.clock = begin
    windows.interrupt()
    found = pushed(windows, signal, sizes)
    starts = np.arange(0, max(n_samples - length + 1, 0), hop)
    assert len(found) == len(starts)
    for window, start in zip(found, starts, strict=True):
        np.testing.assert_array_equal(window.samples, signal[start : start + length])
        assert window.start == pytest.approx(begin + start / RATE, abs=1e-6)
        assert window.end == pytest.approx(begin + (start + length) / RATE, abs=1e-6)
        assert window.sample_rate == RATE
    assert windows.clock == pytest.approx(begin + n_samples / RATE)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 250), st.floats(0, 9)), min_size=1, max_size=8))
def test_none_reaches_over_a_break_and_the_clock_counts_what_was_lost(parts):
    windows, found, clock, rests = Windows(seconds=1.0, hop_seconds=0.5), [], 0.0, []
    for index, (n_samples, lost) in enumerate(parts):
        part = pushed(windows, np.full(n_samples, index, np.float32), [33] * 8)
        assert len(part) == max(0, (n_samples - 50) // 50)
        found += part
        for number, window in enumerate(part):
            assert window.start == pytest.approx(clock + number / 2)
            assert set(window.samples) == {index}
        rests.append(windows.interrupt(lost))
        assert (rests[-1] is not None) == (0 < n_samples < 100)
        if rests[-1]:
            assert len(rests[-1].samples) == n_samples and set(rests[-1].samples) == {index}
            assert (rests[-1].start, rests[-1].end) == pytest.approx((clock, clock + n_samples / RATE))
        clock += n_samples / RATE + lost
    assert windows.clock == pytest.approx(clock)


def test_another_rate_is_a_break():
    windows = Windows(seconds=1.0, hop_seconds=1.0)
    slow, fast = np.zeros(250, np.float32), np.ones(500, np.float32)
    found = [*windows.push(slow, 100), *windows.push(fast, 200), *windows.push(slow[:150], 100)]
    assert [(of.start, len(of.samples), of.sample_rate, float(of.samples.mean())) for of in found] == [
        (0.0, 100, 100, 0.0),
        (1.0, 100, 100, 0.0),
        (2.5, 200, 200, 1.0),
        (3.5, 200, 200, 1.0),
        (5.0, 100, 100, 0.0),
    ]
    assert windows.clock == 6.5


def test_long_lengths_of_odd_rates_do_not_drift():
    windows = Windows(seconds=6.368, hop_seconds=1.0)
    found = list(windows.push(np.zeros(44_100 * 60, np.float32), 44_100))
    assert [window.start for window in found] == list(range(54))


def test_what_is_kept_is_bounded():
    windows, memory = Windows(seconds=10.0, hop_seconds=1.0), Memory(seconds=60.0)
    most = 0
    for index in range(3_000):
        block = np.full(10, index, np.float32)
        list(windows.push(block, RATE))
        memory.push(windows.clock, block, RATE)
        most = max(most, len(windows._kept))
    assert most <= 11 * RATE
    assert 60.0 <= len(memory.since(0.0)[0]) / RATE <= 60.2
    for _ in windows.push(np.zeros(100_000, np.float32), RATE):  # one long block
        assert len(windows._kept) <= 11 * RATE


def test_memory_gives_the_latest_sound_of_one_rate():
    memory = Memory(seconds=5.0)
    assert [part.tolist() if hasattr(part, "tolist") else part for part in memory.since(0.0)] == [[], 0]
    for second in range(1, 11):
        memory.push(float(second), np.full(4, second, np.float32), 4)
    samples, rate = memory.since(7.0)
    assert rate == 4 and samples.tolist() == [8.0] * 4 + [9.0] * 4 + [10.0] * 4
    assert set(memory.since(0.0)[0]) == {5.0, 6.0, 7.0, 8.0, 9.0, 10.0}
    memory.push(11.0, np.full(8, 11, np.float32), 8)
    samples, rate = memory.since(0.0)
    assert rate == 8 and set(samples) == {11.0}
    memory.push(500.0, np.full(8, 500, np.float32), 8)  # after a break
    assert set(memory.since(0.0)[0]) == {500.0}
