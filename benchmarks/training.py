"""Training beside PyTorch, same shapes, batches and cores: `python -m benchmarks.training`.

`lstm`: windows a second of the LSTM predictor (2 × 256, 10 steps of 128, 760 windows a batch, cut from clips), forward,
backward and Adam. PyTorch takes torch.nn.LSTM on the unfolded windows. `dense`: the dense autoencoder (100 steps of 512
windows); PyTorch with its DataLoader, and with a loop over preloaded tensors. `sequence`: the GRU and LSTM autoencoders
(64 windows a batch), and the same networks in PyTorch. `multi_branch`: clips a second of the default and of the
published embedding network, cutting, mixing, transforms, sub-cluster AdaCos and AdamW included, and of the same in
PyTorch (64 and 32 clips of 6.4 s a batch).

Run it on an idle machine and leave OMP_WAIT_POLICY alone: told to be passive, PyTorch takes up to three times as long.
Where others keep the cores busy its waiting threads spin and slow it many times over.
"""

import argparse
import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping

import jax
import numpy as np
import torch

from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import (
    DenseAutoencoderConfig,
    GRUAutoencoderConfig,
    LSTMAutoencoderConfig,
    LSTMPredictorConfig,
    MultiBranchConfig,
)
from asd_jax.models.network import Network
from asd_jax.training import Reconstruction, TrainingConfig
from asd_jax.training.clip_examples import clip_source, whole_clips
from asd_jax.training.examples import Listed
from asd_jax.training.loop import train_steps
from asd_jax.training.objectives import SubClusterAdaCos
from asd_jax.training.state import init_train_state
from benchmarks import harness
from benchmarks.harness import Measured
from benchmarks.products import gflop
from benchmarks.torch_multi_branch import MultiBranch, TorchSubClusterAdaCos, mixed
from benchmarks.torch_networks import TorchAutoencoder, TorchPredictor, TorchSequenceAutoencoder, step

N_MELS = 128
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PEER = "torch"
RAW = Scaling(np.zeros(N_MELS, np.float32), np.ones(N_MELS, np.float32))


@dataclasses.dataclass(frozen=True)
class Size:
    """How much work a measurement is: on a CPU, a GPU, or in a test that only runs it.

    Attributes:
        n_steps: steps of the recurrent networks in a run.
        n_clips: clips of 10 s that they are cut from.
        segments: of a batch of the LSTM predictor, 38 windows each.
        hidden: width of its layers.
        windows: of a batch of the recurrent autoencoders.
        dense_steps: steps of the dense autoencoder in a run, 512 windows each.
        embedding: clips of a batch of the embedding network, by its recipe.
        embedding_steps: its steps in a run.
        seconds: of its clips.
    """

    n_steps: int = 2
    n_clips: int = 64
    segments: int = 20
    hidden: int = 256
    windows: int = 64
    dense_steps: int = 100
    embedding: Mapping[str, int] = dataclasses.field(default_factory=lambda: {"default": 64, "published": 32})
    embedding_steps: int = 1
    seconds: float = 6.37


def clips(n_clips: int, n_frames: int) -> StoredClips:
    rng = np.random.default_rng(0)
    return StoredClips.from_clips([rng.standard_normal((n_frames, N_MELS)).astype(np.float32) for _ in range(n_clips)])


