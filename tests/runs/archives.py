"""What tests of archives share: recordings, a detector, and decoders that crash, hang or are slow."""

import dataclasses
import os
import time
from pathlib import Path

import numpy as np
import soundfile

import asd_jax
from asd_jax.evaluation import heard_files
from asd_jax.evaluation.heard_files import Listening
from asd_jax.runs import DataConfig, Outputs, run
from asd_jax.runs.archive import table
from asd_jax.runs.archive.archive import Archive
from asd_jax.runs.archive.scoring import Job, Scoring, digest_of_model

DECODER = heard_files.read_audio
N_FILES = 63


class Fragile(Scoring):
    """A worker whose decoder crashes over `crash.wav`, hangs over `hang.wav`, and takes its time over `slow.wav`."""

    def start(self):
        def decoder(path, **options):
            if path.name == "crash.wav":
                os._exit(139)
            if path.name == "hang.wav":
                time.sleep(1000)
            if path.name == "slow.wav":
                time.sleep(0.2)
            return DECODER(path, **options)

        heard_files.read_audio = decoder
        super().start()


def make_recordings(root: Path) -> None:
    """Forty normal recordings of a humming press to train on, and an archive of others in two folders."""
    rng, time = np.random.default_rng(0), np.arange(16_000) / 16_000
    for index in range(40 + N_FILES - 3):
        waveform = 0.1 * np.sin(2 * np.pi * 180 * time) + 0.02 * rng.standard_normal(len(time))
        waveform += (index == 50) * 0.1 * np.sin(2 * np.pi * 3_000 * time)
        path = root / ("press" if index < 40 else f"new/{index % 2}") / f"{index:03d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, waveform, 16_000)
    (root / "new" / "broken.wav").write_text("no sound")
    soundfile.write(root / "new" / "short.wav", waveform[:2_000], 16_000)
    soundfile.write(root / "new" / "long.wav", np.tile(waveform, 9), 16_000)


def train(root: Path) -> Path:
    """A run of `gmm` on the press."""
    data = DataConfig("press", str(root / "press"))
    config = dataclasses.replace(asd_jax.runs.statistics("gmm", "gmm"), data=data)
    run(config, root / "run", outputs=Outputs(report=False, tensorboard=False), say=lambda line: None)
    return root / "run"


def archive_of(root: Path, out: Path, *, source: Path | None = None, shard_size: int = 10, **options) -> Archive:
    """The archive, to be scored into a folder."""
    model = str(root / "run")
    job = Job(model, digest_of_model(root / "run"), Listening(), **options)
    return Archive(source or root / "new", out, job, shard_size)


def rows(out: Path) -> list[table.Row]:
    """Those of a table, in order; NaN as None, so that tables can be compared."""
    found = [row for path in sorted((out / "scores").glob("*.parquet")) for row in table.read_rows(path)]
    return [table.Row(*(None if value != value else value for value in row)) for row in found]


def assert_same_scores(found: list[table.Row], expected: list[table.Row]) -> None:
    """The same recordings with the same scores, though processes with other numbers of threads gave them."""
    assert [row.file_name for row in found] == [row.file_name for row in expected]
    scores = [np.asarray([row.score for row in of], float) for of in (found, expected)]  # None becomes NaN
    np.testing.assert_allclose(*scores, rtol=1e-5)
