"""Waveforms as a front end: stored once, exactly."""

import numpy as np
import pytest

from asd_jax.features import FRONT_ENDS, FrontEnd, Samples
from asd_jax.features.extraction import extract_waveforms


@pytest.mark.parametrize("exact", [True, False])
def test_waveforms_come_back_exactly_and_in_16_bits_where_these_suffice(exact):
    rng = np.random.default_rng(0)
    waveforms = [rng.integers(-(2**15), 2**15, n).astype(np.float32) / 2**15 for n in (5, 9, 7)]
    if not exact:
        waveforms[1] = waveforms[1] + np.float32(1e-6)
    stored = extract_waveforms(iter(waveforms), Samples())
    assert stored.values.dtype == (np.int16 if exact else np.float32)
    for index, waveform in enumerate(waveforms):
        found = stored.clip(index) / np.float32(2**15) if exact else stored.clip(index)
        np.testing.assert_array_equal(found, waveform)


def test_full_scale_is_no_overflow():
    stored = Samples().store([np.asarray([1.0, -1.0], np.float32)])  # 1.0 is 32768, one more than 16 bits hold
    np.testing.assert_array_equal(stored.values, np.asarray([1.0, -1.0], np.float32))


@pytest.mark.parametrize("front_end", [FrontEnd(n_mels=32), Samples(8_000)])
def test_a_front_end_reads_itself_back(front_end):
    saved = front_end.to_dict()
    kind = FRONT_ENDS[saved.pop("kind", FrontEnd.kind)]
    assert kind.from_dict(saved) == front_end