class Ours:
    """A learner in training; a call takes the given steps and gives their losses."""

    def __init__(self, config, data: StoredClips, batch_size: int) -> None:
        self.learner, self.objective = Network(config, N_MELS), Reconstruction()
        self.training = TrainingConfig(epochs=1, batch_size=batch_size, schedule="constant")
        self.examples = Listed.of(
            data, np.arange(len(data)), np.zeros(0, int), length=config.segment_frames, hop=config.segment_hop,
            config=self.training, scaling=RAW,
        )  # fmt: skip
        self._start()

    def _start(self) -> None:
        self.state = init_train_state(self.learner, self.training, 1, key=jax.random.key(0))

    def _arguments(self, picks, active) -> tuple:
        length, source = self.examples.length, self.examples.source
        return self.learner, self.objective, self.training, length, 1, self.state, source, picks, active

    def run(self, n_steps: int, steps_per_call: int) -> jax.Array:
        calls = self.examples.calls(seed=0, epoch=0, steps_per_call=steps_per_call)
        for picks, active in itertools.islice(calls, n_steps // steps_per_call):
            self.state, losses = train_steps(*self._arguments(picks, active))
        return losses

    def gflop(self, n_steps: int, steps_per_call: int) -> float:
        """Of the products of a run."""
        call = next(iter(self.examples.calls(seed=0, epoch=0, steps_per_call=steps_per_call)))
        return gflop(train_steps.trace(*self._arguments(*call))) * (n_steps // steps_per_call)


class OursOfWaveforms(Ours):
    """The embedding network in training, which reads whole clips."""

    def __init__(self, config: MultiBranchConfig, waveforms: np.ndarray, targets: np.ndarray, batch_size: int) -> None:
        self.objective = SubClusterAdaCos()
        self.learner = self.objective.learner(Network(config, waveforms.shape[1]), targets)
        self.training = TrainingConfig(batch_size=batch_size, schedule="constant", weight_decay=0.01)
        self.examples = whole_clips(
            clip_source(StoredClips.from_clips(list(waveforms))), np.arange(len(waveforms)), np.zeros(0, int),
            length=waveforms.shape[1], config=self.training, targets=targets,
        )  # fmt: skip
        self._start()


def lstm(repeats: int, size: Size) -> list[Measured]:
    data, context, frames_each = clips(size.n_clips, 313), 10, 48
    config = LSTMPredictorConfig(
        hidden_size=size.hidden, context_frames=context, segment_frames=frames_each, segment_hop=frames_each - context
    )
    ours, n_steps = Ours(config, data, size.segments), size.n_steps
    model = TorchPredictor(N_MELS, size.hidden).to(DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    frames, offsets = torch.tensor(data.values, device=DEVICE), torch.arange(frames_each, device=DEVICE)
    starts = torch.tensor(ours.examples.train.starts, device=DEVICE)

    def peer() -> float:
        for at in range(n_steps):
            chosen = starts[at * size.segments : (at + 1) * size.segments]
            segments = frames[chosen[:, None] + offsets]
            windows = segments[:, :-1].unfold(1, context, 1).transpose(2, 3).reshape(-1, context, N_MELS)
            loss = step(model, optimizer, windows, segments[:, context:].reshape(-1, N_MELS))
        return loss.item()

    taken = harness.times({"asd_jax": lambda: ours.run(n_steps, n_steps), PEER: peer}, repeats=repeats)
    windows = n_steps * size.segments * (frames_each - context)
    name = "training the LSTM predictor"
    return [Measured(name, "windows", windows, taken, ours.gflop(n_steps, n_steps)).show()]


def dense(repeats: int, size: Size) -> list[Measured]:
    n_steps, per_call = size.dense_steps, min(50, size.dense_steps)
    data = clips(-(-n_steps * 512 // 200), 204)  # 200 windows each
    ours = Ours(DenseAutoencoderConfig(), data, 512)
    rows = ours.examples.train.starts[: n_steps * 512, None] + np.arange(5)
    vectors = torch.tensor(data.values[rows].reshape(len(rows), -1))
    models = [TorchAutoencoder(5 * N_MELS).to(DEVICE) for _ in range(2)]
    optimizers = [torch.optim.Adam(model.parameters(), 1e-3) for model in models]
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(vectors), batch_size=512, shuffle=True, drop_last=True
    )
    preloaded = vectors.to(DEVICE)

    def with_loader() -> float:
        for (batch,) in loader:
            batch = batch.to(DEVICE)
            loss = step(models[0], optimizers[0], batch, batch)
        return loss.item()

    def with_tensors() -> float:
        for chosen in torch.randperm(len(preloaded), device=DEVICE).split(512):
            batch = preloaded[chosen]
            loss = step(models[1], optimizers[1], batch, batch)
        return loss.item()

    ours_run = functools.partial(ours.run, n_steps, per_call)
    candidates = {"asd_jax": ours_run, f"{PEER}, tensors": with_tensors, f"{PEER}, DataLoader": with_loader}
    taken = harness.times(candidates, repeats=repeats)
    name, amount = "training the dense autoencoder", n_steps * 512
    return [Measured(name, "windows", amount, taken, ours.gflop(n_steps, per_call)).show()]


def sequence(repeats: int, size: Size) -> list[Measured]:
    data, n_steps, found = clips(size.n_clips, 313), 2 * size.n_steps, []
    for config in (GRUAutoencoderConfig(), LSTMAutoencoderConfig()):
        ours = Ours(config, data, size.windows)
        model = TorchSequenceAutoencoder(config, N_MELS).to(DEVICE)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        starts = torch.tensor(ours.examples.train.starts, device=DEVICE)
        rows = starts[:, None] + torch.arange(config.window_frames, device=DEVICE)
        frames = torch.tensor(data.values, device=DEVICE)

        def peer(model=model, optimizer=optimizer, frames=frames, rows=rows) -> float:
            for chosen in rows[: n_steps * size.windows].split(size.windows):
                batch = frames[chosen]
                loss = step(model, optimizer, batch, batch)
            return loss.item()

        candidates = {"asd_jax": functools.partial(ours.run, n_steps, n_steps), PEER: peer}
        taken = harness.times(candidates, repeats=repeats)
        name, amount = f"training the {config.name.replace('_', ' ')}", n_steps * size.windows
        found.append(Measured(name, "windows", amount, taken, ours.gflop(n_steps, n_steps)).show())
    return found


def multi_branch(repeats: int, size: Size) -> list[Measured]:
    n_samples, n_classes, n_clips = int(16_000 * size.seconds), 4, max(size.embedding.values())
    waveforms = np.random.default_rng(0).integers(-3_000, 3_000, (n_clips, n_samples)).astype(np.int16)
    targets, found = np.arange(n_clips) % n_classes, []
    stored = torch.tensor(waveforms, device=DEVICE)
    classes = torch.nn.functional.one_hot(torch.tensor(targets, device=DEVICE), n_classes).float()
    for recipe, batch_size in size.embedding.items():
        config = MultiBranchConfig(**({} if recipe == "published" else {"branches": ("spectrum", "1024")}))
        ours = OursOfWaveforms(config, waveforms, targets, batch_size)
        network = MultiBranch(config.branches, config.width, n_samples)
        model = TorchSubClusterAdaCos(network, config.embedding_size, n_classes, ours.objective.n_centres).to(DEVICE)
        counted = jax.eval_shape(lambda ours=ours: ours.learner.init(key=jax.random.key(0))[0])
        assert sum(p.numel() for p in model.parameters()) == sum(leaf.size for leaf in jax.tree.leaves(counted))
        optimizer = torch.optim.AdamW(model.parameters(), 1e-3)

        def run(ours=ours) -> jax.Array:
            for _ in range(size.embedding_steps):
                losses = ours.run(1, 1)
            return losses

        def peer(model=model, optimizer=optimizer, batch_size=batch_size) -> float:
            for _ in range(size.embedding_steps):
                chosen = torch.randperm(len(stored), device=DEVICE)[:batch_size]
                optimizer.zero_grad()
                loss = model(*mixed(stored[chosen].float() / 2**15, classes[chosen]))
                loss.backward()
                optimizer.step()
            return loss.item()

        taken = harness.times({"asd_jax": run, PEER: peer}, repeats=repeats)
        name, amount = f"training multi_branch, {recipe}", size.embedding_steps * batch_size
        found.append(Measured(name, "clips", amount, taken, size.embedding_steps * ours.gflop(1, 1)).show())
    return found


TABLES: dict[str, Callable[[int, Size], list[Measured]]] = {
    "lstm": lstm,
    "dense": dense,
    "sequence": sequence,
    "multi_branch": multi_branch,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--only", choices=TABLES, help="one of the tables")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    harness.describe_machine("torch", "flax", "optax", force=arguments.force)
    print(f"torch     {torch.get_num_threads()} threads on {DEVICE}")
    print(f"limit     a large float32 product does {harness.peak_gflops():.0f} Gflop/s")
    size = Size() if DEVICE == "cpu" else Size(n_steps=20, embedding_steps=10)
    for name, table in TABLES.items():
        if arguments.only in (None, name):
            table(arguments.repeats, size)


if __name__ == "__main__":
    main()
