"""Training on frames in a file: `python -m benchmarks.larger_than_memory --folder=DIR`.

First the LSTM predictor of `experiments.lstm_pred` on clips that memory holds, beside the same clips in a file, 200
steps a run, one after another in turn: the ratio of their paces. Then 200 steps on `--gigabytes` of random frames that
are written to a file of `--folder`, after their scaling was fitted, with the most anonymous memory (RssAnon of Linux:
what the kernel cannot drop, unlike pages of the file) that the process took. `--only` takes one of both.
"""

import argparse
import itertools
import threading
import time
from pathlib import Path

import jax
import numpy as np

from asd_jax.features.scaling import standardize
from asd_jax.features.storage import RowsFile
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.training import Reconstruction, TrainingConfig
from asd_jax.training.examples import Listed
from asd_jax.training.loop import STEPS_PER_CALL, train_steps
from asd_jax.training.state import init_train_state
from benchmarks import harness

N_MELS, N_FRAMES = 128, 313  # log-mels of a clip of 10 s


class Training:
    """The LSTM predictor on clips, wherever they lie; a call goes on by some steps."""

    def __init__(self, clips: StoredClips) -> None:
        self.network, self.objective = Network(LSTMPredictorConfig(), N_MELS), Reconstruction()
        self.config = TrainingConfig(schedule="constant")
        model = self.network.config
        self.examples = Listed.of(
            clips, np.arange(len(clips)), np.zeros(0, int), length=model.segment_frames, hop=model.segment_hop,
            config=self.config, scaling=standardize(clips),
        )  # fmt: skip
        self.state = init_train_state(self.network, self.config, 1, key=jax.random.key(0))

    def __call__(self, n_steps: int) -> jax.Array:
        per_call = min(STEPS_PER_CALL, n_steps)
        calls = self.examples.calls(seed=0, epoch=0, steps_per_call=per_call)
        for picks, active in itertools.islice(calls, n_steps // per_call):
            self.state, losses = train_steps(
                self.network, self.objective, self.config, self.examples.length, 1, self.state, self.examples.source,
                picks, active,
            )  # fmt: skip
        return losses


def random_clips(n_clips: int, folder: Path) -> StoredClips:
    """Clips of random frames in a file."""
    rng, file = np.random.default_rng(0), RowsFile(folder, (N_MELS,), np.float32)
    for index in range(n_clips):
        file.write(index * N_FRAMES, rng.standard_normal((N_FRAMES, N_MELS), dtype=np.float32))
    values = file.finish(n_clips * N_FRAMES)
    return StoredClips(values, np.arange(n_clips) * N_FRAMES, np.full(n_clips, N_FRAMES))


class MostMemory:
    """The most anonymous memory of this process while a block runs, in bytes."""

    def __enter__(self) -> "MostMemory":
        self.n_bytes, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self.n_bytes = max(self.n_bytes, anonymous_memory())

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.n_bytes = max(self.n_bytes, anonymous_memory())


def anonymous_memory() -> int:
    """Of this process, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


def pace(folder: Path, *, n_clips: int, n_steps: int, repeats: int) -> float:
    """Print and give the pace of training from a file, relative to that from memory."""
    in_file = random_clips(n_clips, folder)
    in_memory = StoredClips(np.array(in_file.values), in_file.clip_start, in_file.clip_length)
    trainings = {"memory": Training(in_memory), "file": Training(in_file)}
    candidates = {name: lambda of=training: of(n_steps) for name, training in trainings.items()}
    taken = harness.times(candidates, repeats=repeats)
    ratios = sorted(a / b for a, b in zip(taken["memory"], taken["file"], strict=True))
    median = float(np.median(ratios))
    seconds = {name: np.median(of) for name, of in taken.items()}
    print(
        f"pace      from a file {median:.3f} x from memory ({ratios[0]:.3f} to {ratios[-1]:.3f}, {repeats} pairs); "
        f"{n_steps} steps in {seconds['file']:.2f} and {seconds['memory']:.2f} s, {in_file.n_bytes / 1e6:.0f} MB"
    )
    return median


def memory(folder: Path, *, gigabytes: float, n_steps: int) -> int:
    """Print and give the most anonymous memory while a network is trained on so much."""
    begun = time.perf_counter()
    with MostMemory() as most:
        clips = random_clips(max(1, round(gigabytes * 1e9 / (N_FRAMES * N_MELS * 4))), folder)
        written = time.perf_counter()
        training = Training(clips)
        scaled = time.perf_counter()
        jax.block_until_ready(training(n_steps))
    ended = time.perf_counter()
    print(
        f"memory    {clips.n_bytes / 1e9:.3g} GB of frames in a file, {n_steps} steps: at most "
        f"{most.n_bytes / 1e9:.2f} GB of anonymous memory; written in {written - begun:.0f} s, scaling fitted and "
        f"examples listed in {scaled - written:.0f} s, steps in {ended - scaled:.1f} s"
    )
    return most.n_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", choices=("pace", "memory"))
    parser.add_argument("--force", action="store_true")
    options = parser.parse_args()
    harness.describe_machine("grain", force=options.force)
    if options.only != "memory":
        pace(options.folder, n_clips=options.clips, n_steps=options.steps, repeats=options.repeats)
    if options.only != "pace":
        memory(options.folder, gigabytes=options.gigabytes, n_steps=options.steps)


if __name__ == "__main__":
    main()
