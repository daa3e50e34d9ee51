"""Training on clips that lie in a file, beside the same on clips in memory."""

import dataclasses

import jax
import numpy as np
import pytest

from asd_jax import models
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd, Samples, storage
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.scaling import min_max, standardize
from asd_jax.features.storage import RowsFile, Storage, free_memory
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models.network import Network
from asd_jax.training import TrainingConfig, fit, placement
from asd_jax.training.batches import ClipsElsewhere, Elsewhere, Picks
from asd_jax.training.clip_examples import clip_source
from asd_jax.training.examples import Listed
from asd_jax.training.hooks import Monitor
from asd_jax.training.objectives import Reconstruction
from asd_jax.training.reading import read_clips


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def clips(rng):
    return StoredClips.from_clips([rng.normal(size=(length, 8)).astype(np.float32) for length in (40, 61, 33, 50)])


@pytest.fixture
def in_file(clips, tmp_path):
    return StoredClips.joined([clips], storage=Storage(0, tmp_path))


SMALL = {"lstm_predictor": {"hidden_size": 8}, "dense_autoencoder": {}}


class Losses(Monitor):
    def __init__(self):
        self.losses = []

    def steps(self, first_step, losses):
        self.losses.extend(losses.tolist())


def trained(clips, *, mesh="none", model="lstm_predictor"):
    config = TrainingConfig(epochs=5, batch_size=8, mesh=mesh)
    settings = dataclasses.replace(models.REGISTRY[model](), **SMALL[model])
    examples = Listed.of(
        clips, np.arange(3), np.array([3]), length=20, hop=3, config=config, scaling=standardize(clips),
    )  # fmt: skip
    losses = Losses()
    result = fit(Network(settings, 8), Reconstruction(), examples, config, seed=1, monitor=losses)
    return examples, losses.losses, result


@pytest.mark.parametrize("model", ["lstm_predictor", "dense_autoencoder"])
def test_what_is_read_from_a_file_trains_to_the_same_network(clips, in_file, model):
    (_, losses, result), (examples, of_file, from_file) = trained(clips, model=model), trained(in_file, model=model)
    assert in_file.on_disk and isinstance(examples.source, Elsewhere) and len(losses) >= 10
    np.testing.assert_allclose(of_file, losses, rtol=1e-6)
    for a, b in zip(jax.tree.leaves(result.params), jax.tree.leaves(from_file.params), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    assert [epoch["validation_loss"] for epoch in from_file.progress.history] == pytest.approx(
        [epoch["validation_loss"] for epoch in result.progress.history], rel=1e-6
    )


def test_what_a_device_cannot_hold_is_read_too(clips, monkeypatch):
    whole = trained(clips)

    class Device:
        def memory_stats(self):
            return {"bytes_limit": 2 * clips.n_bytes + 99, "bytes_in_use": 100}

    monkeypatch.setattr(placement.jax, "local_devices", lambda: [Device()])
    examples, losses, _ = trained(clips)
    assert isinstance(examples.source, Elsewhere)
    np.testing.assert_allclose(losses, whole[1], rtol=1e-6)


def test_clips_chosen_from_a_file_stay_there(clips, in_file):
    chosen = np.array([2, 0])
    few, copied = in_file.select(chosen), clips.select(chosen)
    assert few.values is in_file.values and few.n_bytes == copied.n_bytes
    for scale in (standardize, min_max):
        for ours, reference in ((scale(few), scale(copied)), (scale(in_file), scale(clips))):
            np.testing.assert_array_equal(ours.offset, reference.offset)
            np.testing.assert_array_equal(ours.scale, reference.scale)
    np.testing.assert_array_equal(np.concatenate(list(few.blocks(7))), copied.values)
    assert [len(block) for block in few.blocks(7)] == [7] * 10 + [3]


@pytest.mark.parametrize("limit", [0, 30_000, 10**9])
def test_frames_go_to_a_file_once_they_are_too_many(limit, rng, tmp_path):
    waveforms = [rng.normal(size=n).astype(np.float32) for n in (8000, 8000, 4000, 9000, 8000)]
    plain = extract_waveforms(waveforms, FrontEnd())
    stored = extract_waveforms(waveforms, FrontEnd(), n_clips=5, storage=Storage(limit, tmp_path / "frames"))
    assert stored.on_disk == (limit < plain.n_bytes)
    np.testing.assert_array_equal(stored.values, plain.values)
    np.testing.assert_array_equal(stored.clip_start, plain.clip_start)
    assert not (tmp_path / "frames").exists() or not list((tmp_path / "frames").iterdir())  # a file without a name


@pytest.mark.parametrize("exact", [True, False])
def test_samples_go_to_a_file_as_they_would_to_memory(exact, rng, tmp_path):
    waveforms = [(rng.integers(-(2**15), 2**15, n) / 2**15).astype(np.float32) for n in (100, 50, 70)]
    if not exact:
        waveforms[1] *= np.float32(0.3)
    plain, stored = Samples().store(waveforms), Samples().store(waveforms, storage=Storage(120, tmp_path))
    assert stored.on_disk and stored.values.dtype == plain.values.dtype == (np.int16 if exact else np.float32)
    np.testing.assert_array_equal(stored.values, plain.values)
    np.testing.assert_array_equal(stored.clip_length, plain.clip_length)


def test_whole_clips_of_a_file_give_the_same_batches(rng, tmp_path):
    waveforms = [rng.integers(-(2**15), 2**15, n).astype(np.int16) for n in (100, 50, 70)]
    clips = StoredClips.from_clips(waveforms)
    in_file = StoredClips.joined([clips], storage=Storage(0, tmp_path))
    picks = Picks(np.array([2, 0, 1, 2], np.int32), np.array([1, 0, 0, 1], np.int32))
    for key in (None, jax.random.key(3)):
        expected = jax.jit(lambda of, k: clip_source(clips).batch(of, 60, key=k))(picks, key)
        found = jax.jit(lambda of, k: ClipsElsewhere().batch(of, 60, key=k))(read_clips(in_file, 100, picks), key)
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.targets, expected.targets)


def test_a_full_disk_is_one_line(tmp_path):
    file = RowsFile(tmp_path, (4,), np.float32)
    file._file.close()
    file._file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115
    with file._file, pytest.raises(InputError, match=f"{tmp_path}: no space left, .* `max_memory_gb`"):
        file.write(0, np.ones((2, 4), np.float32))
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken: cannot be written"):
        RowsFile(tmp_path / "taken", (4,), np.float32)


def test_the_limit_is_half_of_what_is_free(monkeypatch, tmp_path):
    assert Storage.of(2.5, tmp_path).limit == 2_500_000_000
    with pytest.raises(InputError, match=r"`max_memory_gb=0\.0`: give a number above 0"):
        Storage.of(0.0, tmp_path)
    free = free_memory()
    assert 0.2 * free < 2 * Storage.of(None, tmp_path).limit < 5 * free
    monkeypatch.setattr(storage, "_CONTAINER", tmp_path)
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert free_memory() == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() > 600_000


@pytest.mark.service
def test_the_benchmark_runs(tmp_path, capsys):
    from benchmarks import larger_than_memory

    assert larger_than_memory.pace(tmp_path, n_clips=5, n_steps=2, repeats=1) > 0
    assert larger_than_memory.memory(tmp_path, gigabytes=0.001, n_steps=2) > 10**7
    assert capsys.readouterr().out.startswith("pace      from a file")
