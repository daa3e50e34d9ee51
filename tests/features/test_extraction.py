import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asd_jax.datasets import open_dataset
from asd_jax.datasets.extraction import extract
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd, extraction
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.length_buckets import LengthBuckets
from asd_jax.features.stored_clips import StoredClips, cut


@given(st.lists(st.integers(1, 10_000_000), min_size=1, max_size=200))
def test_buckets_pad_by_a_fifth_at_most_and_are_few(lengths):
    buckets = LengthBuckets()
    padded = [buckets(length) for length in lengths]
    assert all(n <= p <= 1.2 * n + 1 for n, p in zip(lengths, padded, strict=True))
    assert len(set(padded)) <= 3 + 4 * np.log2(10_000_000) + 1


def test_mixed_lengths_give_the_frames_of_each_clip_alone():
    rng = np.random.default_rng(0)
    lengths = [16_000, 4_000, 16_000, 700, 9_000, 12_345, 5_000, 16_001, 511]
    waveforms = [rng.standard_normal(n).astype(np.float32) for n in lengths]
    front_end = FrontEnd()
    together = extract_waveforms(waveforms, front_end)
    assert len(together) == len(waveforms)
    for k, waveform in enumerate(waveforms):
        frames = together.clip(k)
        assert frames.shape == (1 + len(waveform) // 512, 128)
        np.testing.assert_allclose(frames, jax.jit(front_end)(jnp.asarray(waveform)), atol=1e-4)


def test_full_batches_and_the_rest_agree(monkeypatch):
    waveforms = np.random.default_rng(0).standard_normal((7, 3_000)).astype(np.float32)
    whole = extract_waveforms(list(waveforms), FrontEnd(), n_clips=7).values
    monkeypatch.setattr(extraction, "_BATCH_SAMPLES", 3 * 3_000)
    np.testing.assert_allclose(extract_waveforms(list(waveforms), FrontEnd()).values, whole, atol=1e-4)


def test_padded_batches_hold_every_clip_once():
    lengths = [5, 9, 5, 30, 17, 11, 23]
    clips = StoredClips.from_clips([np.full((n, 2), i + 1, np.float32) for i, n in enumerate(lengths)])
    seen = {}
    for chosen, batch in clips.padded_batches(max_length=20):
        for row, index in enumerate(chosen):
            seen[int(index)] = batch[row]
        assert (batch[len(chosen) :] == 0).all()
    assert sorted(seen) == list(range(7))
    for index, n in enumerate(lengths):
        assert (seen[index][:n] == index + 1).all() and (seen[index][n:] == 0).all()


def test_bad_files_stop_or_are_left_out(machine_tree):
    dataset = open_dataset(machine="fan", data_dir=machine_tree)
    clips = dataset.split("test")

    def read(clip):
        if clip == clips[2]:
            raise InputError("clip 2 is bad")
        return dataset.read(clip)

    with pytest.raises(InputError, match="clip 2 is bad"):
        extract(clips, read, FrontEnd())
    found = extract(clips, read, FrontEnd(), skip_bad_files=True)
    assert found.clips == clips[:2] + clips[3:] and found.bad == ("clip 2 is bad",)
    assert len(found.frames) == 11
    with pytest.raises(InputError, match="too short"):
        extract(clips, dataset.read, FrontEnd(), min_frames=40)


def test_silence_is_reported(machine_tree):
    dataset = open_dataset(machine="fan", data_dir=machine_tree)
    clips = dataset.split("test")[:3]
    found = extract(clips, lambda clip: dataset.read(clip) * (clip != clips[1]), FrontEnd())
    assert found.silent == (clips[1].file_name,)


def test_examples_cut_from_16_bit_samples_are_their_floats():
    """A clip is stored once, as the 16 bits it has; what is cut in compiled code is what soundfile gives."""
    rng = np.random.default_rng(0)
    waveforms = [rng.integers(-(2**15), 2**15, length).astype(np.int16) for length in (50, 31)]
    clips = StoredClips.from_clips(waveforms)
    assert clips.values.dtype == np.int16 and clips.values.nbytes == 2 * 81
    found = jax.jit(cut, static_argnames="length")(jnp.asarray(clips.values), jnp.asarray([3, 50]), length=20)
    expected = np.stack([waveforms[0][3:23], waveforms[1][:20]]).astype(np.float32) / 32768
    np.testing.assert_array_equal(found, expected)
    assert {batch.dtype for _, batch in clips.padded_batches()} == {np.dtype(np.int16)}
